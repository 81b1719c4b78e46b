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

    /// <summary>Switching a CPU from one thread to another.</summary>
    public Figure ContextSwitch()
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
        return switching.Less("measured here: sched_yield between two threads on one CPU, less that of one alone", alone, alone).Times(0.5);
    }

    /// <summary>Waking a thread on the same CPU and giving the CPU to it, one way of a round between two threads.</summary>
    public Figure HopOnOneCpu(Figure eventCalls) => Round(here, 0, Rounds).Times(0.5).Less(
        "", eventCalls);

    /// <summary>Waking a thread on a CPU that has been idle for so long: one way of a round between two threads that both work a while.</summary>
    public Figure HopToOther(double workMicros, Figure eventCalls) => Round(there, workMicros, DeepRounds).Times(0.5).Less(
        "", eventCalls, new Figure(workMicros * NanosPerMicro, workMicros * NanosPerMicro, workMicros * NanosPerMicro, ""));

    /// <summary>What the waker spends of that.</summary>
    public Figure WakerShare(double idleMicros, Figure eventCalls)
    {
        using var call = new Bell();
        using var answer = new Bell();
        bool ended = false;
        using var sleeper = PinnedThread.Start(there, () =>
        {
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

    private Figure Round(int cpu, double workMicros, int rounds)
    {
        using var call = new Bell();
        using var answer = new Bell();
        bool ended = false;
        using var partner = PinnedThread.Start(cpu, () =>
        {
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
        Figure figure = sampler.Each(here, rounds, () =>
        {
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
