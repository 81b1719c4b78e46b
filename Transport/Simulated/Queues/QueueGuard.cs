using Harness.Simulation.Machines;

namespace Harness.Transport.Simulated.Queues;

/// <summary>What keeps a queue whole when several CPUs use it: a spin lock, or only the transfer of the line that its ends are in.</summary>
internal readonly struct QueueGuard
{
    private readonly SimSpinLock? _lock;
    private readonly SimCacheLine? _line;

    /// <summary>A spin lock around a linked list.</summary>
    public QueueGuard(SimSpinLock @lock) => _lock = @lock;

    /// <summary>No lock: the ends of an array are moved by single atomic operations.</summary>
    public QueueGuard(SimCacheLine line) => _line = line;

    /// <summary>Whether it is a lock, hence the queue a list whose nodes are linked through the requests.</summary>
    public bool IsLock => _lock is not null;

    /// <summary>Begins to use the queue.</summary>
    public ValueTask Enter(SimThread thread) => _lock is not null ? _lock.AcquireCharged(thread) : default;

    /// <summary>Changes the queue's ends.</summary>
    public void Touch(SimThread thread)
    {
        if (_lock is not null)
        {
            _lock.TouchBeside(thread);
        }
        else
        {
            _line!.Touch(thread);
        }
    }

    /// <summary>Ends the use of the queue.</summary>
    public void Leave(SimThread thread) => _lock?.Release(thread);
}
