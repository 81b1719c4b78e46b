using System.Diagnostics;
using System.Runtime.InteropServices;
using Harness.Results.Statistics;
using Harness.Runtime;
using Harness.Runtime.Native;

namespace Harness.Experiments.Calibration;

/// <summary>
/// How full the scheduler lets a CPU become before it wakes threads elsewhere: what a thread does that may run anywhere while it and another
/// process, which stays on one CPU, wake each other by eventfds.
/// </summary>
/// <remarks>
/// Such a pair uses all of a CPU that it shares, and what the kernel counts as used rises with the half-life of its mean, until the thread
/// leaves. What the kernel counts is computed here as the kernel does it, from the CPU time that both have had: a mean that is taken anew at the
/// end of each period of 1.05 ms (kernel/sched/pelt.c). The thread leaves at the first one that is too high, so the bound is taken between
/// that and the one before.
/// </remarks>
/// <param name="sampler">Repeats the measurement.</param>
/// <param name="here">Where the thread is at first.</param>
/// <param name="there">The other process's CPU.</param>
internal sealed class PackingBenchmark(Sampler sampler, int here, int there)
{
    private const double HalfLifeNanos = 1 << 25;
    private const double Calm = 250e6;
    private const double LocalMax = 400e6;
    private const double RemoteFor = 60e6;
    private const double PeriodNanos = 1 << 20;

    private readonly List<double> _counted = [];

    /// <summary>What was seen, shares of a CPU.</summary>
    /// <param name="Room">As much of it was used when the thread left its partner's CPU; 1 if it stayed, 0 if it never came there.</param>
    /// <param name="Counted">So much of a CPU's way out of idleness is CPU time of the thread that is woken.</param>
    internal sealed record Result(double Room, double Counted);

    /// <summary>Measures it; medians of all batches.</summary>
    /// <param name="interruptNanos">What it costs a waker that the woken CPU idles.</param>
    public Result Measure(double interruptNanos)
    {
        Figure room = sampler.Batch(here, () => Trial(interruptNanos), "");
        // The first batch compiles the code.
        return new Result(room.Nanos, Summary.MedianOf(_counted.Skip(1).DefaultIfEmpty()));
    }

    /// <summary>One time from calm to leaving. Returns how much was used when the thread left.</summary>
    private double Trial(double interruptNanos)
    {
        using var partner = new BellProcess(there);
        using var pair = new Pair(partner, there);
        pair.Sleep(Calm);
        ThreadPlacement.TryPin(new CpuSet([here, there]));
        try
        {
            pair.Start();
            if (!pair.RoundsUntil(isTogether: true, RemoteFor))
            {
                return 0;
            }

            pair.Mark();
            if (!pair.RoundsUntil(isTogether: false, LocalMax))
            {
                return 1;
            }

            double room = pair.Used;
            (double _, double near) = pair.SinceMark();
            pair.Mark();
            pair.RoundsUntil(isTogether: true, RemoteFor);
            (double wall, double far) = pair.SinceMark();
            // Either way of a round on two CPUs takes what half a round on one takes, the interrupt, and the way out of idleness.
            double exit = ((wall - near) / 2) - interruptNanos;
            double counted = ((far - near) / 2) - interruptNanos;
            _counted.Add(exit > 0 ? Math.Clamp(counted / exit, 0, 1) : 0);
            return room;
        }
        finally
        {
            ThreadPlacement.TryPin(new CpuSet([here]));
        }
    }

    /// <summary>The thread and its partner, and what both have used.</summary>
    private sealed class Pair(BellProcess partner, int cpu) : IDisposable
    {
        private const long ThreadClock = 3;
        private const long ProcessClockBits = 2;
        private const int PidShift = 3;
        private const double NanosPerSecond = 1e9;

        private readonly NativeBuffer _words = new(2 * sizeof(long));
        private readonly long _partnerClock = (~(long)partner.Id << PidShift) | ProcessClockBits;
        private double _now;
        private double _cpuTime;
        private double _used;
        private double _last;
        private double _lastButOne;
        private double _markedAt;
        private double _markedCpuTime;
        private long _rounds;

        /// <summary>How much of a CPU both use, as the kernel counts it: between the last two means.</summary>
        public double Used => (_last + _lastButOne) / 2;

        /// <summary>Begins to count.</summary>
        public void Start() => (_now, _cpuTime, _used, _last, _lastButOne) = (Now(), CpuTime(), 0, 0, 0);

        /// <summary>Begins a stretch for <see cref="SinceMark"/>.</summary>
        public void Mark() => (_markedAt, _markedCpuTime, _rounds) = (_now, _cpuTime, 0);

        /// <summary>What a round has taken since <see cref="Mark"/>, in all and of CPU time.</summary>
        public (double Wall, double Cpu) SinceMark() => ((_now - _markedAt) / Math.Max(1, _rounds), (_cpuTime - _markedCpuTime) / Math.Max(1, _rounds));

        /// <summary>Makes rounds until the thread is, or is no longer, on its partner's CPU. Returns whether it came to that in time.</summary>
        public bool RoundsUntil(bool isTogether, double nanos)
        {
            double end = _now + nanos;
            // A single round elsewhere is somebody else's doing.
            int inARow = 0;
            while (_now < end)
            {
                partner.Round();
                Count();
                inARow = IsTogether() == isTogether ? inARow + 1 : 0;
                if (inARow == 2)
                {
                    return true;
                }
            }

            return false;
        }

        /// <summary>Uses nothing for so long, so that what has been used before is forgotten.</summary>
        public void Sleep(double nanos)
        {
            MemoryMarshal.Write(_words.GetSpan(), 0L);
            MemoryMarshal.Write(_words.GetSpan()[sizeof(long)..], (long)nanos);
            Libc.Syscall(CallBenchmarks.Numbers.Nanosleep, _words.Address, 0, 0, 0, 0, 0);
        }

        public void Dispose() => ((IDisposable)_words).Dispose();

        private void Count()
        {
            double now = Now();
            double cpuTime = CpuTime();
            double left = Math.Pow(2, (_now - now) / HalfLifeNanos);
            _used = (_used * left) + ((1 - left) * (cpuTime - _cpuTime) / (now - _now));
            if (Math.Floor(now / PeriodNanos) > Math.Floor(_now / PeriodNanos))
            {
                (_last, _lastButOne) = (_used, _last);
            }

            (_now, _cpuTime) = (now, cpuTime);
            _rounds++;
        }

        private bool IsTogether()
        {
            Libc.Syscall(CallBenchmarks.Numbers.Getcpu, _words.Address, 0, 0, 0, 0, 0);
            return MemoryMarshal.Read<int>(_words.GetSpan()) == cpu;
        }

        private double CpuTime() => Clock(ThreadClock) + Clock(_partnerClock);

        private double Clock(long id)
        {
            Libc.Syscall(CallBenchmarks.Numbers.ClockGettime, (nint)id, _words.Address, 0, 0, 0, 0);
            return (MemoryMarshal.Read<long>(_words.GetSpan()) * NanosPerSecond) + MemoryMarshal.Read<long>(_words.GetSpan()[sizeof(long)..]);
        }

        private static double Now() => Stopwatch.GetTimestamp() * (NanosPerSecond / Stopwatch.Frequency);
    }
}
