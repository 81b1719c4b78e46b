namespace Harness.Simulation.Machines;

/// <summary>
/// Data that several CPUs write, such as a counter or the head of a list: one cache line, or a few that travel together. Whoever touches it
/// waits for it to come from the CPU that touched it last, and, if others do so at the same time, for its turn.
/// </summary>
/// <param name="machine">The machine it is in.</param>
/// <param name="lines">How many lines travel, one after another.</param>
public sealed class SimCacheLine(Machine machine, int lines = 1)
{
    SimCpu? last;
    long freeAt;

    /// <summary>Charges the thread, which must be running, for touching the data.</summary>
    public void Touch(SimThread thread)
    {
        ArgumentNullException.ThrowIfNull(thread);
        thread.Charge(CostOfTouch(thread.Cpu));
    }

    /// <summary>A CPU has come to have the data without anybody's waiting for it here: it was allocated there, or polls it.</summary>
    public void MoveTo(SimCpu cpu) => last = cpu;

    /// <summary>Moves the data to a CPU; returns how long the CPU waits for it.</summary>
    internal long CostOfTouch(SimCpu cpu)
    {
        long now = machine.Scheduler.NowNanoseconds + machine.Scheduler.Charged;
        freeAt = Math.Max(now, freeAt) + lines * LockRules.TakeFree(machine, last, cpu);
        last = cpu;
        return freeAt - now;
    }
}
