namespace Harness.Simulation.Machines;

/// <summary>
/// A kernel's spin lock: those that wait occupy their CPUs, and whoever holds or waits for it is not preempted. First come, first served.
/// </summary>
/// <remarks>
/// Taking it free costs the transfer of its cache line from where it was held last. When it is released while others wait, the first of
/// them goes on after a hand-over, whose cost grows with the distance and with the number of those that go on spinning. The model is the
/// kernel's queued spin lock (<c>kernel/locking/qspinlock.c</c>).
/// </remarks>
public sealed class SimSpinLock(Machine machine, string name) : ISimLock
{
    readonly WaiterList waiters = new();
    SimCpu? lastHeldOn;
    long freeAt;

    /// <summary>Its name in reports.</summary>
    public string Name { get; } = name;

    /// <summary>The thread that holds it, if one does.</summary>
    public SimThread? Owner { get; private set; }

    string? ISimLock.HeldBy => Owner?.Name;

    /// <summary>How many threads spin for it.</summary>
    public int Waiters => waiters.Count;

    /// <summary>How often it was taken.</summary>
    public long Acquisitions { get; private set; }

    /// <summary>How often whoever took it had to wait.</summary>
    public long Contentions { get; private set; }

    /// <summary>Takes the lock, spinning until it is free.</summary>
    public ValueTask Acquire(SimThread thread)
    {
        ArgumentNullException.ThrowIfNull(thread);
        return thread.Ask(0, Step.TakeSpinLock, this);
    }

    /// <summary>
    /// Releases the lock. Costs the releasing thread nothing: the store is buffered, and it is the next owner that waits for it.
    /// </summary>
    /// <exception cref="InvalidOperationException">The thread does not hold it.</exception>
    public void Release(SimThread thread)
    {
        LockRules.DemandOwner(this, thread);
        long now = machine.Scheduler.NowNanoseconds;
        long charged = machine.Scheduler.Charged;
        thread.SpinDepth--;
        thread.LockDepth--;
        Owner = waiters.TakeFirst();
        if (Owner is null)
        {
            freeAt = now + charged;
            return;
        }
        lastHeldOn = Owner.Cpu;
        Owner.StopSpinning(charged + LockRules.HandOver(machine, thread.Cpu, Owner.Cpu, waiters.Count));
    }

    /// <inheritdoc/>
    public override string ToString() => $"spin lock '{Name}'";

    internal bool Take(SimThread thread)
    {
        LockRules.RefuseOwner(this, thread);
        thread.SpinDepth++;
        thread.LockDepth++;
        Acquisitions++;
        if (Owner is not null)
        {
            Contentions++;
            waiters.Add(thread);
            thread.Spin(this);
            return false;
        }
        long cost = LockRules.TakeFree(machine, lastHeldOn, thread.Cpu) + Math.Max(0, freeAt - machine.Scheduler.NowNanoseconds);
        Owner = thread;
        lastHeldOn = thread.Cpu;
        return thread.Work(cost);
    }
}
