namespace Harness.Simulation.Machines;

/// <summary>
/// Threads that share a CPU with others as if they were one thread: those of a session (kernel/sched/autogroup.c). Threads of one group also
/// wait for one another on a run queue of their own.
/// </summary>
public sealed class AutoGroup
{
    /// <summary>A group that hardly uses a CPU counts there for a tenth of a thread and not less.</summary>
    const double SlowestShare = 0.1;

    readonly List<SimThread> threads = [];

    internal void Add(SimThread thread) => threads.Add(thread);

    internal void Remove(SimThread thread) => threads.Remove(thread);

    /// <summary>
    /// How fast a thread's virtual time passes while it runs, against the clock. A group has one thread's weight in all, which it spreads over
    /// CPUs as it uses them (<c>calc_group_shares</c>, by load there), and on each its threads share what it has there.
    /// </summary>
    internal double VirtualRate(SimThread runner, long now)
    {
        (double here, double all) = (0, 0);
        foreach (SimThread thread in threads)
        {
            if (!thread.IsRunning)
            {
                thread.Utilization.Count(now, isUsed: false);
            }
            double used = thread.Utilization.Value;
            all += used;
            here += thread.Cpu == runner.Cpu ? used : 0;
        }
        int runnable = 1 + runner.Cpu.RunQueue.CountOf(this);
        return here > 0 ? runnable * Math.Min(1 / SlowestShare, all / here) : runnable;
    }
}
