using Harness.Results.Records;
using Harness.Results.Statistics;

namespace Harness.Results.Analysis;

/// <summary>A figure that configurations are compared by.</summary>
public sealed class Metric
{
    private const long SmallBlockBytes = 64 * 1024;

    private readonly Func<TrialMeasurement, double> value;
    private readonly Func<double, string> format;

    private Metric(string name, Direction direction, Func<TrialMeasurement, double> value, Func<double, string> format)
    {
        Name = name;
        Direction = direction;
        this.value = value;
        this.format = format;
    }

    /// <summary>Bytes per second.</summary>
    public static Metric Throughput { get; } =
        new("throughput", Direction.HigherIsBetter, m => m.ThroughputBytesPerSecond, HumanUnits.BytesPerSecond);

    /// <summary>Operations per second.</summary>
    public static Metric Iops { get; } = new("operations per second", Direction.HigherIsBetter, m => m.Iops, HumanUnits.Iops);

    /// <summary>Mean completion latency.</summary>
    public static Metric LatencyMean { get; } = Latency("latency mean", m => m.LatencyMicrosMean);

    /// <summary>Median completion latency.</summary>
    public static Metric LatencyP50 { get; } = Latency("latency p50", m => m.LatencyMicrosP50);

    /// <summary>95th percentile of completion latency.</summary>
    public static Metric LatencyP95 { get; } = Latency("latency p95", m => m.LatencyMicrosP95);

    /// <summary>99th percentile of completion latency.</summary>
    public static Metric LatencyP99 { get; } = Latency("latency p99", m => m.LatencyMicrosP99);

    /// <summary>99.9th percentile of completion latency.</summary>
    public static Metric LatencyP999 { get; } = Latency("latency p99.9", m => m.LatencyMicrosP999);

    /// <summary>What to call it in a sentence.</summary>
    public string Name { get; }

    /// <summary>Which way it is better.</summary>
    public Direction Direction { get; }

    /// <summary>
    /// The metric that says most of a workload's speed: operations per second for blocks below 64 KiB, where the cost of a request rules,
    /// bytes per second from there on.
    /// </summary>
    public static Metric SpeedFor(long blockBytes) => blockBytes < SmallBlockBytes ? Iops : Throughput;

    /// <summary>The metric's value in a trial, in the unit of <see cref="TrialMeasurement"/>.</summary>
    public double Of(TrialMeasurement measurement) => value(measurement);

    /// <summary>A value for people, unit included, as <c>98.1 K IOPS</c>.</summary>
    public string Format(double amount) => format(amount);

    /// <inheritdoc/>
    public override string ToString() => Name;

    private static Metric Latency(string name, Func<TrialMeasurement, double> value) =>
        new(name, Direction.LowerIsBetter, value, HumanUnits.Micros);
}
