using System.Runtime.CompilerServices;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Queues;

namespace Harness.Transport.Simulated.Requests;

/// <summary>
/// Requests that nobody waits for: readahead, writeback, asynchronous direct I/O, RELEASE. So many are with the daemon at once, the rest
/// waits here, and whoever would make one more waits too (fs/fuse/dev.c, <c>fuse_request_queue_background</c>, <c>flush_bg_queue</c>).
/// </summary>
internal sealed class BackgroundRequests(FuseConnection connection)
{
    private readonly SimSpinLock _lock = new(connection.Machine, "bg_lock");
    private readonly Queue<KernelRequest> _waiting = new();
    private readonly SimWaitQueue _blockedSenders = new("room among the background requests");
    private bool _isBlocked;
    private int _active;

    /// <summary>How many there are, with the daemon or on their way.</summary>
    public int Count { get; private set; }

    /// <summary>Whether so many are under way that readahead holds back.</summary>
    public bool IsCongested => Count >= connection.CongestionThreshold;

    private int Limit => connection.MaxBackground + (connection.Faults.Has(KernelFault.BackgroundLimitOffByOne) ? 1 : 0);

    /// <summary>Sends a request on its way.</summary>
    /// <param name="thread">Who sends it, and waits if there is no room.</param>
    /// <param name="request">Returned to the connection once it has ended.</param>
    /// <param name="isForced">Whether it is sent whatever the limit, as a RELEASE and writeback are.</param>
    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    public async ValueTask Send(SimThread thread, KernelRequest request, bool isForced)
    {
        while (_isBlocked && !isForced)
        {
            await _blockedSenders.Wait(thread);
        }

        request.IsBackground = true;
        connection.Admit(thread, request);
        await Enter(thread);
        Touch(thread);
        if (++Count == Limit)
        {
            _isBlocked = true;
        }

        _waiting.Enqueue(request);
        await Flush(thread);
    }

    /// <summary>One has been answered: lets in what waits.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    public async ValueTask Ended(SimThread thread)
    {
        await Enter(thread);
        Touch(thread);
        bool wasFull = Count == Limit;
        Count--;
        _active--;
        if (wasFull)
        {
            _isBlocked = false;
        }

        if (!_isBlocked)
        {
            await _blockedSenders.WakeOne(thread);
        }

        await Flush(thread);
    }

    private ValueTask Enter(SimThread thread) =>
        connection.Queue.BackgroundLocking == BackgroundLocking.None ? default : _lock.AcquireCharged(thread);

    /// <summary>The counters and the head of the list are in one line with the lock (fs/fuse/fuse_i.h, <c>struct fuse_conn</c>).</summary>
    private void Touch(SimThread thread)
    {
        if (connection.Queue.BackgroundLocking != BackgroundLocking.None)
        {
            _lock.TouchBeside(thread);
        }
    }

    /// <summary>Sends what may be sent, and lets go of the lock: before that, or, by <c>/dev/fuse</c>, after it with all its wake-ups.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    private async ValueTask Flush(SimThread thread)
    {
        bool isHeld = connection.Queue.BackgroundLocking == BackgroundLocking.WhileSending;
        if (connection.Queue.BackgroundLocking == BackgroundLocking.Counters)
        {
            _lock.Release(thread);
        }

        while (_active < Limit && _waiting.TryDequeue(out KernelRequest? next))
        {
            _active++;
            next.Header.Unique = connection.NextUnique();
            await connection.Queue.Put(thread, next);
        }

        if (isHeld)
        {
            _lock.Release(thread);
        }
    }
}
