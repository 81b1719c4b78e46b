using System.Runtime.CompilerServices;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Requests;

namespace Harness.Transport.Simulated.Queues;

/// <summary>Requests in order of arrival, those of the daemon's threads that wait for them, and what keeps CPUs from touching it at once.</summary>
/// <param name="connection">Whose interrupts and forgets it hands out too.</param>
/// <param name="name">Its name in reports.</param>
/// <param name="guard">What is held while it is changed.</param>
internal sealed class InputQueue(FuseConnection connection, string name, QueueGuard guard)
{
    // Forgets and requests take turns, so many of each at a time (fs/fuse/dev.c, fuse_dev_do_read).
    private const int ForgetsInTurn = 16;
    private const int RequestsInTurn = 8;

    private readonly Queue<KernelRequest> _pending = new();
    private readonly SimWaitQueue _readers = new($"a request in {name}");
    private int _forgetTurn = ForgetsInTurn;

    /// <summary>Adds a request, or says that something urgent has come, and wakes a reader while still holding the guard, as Linux does.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    public async ValueTask Put(SimThread sender, KernelRequest? request)
    {
        await guard.Enter(sender);
        if (request is not null)
        {
            _pending.Enqueue(request);
        }

        await _readers.WakeOne(sender);
        guard.Leave(sender);
    }

    /// <summary>Takes the next message; waits while there is none.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<KernelRequest> Take(SimThread reader)
    {
        while (true)
        {
            await guard.Enter(reader);
            KernelRequest? next = TakeNext();
            guard.Leave(reader);
            if (next is not null)
            {
                return next;
            }

            await _readers.Wait(reader);
        }
    }

    /// <summary>Takes the next message if there is one.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<KernelRequest?> TryTake(SimThread reader)
    {
        await guard.Enter(reader);
        KernelRequest? next = TakeNext();
        guard.Leave(reader);
        return next;
    }

    private KernelRequest? TakeNext()
    {
        bool forgetsToo = _pending.Count == 0 || _forgetTurn-- > 0;
        if (connection.TakeUrgent(forgetsToo) is { } urgent)
        {
            return urgent;
        }

        if (_forgetTurn <= -RequestsInTurn)
        {
            _forgetTurn = ForgetsInTurn;
        }

        return _pending.TryDequeue(out KernelRequest? request) ? request : null;
    }
}

/// <summary>What keeps a queue whole when several CPUs use it: a spin lock, or only the transfer of the line that its ends are in.</summary>
internal readonly struct QueueGuard
{
    private readonly SimSpinLock? _lock;
    private readonly SimCacheLine? _line;

    /// <summary>A spin lock.</summary>
    public QueueGuard(SimSpinLock @lock) => _lock = @lock;

    /// <summary>No lock: head and tail are changed by single atomic operations.</summary>
    public QueueGuard(SimCacheLine line) => _line = line;

    public ValueTask Enter(SimThread thread)
    {
        if (_lock is not null)
        {
            return _lock.Acquire(thread);
        }

        _line!.Touch(thread);
        return default;
    }

    public void Leave(SimThread thread) => _lock?.Release(thread);
}
