using Harness.Simulation.Scheduling;

namespace Harness.Simulation.Machines;

/// <summary>The periodic load balancer, where threads stay together while a CPU is idle (<see cref="Packs"/>).</summary>
/// <remarks>
/// After kernel/sched/fair.c (<c>nohz_balancer_kick</c>, <c>sched_balance_rq</c>): at a tick an idle CPU looks whether another has more than
/// one thread, those that sleep and linger included. It takes one that waits and ran lately only if it has found such a CPU in vain at the
/// two ticks before (<c>cache_nice_tries</c>); a tick at which there is none makes it begin anew.
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
        if (Packs && !expectsBalance && idleCount > 0 && IsCrowdedSomewhere())
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

    bool IsCrowdedSomewhere()
    {
        foreach (SimCpu cpu in cpus)
        {
            if (cpu.Current is not null && (cpu.QueueLength > 0 || cpu.RunQueue.HasLingering))
            {
                return true;
            }
        }
        return false;
    }

    void PullTo(SimCpu idler, long tick)
    {
        if (!IsCrowdedSomewhere())
        {
            return;
        }
        idler.TriesInVain = idler.TriedAtTick == tick - 1 ? idler.TriesInVain : 0;
        idler.TriedAtTick = tick;
        if (FindWaiting(idler, alsoHot: idler.TriesInVain >= TriesInVain) is not { } found)
        {
            idler.TriesInVain++;
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
}
