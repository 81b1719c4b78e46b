using System.Diagnostics;
using Harness.Runtime;
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
    private const int PlacementRounds = 500;

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
        Figure threads = SwitchOfThreads();
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

    private Figure SwitchOfThreads()
    {
        Figure alone = sampler.Each(here, Yields, static () => _ = Libc.SchedYield(), "");
        bool ended = false;
        using var other = PinnedThread.Start(here, () =>
        {
            while (!Volatile.Read(ref ended))
            {
                _ = Libc.SchedYield();
            }
        });
        Figure switching = sampler.Each(here, Yields, static () => _ = Libc.SchedYield(), "");
        Volatile.Write(ref ended, true);
        other.Join();
        // Each yield of a pair goes there and back: two switches, and the other's system call.
        return switching.Less("", alone, alone).Times(0.5);
    }

    /// <summary>
    /// Waking a thread on the same CPU and giving the CPU to it, one way of a round between two threads. Both are SCHED_BATCH, so that a woken
    /// thread never takes the CPU before the other sleeps: else only every second wake would be one.
    /// </summary>
    public Figure HopOnOneCpu(Figure eventCalls) => Round(here, 0, Rounds, waitsItsTurn: true).Times(0.5).Less(
        "", eventCalls);

    /// <summary>Switching between two threads of this process and nothing else, as <see cref="HopOnOneCpu"/> does.</summary>
    public Figure ThreadSwitch() => SwitchOfThreads();

    /// <summary>How long a thread that wakes another on its own CPU keeps the CPU if it goes on computing, the hop itself taken off.</summary>
    /// <returns>Null if it kept the CPU to the end.</returns>
    public Figure? PreemptionDelay(Figure hop, Figure eventCalls)
    {
        const double computesMicros = 2_000;
        const int rounds = 20;
        using var call = new Bell();
        using var answer = new Bell();
        bool ended = false;
        long ranAt = 0;
        using var sleeper = PinnedThread.Start(here, () =>
        {
            while (true)
            {
                call.Await();
                Volatile.Write(ref ranAt, Stopwatch.GetTimestamp());
                if (Volatile.Read(ref ended))
                {
                    return;
                }

                answer.Ring();
            }
        });
        Figure figure = sampler.Batch(here, () =>
        {
            // Whoever else runs here now and then makes some rounds long.
            var delays = new double[rounds];
            for (int i = 0; i < rounds; i++)
            {
                long start = Stopwatch.GetTimestamp();
                call.Ring();
                Sampler.Burn(computesMicros * NanosPerMicro);
                answer.Await();
                delays[i] = Sampler.Nanos(start, Volatile.Read(ref ranAt));
            }

            Array.Sort(delays);
            return delays[rounds / 2];
        }, "");
        Volatile.Write(ref ended, true);
        call.Ring();
        sleeper.Join();
        return figure.Nanos >= computesMicros * NanosPerMicro
            ? null
            : figure.Less(
                "measured here: from waking a thread on the own CPU until it runs, the waker computing on, less waking and switching", hop, eventCalls);
    }

    /// <summary>
    /// Where a thread that may run anywhere wakes up while one CPU is idle: the share of wake-ups on its waker's CPU, of those before which it
    /// was there, and of those before which it was on the other, which is idle.
    /// </summary>
    public (double Stays, double Comes) WakesOnWakersCpu()
    {
        var wakes = new long[2, 2];
        foreach (int first in (int[])[here, there])
        {
            Count(first, wakes);
        }

        return (Share(wakes[0, 0], wakes[0, 1]), Share(wakes[1, 0], wakes[1, 1]));

        static double Share(long some, long others) => some / Math.Max(1.0, some + others);
    }

    /// <summary>Counts wake-ups by where the thread was before, and after: 0 is the waker's CPU.</summary>
    private void Count(int first, long[,] wakes)
    {
        using var call = new Bell();
        using var answer = new Bell();
        using var place = new NativeBuffer(2 * sizeof(long));
        bool ended = false;
        bool isFirst = true;
        using var sleeper = PinnedThread.StartAnywhere(() =>
        {
            CpuSet anywhere = ThreadPlacement.Allowed();
            int before = 0;
            while (true)
            {
                call.Await();
                if (Volatile.Read(ref ended))
                {
                    return;
                }

                Libc.Syscall(CallBenchmarks.Numbers.Getcpu, place.Address, 0, 0, 0, 0, 0);
                int now = System.Runtime.InteropServices.MemoryMarshal.Read<int>(place.GetSpan()) == here ? 0 : 1;
                if (Volatile.Read(ref isFirst))
                {
                    // Begins where it is to begin.
                    ThreadPlacement.TryPin(new CpuSet([first]));
                    ThreadPlacement.TryPin(anywhere);
                    now = first == here ? 0 : 1;
                    Volatile.Write(ref isFirst, false);
                }
                else
                {
                    wakes[before, now]++;
                }

                before = now;
                Sampler.Burn(ShortWorkNanos);
                answer.Ring();
            }
        });
        sampler.Batch(here, () =>
        {
            Volatile.Write(ref isFirst, true);
            for (int i = 0; i < PlacementRounds; i++)
            {
                Sampler.Burn(ShortWorkNanos);
                call.Ring();
                answer.Await();
            }

            return 0;
        }, "");
        Volatile.Write(ref ended, true);
        call.Ring();
        sleeper.Join();
    }

    /// <summary>Waking a thread on a CPU that has been idle for so long: one way of a round between two threads that both work a while.</summary>
    public Figure HopToOther(double workMicros, Figure eventCalls) => Round(there, workMicros, DeepRounds).Times(0.5).Less(
        "", eventCalls, new Figure(workMicros * NanosPerMicro, workMicros * NanosPerMicro, workMicros * NanosPerMicro, ""));

    /// <summary>From when the waker has woken a thread on a CPU that another keeps busy until that thread runs.</summary>
    public Figure HopToBusy(Figure eventCalls)
    {
        using var call = new Bell();
        using var answer = new Bell();
        bool ended = false;
        long ranAt = 0;
        using var sleeper = PinnedThread.Start(there, () =>
        {
            while (!Volatile.Read(ref ended))
            {
                call.Await();
                Volatile.Write(ref ranAt, Stopwatch.GetTimestamp());
                answer.Ring();
            }
        });
        using var busy = PinnedThread.Start(there, () =>
        {
            while (!Volatile.Read(ref ended))
            {
            }
        });
        Figure figure = sampler.Batch(here, () =>
        {
            var hops = new double[DeepRounds];
            for (int i = 0; i < DeepRounds; i++)
            {
                Sampler.Burn(ShortWorkNanos);
                call.Ring();
                long rung = Stopwatch.GetTimestamp();
                answer.Await();
                // It may have run before the waker's call was over.
                hops[i] = Math.Max(0, Sampler.Nanos(rung, Volatile.Read(ref ranAt)));
            }

            Array.Sort(hops);
            return hops[DeepRounds / 2];
        }, "");
        Volatile.Write(ref ended, true);
        call.Ring();
        sleeper.Join();
        busy.Join();
        return figure.Less("", eventCalls.Times(0.5));
    }

    /// <summary>What the waker spends of that.</summary>
    public Figure WakerShare(double idleMicros, Figure eventCalls) => WakerShare(there, idleMicros, eventCalls, waitsItsTurn: false);

    /// <summary>What a thread spends to wake another on its own CPU, which is SCHED_BATCH and does not take the CPU from it.</summary>
    public Figure WakerShareHere(Figure eventCalls) => WakerShare(here, 0, eventCalls, waitsItsTurn: true);

    private Figure WakerShare(int cpu, double idleMicros, Figure eventCalls, bool waitsItsTurn)
    {
        using var call = new Bell();
        using var answer = new Bell();
        bool ended = false;
        using var sleeper = PinnedThread.Start(cpu, () =>
        {
            if (waitsItsTurn)
            {
                PinnedThread.WaitItsTurn();
            }

            while (true)
            {
                call.Await();
                if (Volatile.Read(ref ended))
                {
                    return;
                }

                answer.Ring();
            }
        });
        Figure figure = sampler.Batch(here, () =>
        {
            double sum = 0;
            for (int i = 0; i < DeepRounds; i++)
            {
                Sampler.Burn(idleMicros * NanosPerMicro);
                long start = Stopwatch.GetTimestamp();
                call.Ring();
                sum += Sampler.Nanos(start, Stopwatch.GetTimestamp());
                answer.Await();
            }

            return sum / DeepRounds;
        }, "");
        Volatile.Write(ref ended, true);
        call.Ring();
        sleeper.Join();
        return figure.Less("", eventCalls.Times(0.5));
    }

    private Figure Round(int cpu, double workMicros, int rounds, bool waitsItsTurn = false)
    {
        using var call = new Bell();
        using var answer = new Bell();
        bool ended = false;
        using var partner = PinnedThread.Start(cpu, () =>
        {
            if (waitsItsTurn)
            {
                PinnedThread.WaitItsTurn();
            }

            while (true)
            {
                call.Await();
                if (Volatile.Read(ref ended))
                {
                    return;
                }

                Sampler.Burn(workMicros * NanosPerMicro);
                answer.Ring();
            }
        });
        bool isPolite = !waitsItsTurn;
        Figure figure = sampler.Each(here, rounds, () =>
        {
            if (!isPolite)
            {
                isPolite = true;
                PinnedThread.WaitItsTurn();
            }


            Sampler.Burn(workMicros * NanosPerMicro);
            call.Ring();
            answer.Await();
        }, "");
        Volatile.Write(ref ended, true);
        call.Ring();
        partner.Join();
        return figure;
    }

    /// <summary>An eventfd.</summary>
    private sealed class Bell : IDisposable
    {
        private const int WordBytes = 8;

        private readonly NativeBuffer _word = new(2 * WordBytes);
        private readonly int _fd = Libc.EventFd(0, 0);

        public Bell() => _word.GetSpan()[0] = 1;

        public void Ring() => Libc.Syscall(Conformance.SystemCall.Write, _fd, _word.Address, WordBytes, 0, 0, 0);

        public void Await() => Libc.Syscall(Conformance.SystemCall.Read, _fd, _word.Address + WordBytes, WordBytes, 0, 0, 0);

        public void Dispose()
        {
            Libc.Close(_fd);
            ((IDisposable)_word).Dispose();
        }
    }
}
