namespace Harness.Simulation.Machines;

/// <content>How much of a CPU the thread uses, as a scheduler that packs threads counts it.</content>
public sealed partial class SimThread
{
    /// <summary>Whom it shares CPUs with as one.</summary>
    internal AutoGroup Group { get; }

    /// <summary>How fast its virtual time passes while it runs, against the clock.</summary>
    internal double VirtualRate { get; private set; } = 1;

    /// <summary>How much of a CPU it uses. A field, since it is a struct that others change.</summary>
    internal Utilization Utilization;

    /// <summary>How much it is expected to use when it has slept. A field, as above.</summary>
    internal UtilizationEstimate Estimate;

    /// <summary>How much of the time it runs or waits to run (<c>runnable_avg</c>).</summary>
    Utilization runnable;

    /// <summary>From now on it runs or waits to run.</summary>
    internal void EndSleep()
    {
        if (Machine.Packs && Sleeps)
        {
            runnable.Count(Machine.Scheduler.NowNanoseconds, isUsed: false);
        }
        BecomeRunnable();
    }

    /// <summary>It leaves its CPU to sleep; what it has had of that is counted.</summary>
    internal void BeginSleep()
    {
        if (Machine.Packs)
        {
            long now = Machine.Scheduler.NowNanoseconds;
            runnable.Count(now, isUsed: true);
            Estimate.Look(now, Utilization.Value, runnable.Value);
        }
    }

    /// <summary>It comes to run: so far it was asleep or waited, but for that part of the way out of idleness that counts as use.</summary>
    void TakeUtilizationTo(SimCpu cpu)
    {
        long now = Machine.Scheduler.NowNanoseconds;
        long from = cpu.UsedFrom ?? now;
        cpu.Utilization.Count(from, isUsed: false);
        Utilization.Count(from, isUsed: false);
        if (cpu.UsedFrom is not null)
        {
            // An idle CPU puts the thread on its run queue itself, as else its waker does, and leaves its idle thread while it waits.
            runnable.Count(from - Machine.Costs.WakeSameCpu.Nanoseconds - Machine.Costs.ContextSwitch.Nanoseconds, isUsed: false);
        }
        if (cpu != Cpu)
        {
            Cpu.CountCurrent();
            Cpu.Utilization.Count(now, isUsed: false);
            Cpu.Utilization.Add(-Utilization.Value);
            cpu.Utilization.Add(Utilization.Value);
            Utilization.Move();
            runnable.Move();
        }
        cpu.Utilization.Count(now, isUsed: true);
        Utilization.Count(now, isUsed: true);
        cpu.UsedFrom = null;
    }
}
