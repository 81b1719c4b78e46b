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
        bool ended = false;
        using var partner = PinnedThread.Start(there, () => Follow(ref line, ref ended));
        Figure round = sampler.Batch(here, () =>
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
        }, "measured here: a cache line that two CPUs change in turn, one way");
        Volatile.Write(ref ended, true);
        partner.Join();
        return round.Times(0.5);
    }

    /// <summary>From the release of a lock that others wait for until the next has it.</summary>
    public Figure HandOver()
    {
        var ticket = new TicketLock();
        bool ended = false;
        using var rival = PinnedThread.Start(there, () =>
        {
            while (!Volatile.Read(ref ended))
            {
                ticket.Pass();
            }
        });
        Figure each = sampler.Batch(here, () =>
        {
            long before = ticket.Passed;
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < Rounds; i++)
            {
                ticket.Pass();
            }

            return Sampler.Nanos(start, Stopwatch.GetTimestamp()) / (ticket.Passed - before);
        }, "measured here: a ticket lock that two CPUs take in turn, per acquisition");
        Volatile.Write(ref ended, true);
        rival.Join();
        return each;
    }

    private static void Follow(ref PaddedCounter line, ref bool ended)
    {
        while (!Volatile.Read(ref ended))
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
