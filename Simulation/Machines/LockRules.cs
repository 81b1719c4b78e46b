namespace Harness.Simulation.Machines;

/// <summary>A lock that somebody can be seen to hold.</summary>
interface ISimLock
{
    /// <summary>The thread that holds it alone, if one does.</summary>
    SimThread? Owner { get; }

    /// <summary>Whoever holds it, for a report.</summary>
    string? HeldBy { get; }
}

/// <summary>What all locks have in common.</summary>
static class LockRules
{
    /// <summary>The transfer of the lock's cache line from where it was held last.</summary>
    public static long TakeFree(Machine machine, SimCpu? lastHeldOn, SimCpu cpu) => lastHeldOn is null || lastHeldOn == cpu
        ? machine.Costs.LockSameCpu.Nanoseconds
        : machine.Distances.LockTake(lastHeldOn.Node.Id, cpu.Node.Id);

    public static long HandOver(Machine machine, SimCpu from, SimCpu to, int stillSpinning) => from == to
        ? machine.Costs.LockSameCpu.Nanoseconds
        : machine.Distances.HandOver(from.Node.Id, to.Node.Id) + stillSpinning * machine.Costs.HandOverPerWaiter.Nanoseconds;

    public static void DemandOwner(ISimLock simLock, SimThread thread)
    {
        ArgumentNullException.ThrowIfNull(thread);
        thread.DemandExecuting();
        if (simLock.Owner != thread)
        {
            throw new InvalidOperationException($"{thread} releases {simLock}, which it does not hold.");
        }
    }

    public static void RefuseOwner(ISimLock simLock, SimThread thread)
    {
        if (simLock.Owner == thread)
        {
            throw new InvalidOperationException($"{thread} takes {simLock} again, which it holds already: it would wait for itself.");
        }
    }
}
