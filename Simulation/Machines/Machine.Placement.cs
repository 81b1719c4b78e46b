using System.Numerics;
using Harness.Simulation.Chance;

namespace Harness.Simulation.Machines;

/// <summary>On which CPU a thread begins, and on which it wakes up.</summary>
public sealed partial class Machine
{
    readonly SimRandom placement;
    readonly ulong[] idle;
    readonly SimNode[][] nearestNodes;
    int idleCount;

    /// <summary>Whether the scheduler leaves threads together on a CPU while another is idle.</summary>
    internal bool Packs => Description.Wakes != WakePlacement.Idle;

    /// <summary>
    /// Where a thread that wakes up runs: on its waker's CPU, if the machine's scheduler packs so (<see cref="WakePlacement"/>) and nobody waits
    /// there; on its last CPU if that is idle, else on an idle one, else on its last CPU, or, if it may not run there any more, on the
    /// allowed CPU with the fewest waiting.
    /// </summary>
    SimCpu Select(SimThread thread, SimCpu? waker)
    {
        SimCpu last = thread.Cpu;
        if (Packs && thread.Share.Stays)
        {
            return last;
        }
        if (JoinsWaker(thread, waker))
        {
            return waker!;
        }
        bool lastAllowed = thread.Affinity.Contains(last.Id);
        if (lastAllowed && (last.IsIdle || !thread.IsMovable))
        {
            return last;
        }
        if (lastAllowed && Description.Wakes == WakePlacement.Packed)
        {
            // It looks at one CPU and no further (select_idle_sibling; select_idle_cpu gives up where so much is used as here).
            return thread.RecentCpu.IsIdle && thread.Affinity.Contains(thread.RecentCpu.Id) ? thread.RecentCpu : last;
        }
        if (idleCount > 0 && FindIdle(thread.Affinity, last.Node) is { } found)
        {
            return found;
        }
        return lastAllowed ? last : FindShortestQueue(thread.Affinity);
    }

    /// <summary>Whether a thread that wakes up comes to its waker's CPU, or stays there.</summary>
    bool JoinsWaker(SimThread thread, SimCpu? waker) =>
        Packs && waker is { QueueLength: 0 } && thread.IsMovable && thread.Affinity.Contains(waker.Id)
        && (Description.Wakes == WakePlacement.Waker || HasRoom(waker, thread));

    /// <summary>
    /// Whether a CPU that runs one thread has room for another, which was there or whose CPU is idle and would have to be woken: by what has been
    /// used there and by what is expected, as <c>cpu_util</c> of kernel/sched/fair.c takes the greater of the two.
    /// </summary>
    bool HasRoom(SimCpu cpu, SimThread thread)
    {
        cpu.CountCurrent();
        thread.Utilization.Count(Scheduler.NowNanoseconds, isUsed: false);
        double used = cpu.Utilization.Value + (thread.Cpu == cpu ? 0 : thread.Utilization.Value);
        double expected = thread.Estimate.Value + (cpu.Current?.Estimate.Value ?? 0);
        return (thread.Cpu == cpu || thread.Cpu.IsIdle) && Math.Max(used, expected) < Description.Packing.Room;
    }

    /// <summary>A thread that was to go elsewhere, and went or found no idle CPU, remembers where it was.</summary>
    void NoteRecent(SimThread thread, SimCpu to, SimCpu? waker)
    {
        bool stays = thread.Share.Stays || !thread.IsMovable || (to == thread.Cpu && (to.IsIdle || JoinsWaker(thread, waker)));
        if (Packs && !stays)
        {
            thread.RecentCpu = thread.Cpu;
        }
    }

    /// <summary>
    /// Where a new thread begins: where the fewest run or wait (<c>sched_balance_find_dst_cpu</c>), and of equals anywhere: what decides there is
    /// not in the model, so it is drawn. It matters only where threads stay where they are.
    /// </summary>
    SimCpu FindLeastLoaded(CpuSet affinity)
    {
        static int Load(SimCpu cpu) => cpu.QueueLength + (cpu.Current is null ? 0 : 1);
        SimCpu[] allowed = [.. cpus.Where(cpu => affinity.Contains(cpu.Id))];
        int least = allowed.Min(Load);
        SimCpu[] equals = [.. allowed.Where(cpu => Load(cpu) == least)];
        return equals[placement.Next(equals.Length)];
    }

    SimCpu FindShortestQueue(CpuSet affinity) => cpus.Where(cpu => affinity.Contains(cpu.Id)).MinBy(cpu => cpu.QueueLength)!;

    SimCpu? FindIdle(CpuSet affinity, SimNode near)
    {
        ReadOnlySpan<ulong> allowed = affinity.Words;
        foreach (SimNode node in nearestNodes[near.Id])
        {
            ReadOnlySpan<ulong> here = node.Cpus.Words;
            int words = Math.Min(allowed.Length, here.Length);
            for (int word = 0; word < words; word++)
            {
                ulong candidates = idle[word] & here[word] & allowed[word];
                if (candidates != 0)
                {
                    return cpus[64 * word + BitOperations.TrailingZeroCount(candidates)];
                }
            }
        }
        return null;
    }
}
