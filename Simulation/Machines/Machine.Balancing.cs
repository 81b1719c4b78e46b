using Harness.Simulation.Scheduling;

namespace Harness.Simulation.Machines;

/// <summary>The periodic load balancer, where threads stay together while a CPU is idle (<see cref="Packs"/>).</summary>
/// <remarks>
/// After kernel/sched/fair.c (<c>nohz_balancer_kick</c>, <c>sched_balance_rq</c>): at a tick an idle CPU looks whether a thread waits behind
/// another somewhere. One that ran lately it takes only if it has found one in vain at the two ticks before (<c>cache_nice_tries</c>); a
/// tick at which nobody waits makes it begin anew. So threads that now and then wait for each other stay together for long, and those that
/// always do are soon apart.
/// </remarks>
public sealed partial class Machine
{
    /// <summary>A tick at 250 Hz.</summary>
    const long TickNanoseconds = 4_000_000;

    /// <summary>How many ticks in a row an idle CPU leaves hot threads where they are.</summary>
    const int TriesInVain = 2;

    static readonly Action<object?> Balanced = static machine => ((Machine)machine!).Balance();

    bool expectsBalance;

    /// <summary>Threads wait while a CPU is idle, or may do so: looks at the next tick. At others nobody would be found.</summary>
    void ExpectBalance()
    {
        if (Packs && !expectsBalance && idleCount > 0 && movableWaiting > 0)
        {
            expectsBalance = true;
            long tick = Scheduler.NowNanoseconds / TickNanoseconds + 1;
            Scheduler.Schedule(tick * TickNanoseconds, EventKind.Balance, 0, Balanced, this);
        }
    }

    void Balance()
    {
        expectsBalance = false;
        long tick = Scheduler.NowNanoseconds / TickNanoseconds;
        foreach (SimCpu cpu in cpus)
        {
            if (cpu.IsIdle)
            {
                PullTo(cpu, tick);
            }
        }
        ExpectBalance();
    }

    void PullTo(SimCpu idler, long tick)
    {
        if (FindWaiting(idler, alsoHot: true) is not { } found)
        {
            return;
        }
        idler.TriesInVain = idler.TriedAtTick == tick - 1 ? idler.TriesInVain : 0;
        SimThread candidate = found.Queue[found.Place];
        if (IsHot(candidate) && idler.TriesInVain < TriesInVain)
        {
            idler.TriesInVain++;
            idler.TriedAtTick = tick;
            return;
        }
        idler.TriesInVain = 0;
        SimCpu from = candidate.Cpu;
        from.CountCurrent();
        candidate.Share.Lag = found.Queue.LagOf(candidate, from.Current);
        found.Queue.RemoveAt(found.Place);
        idler.RunQueue.Place(candidate, null);
        LeaveIdle(idler, null);
    }
}
