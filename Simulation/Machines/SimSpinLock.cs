namespace Harness.Simulation.Machines;

/// <summary>
/// A kernel's spin lock: those that wait occupy their CPUs, and whoever holds or waits for it is not preempted. First come, first served.
/// </summary>
/// <remarks>
/// Taking it free costs the transfer of its cache line from where it was held last. When it is released while others wait, the first of
/// them goes on after a hand-over, whose cost grows with the distance and with the number of those that go on spinning. The model is the
/// kernel's queued spin lock (<c>kernel/locking/qspinlock.c</c>).
/// <para>
/// Data in the lock's own cache line, such as the head of the list that it guards, are not the holder's for long: the first waiter polls the
/// lock's word, and each poll takes the line away. <see cref="TouchBeside"/> charges for getting it back.
/// </para>
/// </remarks>
public sealed class SimSpinLock(Machine machine, string name) : ISimLock
{
    readonly WaiterList waiters = new();
    readonly SimCacheLine line = new(machine);
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
        line.MoveTo(Owner.Cpu);
        Owner.StopSpinning(charged + LockRules.HandOver(machine, thread.Cpu, Owner.Cpu, waiters.Count));
    }

    /// <summary>Charges the holder for touching data in the lock's own cache line, which whoever waits for the lock polls.</summary>
    /// <exception cref="InvalidOperationException">The thread does not hold it.</exception>
    public void TouchBeside(SimThread thread)
    {
        LockRules.DemandOwner(this, thread);
        if (waiters.First is { } next)
        {
            line.MoveTo(next.Cpu);
        }
        line.Touch(thread);
    }

    /// <summary>
    /// As <see cref="Acquire"/>, but if the lock is free its cost is charged with the next operation, which spares an event. The holder is then
    /// early by that cost: for code that looks at nothing but what the lock guards. Others wait for as long as it is charged for until it releases
    /// the lock.
    /// </summary>
    public ValueTask AcquireCharged(SimThread thread)
    {
        ArgumentNullException.ThrowIfNull(thread);
        return thread.Ask(0, Step.TakeSpinLockCharged, this);
    }

    /// <summary>
    /// As <see cref="AcquireCharged"/>, and what was charged before is not spent first either: for a lock within another one, or one that this
    /// thread has just released, where nothing that others see happens before that.
    /// </summary>
    public ValueTask AcquireWithin(SimThread thread)
    {
        ArgumentNullException.ThrowIfNull(thread);
        thread.DemandExecuting();
        if (Owner is not null)
        {
            return Acquire(thread);
        }
        thread.Charge(TakeFree(thread));
        return default;
    }

    /// <inheritdoc/>
    public override string ToString() => $"spin lock '{Name}'";

    internal bool Take(SimThread thread, bool isCharged)
    {
        LockRules.RefuseOwner(this, thread);
        if (Owner is null)
        {
            bool isFree = freeAt <= machine.Scheduler.NowNanoseconds;
            long cost = TakeFree(thread);
            if (!isCharged || !isFree)
            {
                return thread.Work(cost);
            }
            machine.Scheduler.Charged += cost;
            return true;
        }
        Count(thread);
        Contentions++;
        waiters.Add(thread);
        thread.Spin(this);
        return false;
    }

    /// <summary>
    /// Makes the thread the owner of the lock that nobody has, or that who has released it still has for as long as that was charged; returns what
    /// that takes.
    /// </summary>
    long TakeFree(SimThread thread)
    {
        Count(thread);
        long wait = freeAt - (machine.Scheduler.NowNanoseconds + machine.Scheduler.Charged);
        long cost = LockRules.TakeFree(machine, lastHeldOn, thread.Cpu);
        if (wait > 0)
        {
            Contentions++;
            cost = wait + LockRules.HandOver(machine, lastHeldOn!, thread.Cpu, stillSpinning: 0);
        }
        Owner = thread;
        lastHeldOn = thread.Cpu;
        line.MoveTo(thread.Cpu);
        return cost;
    }

    void Count(SimThread thread)
    {
        thread.SpinDepth++;
        thread.LockDepth++;
        Acquisitions++;
    }
}
