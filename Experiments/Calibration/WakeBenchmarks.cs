using System.Diagnostics;
using Harness.Runtime.Native;

namespace Harness.Experiments.Calibration;

/// <summary>What it takes to wake a thread, by where it is and how long its CPU has been idle.</summary>
/// <param name="sampler">Repeats the measurements.</param>
/// <param name="here">The waker's CPU.</param>
/// <param name="there">Another CPU; the same on a machine of one.</param>
internal sealed class WakeBenchmarks(Sampler sampler, int here, int there)
{
    private const int Rounds = 2_000;
    private const int DeepRounds = 200;
    private const int Yields = 20_000;
    private const double NanosPerMicro = 1e3;
    private const double ShortWorkNanos = 2e3;

    /// <summary>Writing to an eventfd and reading from it when nobody waits: what the rounds below contain besides waking.</summary>
    public Figure EventCalls()
    {
        using var bell = new Bell();
        return sampler.Each(here, Rounds, () =>
        {
            bell.Ring();
            bell.Await();
        }, "");
    }

    /// <summary>Switching a CPU from one process to another: from thread to thread, and what another address space takes besides.</summary>
    public Figure ContextSwitch()
    {
        Figure threads = ThreadSwitch();
        using var process = PipePartner.Process(here);
        using var thread = PipePartner.Thread(here);
        Figure apart = sampler.Each(here, Rounds, process.Round, "");
        Figure together = sampler.Each(here, Rounds, thread.Round, "");
        // A round is two switches.
        Figure space = apart.Less("", together).Times(0.5);
        return threads.Plus(
            space,
            FormattableString.Invariant($"measured here: sched_yield between two threads on one CPU, less that of one alone, {threads.Nanos:0} ns, and ")
                + FormattableString.Invariant(
                    $"what a round through pipes to another process takes longer than one to another thread, {space.Nanos:0} ns a switch"));
    }

    /// <summary>Switching between two threads of this process and nothing else, as <see cref="HopOnOneCpu"/> does.</summary>
    public Figure ThreadSwitch()
    {
        Figure alone = sampler.Each(here, Yields, Yield, "");
        Figure switching = PinnedThread.RepeatDuring(here, Yield, () => sampler.Each(here, Yields, Yield, ""));
        // Each yield of a pair goes there and back: two switches, and the other's system call.
        return switching.Less("", alone, alone).Times(0.5);

        static void Yield() => _ = Libc.SchedYield();
    }

    /// <summary>
    /// Waking a thread on the same CPU and giving the CPU to it, one way of a round between two threads. Both are SCHED_BATCH, so that a woken
    /// thread never takes the CPU before the other sleeps: else only every second wake would be one.
    /// </summary>
    public Figure HopOnOneCpu(Figure eventCalls) => Round(here, 0, Rounds, waitsItsTurn: true).Times(0.5).Less(
        "", eventCalls);

    /// <summary>How long a thread that wakes another on its own CPU keeps the CPU if it goes on computing, the hop itself taken off.</summary>
    /// <returns>Null if it kept the CPU to the end.</returns>
    public Figure? PreemptionDelay(Figure hop, Figure eventCalls)
    {
        const double computesMicros = 2_000;
        const int rounds = 20;
        long ranAt = 0;
        using var sleeper = new BellPartner(here, () => Volatile.Write(ref ranAt, Stopwatch.GetTimestamp()));
        Figure figure = sampler.Batch(here, () =>
        {
            // Whoever else runs here now and then makes some rounds long.
            var delays = new double[rounds];
            for (int i = 0; i < rounds; i++)
            {
                long start = Stopwatch.GetTimestamp();
                sleeper.Ring();
                Sampler.Burn(computesMicros * NanosPerMicro);
                sleeper.AwaitAnswer();
                delays[i] = Sampler.Nanos(start, Volatile.Read(ref ranAt));
            }

            Array.Sort(delays);
            return delays[rounds / 2];
        }, "");
        return figure.Nanos >= computesMicros * NanosPerMicro
            ? null
            : figure.Less(
                "measured here: from waking a thread on the own CPU until it runs, the waker computing on, less waking and switching", hop, eventCalls);
    }

    /// <summary>Waking a thread on a CPU that has been idle for so long: one way of a round between two threads that both work a while.</summary>
    public Figure HopToOther(double workMicros, Figure eventCalls) => Round(there, workMicros, DeepRounds).Times(0.5).Less(
        "", eventCalls, new Figure(workMicros * NanosPerMicro, workMicros * NanosPerMicro, workMicros * NanosPerMicro, ""));

    /// <summary>From when the waker has woken a thread on a CPU that another keeps busy until that thread runs.</summary>
    public Figure HopToBusy(Figure eventCalls)
    {
        long ranAt = 0;
        using var sleeper = new BellPartner(there, () => Volatile.Write(ref ranAt, Stopwatch.GetTimestamp()));
        Figure figure = PinnedThread.RepeatDuring(there, static () => { }, () => sampler.Batch(here, () =>
        {
            var hops = new double[DeepRounds];
            for (int i = 0; i < DeepRounds; i++)
            {
                Sampler.Burn(ShortWorkNanos);
                sleeper.Ring();
                long rung = Stopwatch.GetTimestamp();
                sleeper.AwaitAnswer();
                // It may have run before the waker's call was over.
                hops[i] = Math.Max(0, Sampler.Nanos(rung, Volatile.Read(ref ranAt)));
            }

            Array.Sort(hops);
            return hops[DeepRounds / 2];
        }, ""));
        return figure.Less("", eventCalls.Times(0.5));
    }

    /// <summary>
    /// By how much single acts differ from what they mostly take: the middle half of them, as a share of the median. Of acts that are all alike
    /// likely up to a share away from their cost, the middle half spans just that share.
    /// </summary>
    /// <returns>Of waking a CPU that has been idle for some µs, from the ring until the thread runs; and of a round of two threads on one CPU.</returns>
    public (double WakeUps, double Work) Spreads(double idleMicros)
    {
        long ranAt = 0;
        using var far = new BellPartner(there, () => Volatile.Write(ref ranAt, Stopwatch.GetTimestamp()));
        using var near = new BellPartner(here, static () => { }, waitsItsTurn: true);
        return (
            Spread(() =>
            {
                Sampler.Burn(idleMicros * NanosPerMicro);
                long rung = Stopwatch.GetTimestamp();
                far.Round();
                return Sampler.Nanos(rung, Volatile.Read(ref ranAt));
            }),
            Spread(() =>
            {
                long start = Stopwatch.GetTimestamp();
                near.Round();
                return Sampler.Nanos(start, Stopwatch.GetTimestamp());
            }, waitsItsTurn: true));
    }

    /// <summary>The width of the middle half of what an act takes, as a share of the median; the median over batches.</summary>
    private double Spread(Func<double> act, bool waitsItsTurn = false) => sampler.Batch(
        here,
        () =>
        {
            var took = new double[DeepRounds];
            for (int i = 0; i < took.Length; i++)
            {
                took[i] = act();
            }

            Array.Sort(took);
            return (took[3 * took.Length / 4] - took[took.Length / 4]) / took[took.Length / 2];
        },
        "",
        waitsItsTurn).Nanos;

    /// <summary>What the waker spends of that.</summary>
    public Figure WakerShare(double idleMicros, Figure eventCalls) => WakerShare(there, idleMicros, eventCalls, waitsItsTurn: false);

    /// <summary>What a thread spends to wake another on its own CPU, which is SCHED_BATCH and does not take the CPU from it.</summary>
    public Figure WakerShareHere(Figure eventCalls) => WakerShare(here, 0, eventCalls, waitsItsTurn: true);

    private Figure WakerShare(int cpu, double idleMicros, Figure eventCalls, bool waitsItsTurn)
    {
        using var sleeper = new BellPartner(cpu, static () => { }, waitsItsTurn);
        Figure figure = sampler.Batch(here, () =>
        {
            double sum = 0;
            for (int i = 0; i < DeepRounds; i++)
            {
                Sampler.Burn(idleMicros * NanosPerMicro);
                long start = Stopwatch.GetTimestamp();
                sleeper.Ring();
                sum += Sampler.Nanos(start, Stopwatch.GetTimestamp());
                sleeper.AwaitAnswer();
            }

            return sum / DeepRounds;
        }, "");
        return figure.Less("", eventCalls.Times(0.5));
    }

    private Figure Round(int cpu, double workMicros, int rounds, bool waitsItsTurn = false)
    {
        using var partner = new BellPartner(cpu, Work, waitsItsTurn);
        return sampler.Each(
            here,
            rounds,
            () =>
            {
                Work();
                partner.Round();
            },
            "",
            waitsItsTurn);

        void Work() => Sampler.Burn(workMicros * NanosPerMicro);
    }
}
