using System.Numerics;
using Harness.Simulation.Chance;

namespace Harness.Simulation.Machines;

/// <summary>On which CPU a thread begins, and on which it wakes up.</summary>
public sealed partial class Machine
{
    /// <summary>
    /// A thread stays with a waker that runs for less than this between two sleeps. Like the next two it lies within what was measured with
    /// threads that wake each other while another CPU is idle, and which has no sharp edges (docs/simulator.md, "The rules").
    /// </summary>
    const long LongRunNanoseconds = 350_000;

    /// <summary>A thread whose CPU has been idle for less than this comes to its waker's CPU ...</summary>
    const long JustIdleNanoseconds = 10_000;

    /// <summary>... if the waker runs for less than this between two sleeps.</summary>
    const long ShortRunNanoseconds = 40_000;

    readonly SimRandom placement;
    readonly ulong[] idle;
    readonly SimNode[][] nearestNodes;
    int idleCount;

    /// <summary>Whether a thread that wakes up goes to its waker's CPU, where nobody waits.</summary>
    bool JoinsWaker(SimCpu last, SimCpu waker)
    {
        if (Description.Wakes != WakePlacement.Last)
        {
            return Description.Wakes == WakePlacement.Waker;
        }
        waker.CountCurrent();
        long run = waker.Current?.Share.ExpectedRun ?? 0;
        return waker == last
            ? run < LongRunNanoseconds
            : last.IsIdle && Scheduler.NowNanoseconds - last.IdleSince < JustIdleNanoseconds && run < ShortRunNanoseconds;
    }

    /// <summary>Whether the scheduler leaves threads together on a CPU while another is idle.</summary>
    bool Packs => Description.Wakes != WakePlacement.Idle;

    /// <summary>
    /// Where a thread that wakes up runs: on its waker's CPU, if the machine's scheduler packs so (<see cref="WakePlacement"/>) and nobody waits
    /// there; on its last CPU if that is idle, else on the nearest idle CPU, else on its last CPU, or, if it may not run there any more, on the
    /// allowed CPU with the fewest waiting.
    /// </summary>
    SimCpu Select(SimThread thread, SimCpu? waker)
    {
        SimCpu last = thread.Cpu;
        if (Packs && thread.Share.Lingers)
        {
            return last;
        }
        if (waker is { QueueLength: 0 } && thread.IsMovable && thread.Affinity.Contains(waker.Id) && JoinsWaker(last, waker))
        {
            return waker;
        }
        bool lastAllowed = thread.Affinity.Contains(last.Id);
        if (lastAllowed && (last.IsIdle || !thread.IsMovable))
        {
            return last;
        }
        if (idleCount > 0 && FindIdle(thread.Affinity, last.Node) is { } found)
        {
            return found;
        }
        return lastAllowed ? last : FindShortestQueue(thread.Affinity);
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
