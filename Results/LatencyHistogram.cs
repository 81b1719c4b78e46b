using HdrHistogram;

namespace Harness.Results;

/// <summary>
/// Latencies in nanoseconds, from 1 ns to 1000 s, each kept to three significant digits whatever its size, in constant memory
/// (HdrHistogram). Not thread-safe: give each thread its own and merge them.
/// </summary>
public sealed class LatencyHistogram
{
    /// <summary>What is slower counts as this slow: 1000 s.</summary>
    public const long MaxNanos = 1_000_000_000_000;

    private const int SignificantDigits = 3;

    private readonly LongHistogram histogram = new(1, MaxNanos, SignificantDigits);

    /// <summary>How many latencies were recorded.</summary>
    public long Count => histogram.TotalCount;

    /// <summary>The mean, ns; 0 when nothing was recorded.</summary>
    public double MeanNanos => Count == 0 ? 0 : histogram.GetMean();

    /// <summary>The slowest, ns, to three digits; 0 when nothing was recorded.</summary>
    public long SlowestNanos => Count == 0 ? 0 : histogram.GetMaxValue();

    /// <summary>Records a latency.</summary>
    /// <param name="nanos">From 0 on; values above <see cref="MaxNanos"/> count as that.</param>
    /// <param name="count">How many operations took that long.</param>
    public void Record(long nanos, long count = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(nanos);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        histogram.RecordValueWithCount(Math.Min(nanos, MaxNanos), count);
    }

    /// <summary>The latency that a share of the operations did not exceed, ns to three digits; 0 when nothing was recorded.</summary>
    /// <param name="percentile">From 0 to 100, as 99.9.</param>
    public long PercentileNanos(double percentile)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(percentile);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(percentile, 100);
        return Count == 0 ? 0 : histogram.GetValueAtPercentile(percentile);
    }

    /// <summary>Adds all that another histogram recorded.</summary>
    public void Merge(LatencyHistogram other) => histogram.Add(other.histogram);
}
