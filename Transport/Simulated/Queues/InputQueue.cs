using System.Runtime.CompilerServices;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Requests;

namespace Harness.Transport.Simulated.Queues;

/// <summary>Requests in order of arrival, those of the daemon's threads that wait for them, and what keeps CPUs from touching it at once.</summary>
/// <remarks>
/// Which cache lines a request moves while the queue's lock is held, after fs/fuse/dev.c of Linux 6.18. Each costs what it takes to come from
/// the CPU that had it last:
/// <list type="bullet">
/// <item>the lock's own line, with the request's number, the list's head and the wait queue's head (<c>struct fuse_iqueue</c>);</item>
/// <item>who sends (<c>fuse_dev_queue_req</c>): the first line of the request before it in the list, whose link it changes; the wait queue's
/// lock, the entry of the reader that it wakes, on that reader's stack, and of the one behind; then the wake-up itself;</item>
/// <item>who takes (<c>fuse_dev_do_read</c>): the first line of the request, with its flags and its links, and that of the next;</item>
/// <item>who finds nothing (<c>prepare_to_wait_exclusive</c>): the wait queue's lock, and the entry of who waits before it.</item>
/// </list>
/// </remarks>
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
    private readonly SimSpinLock _readersLock = new(connection.Machine, $"the wait queue of {name}");
    private KernelRequest? _last;
    private int _forgetTurn = ForgetsInTurn;

    /// <summary>Adds a request, or says that something urgent has come, and wakes a reader while still holding the guard, as Linux does.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    public async ValueTask Put(SimThread sender, KernelRequest? request)
    {
        await guard.Enter(sender);
        if (request is not null)
        {
            guard.Touch(sender);
            if (guard.IsLock && _pending.Count > 0)
            {
                _last!.Links.Touch(sender);
            }

            _pending.Enqueue(request);
            _last = request;
        }

        // The reader that has waited longest, under the wait queue's lock (wake_up, __wake_up_common).
        await _readersLock.AcquireWithin(sender);
        ChargeFor(sender, _readers.First);
        await _readers.WakeOne(sender);
        ChargeFor(sender, _readers.First);
        _readersLock.Release(sender);
        guard.Leave(sender);
    }

    /// <summary>Takes the next message; waits while there is none.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<KernelRequest> Take(SimThread reader)
    {
        while (true)
        {
            await guard.Enter(reader);
            guard.Touch(reader);
            KernelRequest? next = TakeNext(reader);
            guard.Leave(reader);
            if (next is not null)
            {
                return next;
            }

            await _readersLock.AcquireCharged(reader);
            ChargeFor(reader, _readers.Last);
            _readers.Join(reader);
            _readersLock.Release(reader);
            if (_pending.Count > 0 || connection.HasUrgent)
            {
                _readers.Leave(reader);
            }
            else
            {
                await reader.Block(_readers);
            }
        }
    }

    /// <summary>Takes the next message if there is one.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<KernelRequest?> TryTake(SimThread reader)
    {
        await guard.Enter(reader);
        guard.Touch(reader);
        KernelRequest? next = TakeNext(reader);
        guard.Leave(reader);
        return next;
    }

    /// <summary>The entry of a waiting thread comes from the CPU that it waits on.</summary>
    private void ChargeFor(SimThread thread, SimThread? waiting)
    {
        if (waiting is not null)
        {
            thread.Charge(connection.Machine.CostOfLine(waiting.Cpu, thread.Cpu));
        }
    }

    private KernelRequest? TakeNext(SimThread reader)
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

        if (!_pending.TryDequeue(out KernelRequest? request))
        {
            return null;
        }

        request.Links.Touch(reader);
        if (guard.IsLock && _pending.TryPeek(out KernelRequest? behind))
        {
            behind.Links.Touch(reader);
        }

        return request;
    }
}
