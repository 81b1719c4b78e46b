using System.Diagnostics;

namespace Harness.Runtime;

/// <summary>The machine's monotonic clock in nanoseconds (CLOCK_MONOTONIC, by way of the vDSO: no system call).</summary>
public static class MonotonicClock
{
    /// <summary>Now, in nanoseconds from an arbitrary start. On Linux a <see cref="Stopwatch"/> tick is one nanosecond.</summary>
    public static long NowNanoseconds => Stopwatch.GetTimestamp() * (1_000_000_000L / Stopwatch.Frequency);
}
