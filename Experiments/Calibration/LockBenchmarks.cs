using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Harness.Experiments.Calibration;

/// <summary>What it takes to have a cache line, and a lock in one, when another CPU had it last.</summary>
/// <param name="sampler">Repeats the measurements.</param>
/// <param name="here">One CPU.</param>
/// <param name="there">Another.</param>
internal sealed class LockBenchmarks(Sampler sampler, int here, int there)
{
    private const int Rounds = 20_000;

    // So often the other CPU looks for a change before it looks whether the measurement is over: that costs nothing then, and takes microseconds.
    private const int Looks = 1_000;

    /// <summary>Taking a free lock that this CPU held last.</summary>
    public Figure Uncontended()
    {
        var ticket = new TicketLock();
        return sampler.Each(here, Rounds, ticket.Pass, "measured here: a ticket lock that one CPU takes and releases");
    }

    /// <summary>A cache line that the other CPU has just changed.</summary>
    public Figure LineTransfer()
    {
        var line = new PaddedCounter();
        Figure round = PinnedThread.RepeatDuring(there, () => Follow(ref line), () => sampler.Batch(here, () =>
        {
            long start = Stopwatch.GetTimestamp();
            long first = Volatile.Read(ref line.Value);
            for (long next = first; next < first + (2 * Rounds); next += 2)
            {
                Volatile.Write(ref line.Value, next + 1);
                while (Volatile.Read(ref line.Value) != next + 2)
                {
                }
            }

            return Sampler.Nanos(start, Stopwatch.GetTimestamp()) / Rounds;
        }, "measured here: a cache line that two CPUs change in turn, one way"));
        return round.Times(0.5);
    }

    /// <summary>From the release of a lock that others wait for until the next has it.</summary>
    public Figure HandOver()
    {
        var ticket = new TicketLock();
        return PinnedThread.RepeatDuring(there, ticket.Pass, () => sampler.Batch(here, () =>
        {
            long before = ticket.Passed;
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < Rounds; i++)
            {
                ticket.Pass();
            }

            return Sampler.Nanos(start, Stopwatch.GetTimestamp()) / (ticket.Passed - before);
        }, "measured here: a ticket lock that two CPUs take in turn, per acquisition"));
    }

    /// <summary>Makes odd values even as soon as they come, for a while.</summary>
    private static void Follow(ref PaddedCounter line)
    {
        for (int i = 0; i < Looks; i++)
        {
            long value = Volatile.Read(ref line.Value);
            if (value % 2 == 1)
            {
                Volatile.Write(ref line.Value, value + 1);
            }
        }
    }

    /// <summary>A counter alone in its cache line, and in the one that a prefetcher takes along.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct PaddedCounter
    {
        [FieldOffset(128)]
        public long Value;
    }

    private sealed class TicketLock
    {
        private PaddedCounter _next;
        private PaddedCounter _serving;

        public long Passed => Volatile.Read(ref _serving.Value);

        public void Pass()
        {
            long mine = Interlocked.Increment(ref _next.Value) - 1;
            while (Volatile.Read(ref _serving.Value) != mine)
            {
            }

            Volatile.Write(ref _serving.Value, mine + 1);
        }
    }
}
