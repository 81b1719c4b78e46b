using System.Runtime.CompilerServices;

namespace Harness.Simulation.Machines;

/// <summary>
/// A kernel's reader-writer semaphore, such as an inode's: any number of threads hold it shared, or one alone. Those that wait sleep, first
/// come, first served, and a thread that waits to hold it alone keeps later readers out.
/// </summary>
/// <remarks>
/// Taking and releasing it move the cache line with its counter, shared or not, one CPU after another: readers too slow each other down.
/// Unlike in <c>kernel/locking/rwsem.c</c> nobody spins for it; its holders mostly sleep for I/O, and then nobody spins there either.
/// </remarks>
public sealed class SimRwLock(Machine machine, string name) : ISimLock
{
    readonly WaiterList sleepers = new();
    readonly SimCacheLine counter = new(machine);

    /// <summary>Its name in reports.</summary>
    public string Name { get; } = name;

    /// <summary>The thread that holds it alone, if one does.</summary>
    public SimThread? Owner { get; private set; }

    /// <summary>How many threads hold it shared.</summary>
    public int Readers { get; private set; }

    /// <summary>How many threads sleep for it.</summary>
    public int Waiters => sleepers.Count;

    /// <summary>How often it was taken, either way.</summary>
    public long Acquisitions { get; private set; }

    /// <summary>How often whoever took it had to sleep.</summary>
    public long Sleeps { get; private set; }

    string? ISimLock.HeldBy => Owner?.Name ?? (Readers > 0 ? $"{Readers} readers" : null);

    /// <summary>Takes it shared.</summary>
    public ValueTask AcquireShared(SimThread thread) => Acquire(thread, alone: false);

    /// <summary>Takes it alone.</summary>
    public ValueTask AcquireAlone(SimThread thread) => Acquire(thread, alone: true);

    /// <summary>Gives back a shared hold. If that lets a writer in, this thread wakes it and pays for that.</summary>
    /// <exception cref="InvalidOperationException">Nobody holds it shared.</exception>
    public ValueTask ReleaseShared(SimThread thread)
    {
        ArgumentNullException.ThrowIfNull(thread);
        thread.DemandExecuting();
        if (Readers == 0)
        {
            throw new InvalidOperationException($"{thread} releases {this} as a reader, which nobody holds shared.");
        }
        Readers--;
        return LetIn(thread);
    }

    /// <summary>Gives back an exclusive hold. This thread wakes the writer or all the readers that come next, and pays for that.</summary>
    /// <exception cref="InvalidOperationException">The thread does not hold it alone.</exception>
    public ValueTask ReleaseAlone(SimThread thread)
    {
        LockRules.DemandOwner(this, thread);
        Owner = null;
        return LetIn(thread);
    }

    /// <inheritdoc/>
    public override string ToString() => $"reader-writer lock '{Name}'";

    internal bool Take(SimThread thread)
    {
        LockRules.RefuseOwner(this, thread);
        thread.LockDepth++;
        Acquisitions++;
        if (sleepers.Count == 0 && MayEnter(thread))
        {
            Enter(thread);
            return thread.Work(counter.CostOfTouch(thread.Cpu));
        }
        Sleeps++;
        sleepers.Add(thread);
        thread.WaitFor(this);
        return false;
    }

    ValueTask Acquire(SimThread thread, bool alone)
    {
        ArgumentNullException.ThrowIfNull(thread);
        thread.WantsAlone = alone;
        return thread.Ask(0, Step.TakeRwLock, this);
    }

    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    async ValueTask LetIn(SimThread thread)
    {
        thread.Charge(counter.CostOfTouch(thread.Cpu));
        while (sleepers.First is { } next && MayEnter(next))
        {
            sleepers.Remove(next);
            Enter(next);
            next.PrepareToGoOn(0);
            await thread.Ask(machine.CostOfWaking(thread.Cpu, next), Step.WakeNewOwner, next);
        }
        thread.LockDepth--;
    }

    bool MayEnter(SimThread thread) => Owner is null && (Readers == 0 || !thread.WantsAlone);

    void Enter(SimThread thread)
    {
        if (thread.WantsAlone)
        {
            Owner = thread;
        }
        else
        {
            Readers++;
        }
    }
}
