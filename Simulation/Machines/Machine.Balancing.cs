using Harness.Simulation.Scheduling;

namespace Harness.Simulation.Machines;

/// <summary>The periodic load balancer, where threads stay together while a CPU is idle (<see cref="Packs"/>).</summary>
/// <remarks>
/// After kernel/sched/fair.c (<c>nohz_balancer_kick</c>, <c>sched_balance_rq</c>): at a tick an idle CPU looks whether another has more than
/// one thread, those that sleep and linger included. It takes one that waits and ran lately only if it has found such a CPU in vain twice
/// before (<c>can_migrate_task</c>: <c>nr_balance_failed</c> above <c>cache_nice_tries</c>), and after two times more also one that runs
/// (<c>imbalanced_active_balance</c>: above <c>cache_nice_tries + 2</c>; the kernel counts the look that is under way, too, and so comes to it a tick
/// earlier). A tick at which there is none does not count, since then nobody kicks it to look.
/// </remarks>
public sealed partial class Machine
{
    /// <summary>A tick at 250 Hz.</summary>
    const long TickNanoseconds = 4_000_000;

    /// <summary>
    /// After more looks in vain than this an idle CPU takes hot threads, too: <c>sched_domain::cache_nice_tries</c>, which is 1 for CPUs that share
    /// their last-level cache, and for those of a package (kernel/sched/topology.c, <c>sd_init</c>; it is 2 between nodes, which is not modelled).
    /// </summary>
    const int CacheNiceTries = 1;

    /// <summary>So many looks more have to be in vain until it takes a thread that runs (<c>imbalanced_active_balance</c>).</summary>
    const int ActiveBalanceTries = 2;

    static readonly Action<object?> Balanced = static machine => ((Machine)machine!).Balance();

    bool expectsBalance;

    /// <summary>Threads wait while a CPU is idle, or may do so: looks at the next tick. At others nobody would be found.</summary>
    void ExpectBalance()
    {
        if (Packs && !expectsBalance && idleCount > 0 && crowdedCount > 0)
        {
            expectsBalance = true;
            long tick = Scheduler.NowNanoseconds / TickNanoseconds + 1;
            Scheduler.Schedule(tick * TickNanoseconds, EventKind.Balance, 0, Balanced, this);
        }
    }

    void Balance()
    {
        expectsBalance = false;
        foreach (SimCpu cpu in cpus)
        {
            if (cpu.IsIdle)
            {
                PullTo(cpu);
            }
        }
        ExpectBalance();
    }

    void PullTo(SimCpu idler)
    {
        if (crowdedCount == 0)
        {
            return;
        }
        if (FindWaiting(idler, alsoHot: idler.TriesInVain > CacheNiceTries) is not { } found)
        {
            if (idler.TriesInVain++ > CacheNiceTries + ActiveBalanceTries && FindRunning(idler) is { } crowded)
            {
                idler.TriesInVain = 0;
                Push(crowded, idler);
            }
            return;
        }
        idler.TriesInVain = 0;
        SimThread candidate = found.Queue[found.Place];
        SimCpu from = candidate.Cpu;
        from.CountCurrent();
        candidate.Share.Lag = found.Queue.LagOf(candidate, from.Current);
        found.Queue.RemoveAt(found.Place);
        idler.RunQueue.Place(candidate, null);
        LeaveIdle(idler, null);
    }

    /// <summary>A CPU with more than one thread, whose current one may run on the idle CPU and can be stopped now: in the kernel it cannot.</summary>
    SimCpu? FindRunning(SimCpu idler)
    {
        foreach (SimCpu cpu in cpus)
        {
            if (cpu.IsCrowded && cpu.Current is { IsWorking: true, IsPreemptible: true } current && current.Affinity.Contains(idler.Id))
            {
                return cpu;
            }
        }
        return null;
    }

    /// <summary>Moves what runs on a CPU to an idle one, as the stopper thread does (<c>active_load_balance_cpu_stop</c>).</summary>
    void Push(SimCpu from, SimCpu idler)
    {
        SimThread thread = from.Current!;
        thread.StopWorking();
        thread.LastRanAt = Scheduler.NowNanoseconds;
        thread.BecomeRunnable();
        from.CountCurrent();
        thread.Share.Lag = from.RunQueue.LagOf(thread, thread);
        idler.RunQueue.Place(thread, null);
        LeaveIdle(idler, from);
        Dispatch(from);
    }
}
