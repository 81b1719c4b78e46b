using System.Runtime.CompilerServices;

namespace Harness.Simulation.Machines;

/// <summary>
/// A kernel's mutex: a thread that finds it held spins for a while if the owner is running, and then sleeps until it is given the lock.
/// </summary>
/// <remarks>
/// Released, it goes to the thread that has spun longest, else to the one that has slept longest, which the releasing thread wakes and pays
/// for. As in <c>kernel/locking/mutex.c</c> spinners come before sleepers; unlike there, a sleeper owns the lock from the moment it is
/// woken
/// and nobody overtakes it.
/// </remarks>
public sealed class SimMutex(Machine machine, string name) : ISimLock
{
    readonly WaiterList spinners = new();
    readonly WaiterList sleepers = new();
    SimCpu? lastHeldOn;
    long freeAt;

    /// <summary>Its name in reports.</summary>
    public string Name { get; } = name;

    /// <summary>The thread that holds it, if one does.</summary>
    public SimThread? Owner { get; private set; }

    string? ISimLock.HeldBy => Owner?.Name;

    /// <summary>How many threads spin or sleep for it.</summary>
    public int Waiters => spinners.Count + sleepers.Count;

    /// <summary>How often it was taken.</summary>
    public long Acquisitions { get; private set; }

    /// <summary>How often whoever took it had to wait.</summary>
    public long Contentions { get; private set; }

    /// <summary>How often whoever took it had to sleep.</summary>
    public long Sleeps { get; private set; }

    /// <summary>Takes the mutex, spinning and then sleeping until it is free.</summary>
    public ValueTask Acquire(SimThread thread)
    {
        ArgumentNullException.ThrowIfNull(thread);
        return thread.Ask(0, Step.TakeMutex, this);
    }

    /// <summary>Releases the mutex; if that means waking a thread, this one pays for it.</summary>
    /// <exception cref="InvalidOperationException">The thread does not hold it.</exception>
    public ValueTask Release(SimThread thread)
    {
        LockRules.DemandOwner(this, thread);
        if (spinners.TakeFirst() is { } spinner)
        {
            long charged = machine.Scheduler.Charged;
            spinner.StopSpinning(charged + HandOverTo(spinner, thread));
            spinner.SpinDepth--;
            thread.LockDepth--;
            return default;
        }
        if (sleepers.TakeFirst() is { } sleeper)
        {
            return WakeOwner(sleeper, thread);
        }
        Owner = null;
        freeAt = machine.Scheduler.NowNanoseconds + machine.Scheduler.Charged;
        thread.LockDepth--;
        return default;
    }

    /// <inheritdoc/>
    public override string ToString() => $"mutex '{Name}'";

    internal bool Take(SimThread thread)
    {
        LockRules.RefuseOwner(this, thread);
        thread.LockDepth++;
        Acquisitions++;
        if (Owner is null)
        {
            long cost = LockRules.TakeFree(machine, lastHeldOn, thread.Cpu) + Math.Max(0, freeAt - machine.Scheduler.NowNanoseconds);
            Owner = thread;
            lastHeldOn = thread.Cpu;
            return thread.Work(cost);
        }
        Contentions++;
        long spinNanoseconds = machine.Costs.MutexSpin.Nanoseconds;
        if (Owner.IsRunning && spinNanoseconds > 0)
        {
            spinners.Add(thread);
            thread.SpinDepth++;
            return thread.Work(spinNanoseconds, Step.StopSpinning, isSpinning: true);
        }
        Sleep(thread);
        return false;
    }

    /// <summary>The thread has spun for as long as it may.</summary>
    internal void GiveUpSpinning(SimThread thread)
    {
        spinners.Remove(thread);
        thread.SpinDepth--;
        thread.SpinNanoseconds += machine.Costs.MutexSpin.Nanoseconds;
        Sleep(thread);
    }

    long HandOverTo(SimThread next, SimThread thread)
    {
        Owner = next;
        lastHeldOn = next.Cpu;
        return LockRules.HandOver(machine, thread.Cpu, next.Cpu, spinners.Count);
    }

    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    async ValueTask WakeOwner(SimThread sleeper, SimThread thread)
    {
        sleeper.PrepareToGoOn(HandOverTo(sleeper, thread));
        await thread.Ask(machine.CostOfWaking(thread.Cpu, sleeper), Step.WakeNewOwner, sleeper);

        // Only now: until the new owner is awake, the thread counts as holding a lock and cannot be killed.
        thread.LockDepth--;
    }

    void Sleep(SimThread thread)
    {
        Sleeps++;
        sleepers.Add(thread);
        thread.WaitFor(this);
    }
}
