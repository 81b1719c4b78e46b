namespace Harness.Results.Records;

/// <summary>What one trial measured. Latencies are completion latencies (fio's <c>clat</c>) in microseconds.</summary>
public sealed record TrialMeasurement
{
    /// <summary>Bytes read and written by the application, per second.</summary>
    public required double ThroughputBytesPerSecond { get; init; }

    /// <summary>Completed operations per second, reads and writes together.</summary>
    public required double Iops { get; init; }

    /// <summary>Mean latency, µs.</summary>
    public required double LatencyMicrosMean { get; init; }

    /// <summary>Median latency, µs.</summary>
    public required double LatencyMicrosP50 { get; init; }

    /// <summary>95th percentile of latency, µs.</summary>
    public required double LatencyMicrosP95 { get; init; }

    /// <summary>99th percentile of latency, µs.</summary>
    public required double LatencyMicrosP99 { get; init; }

    /// <summary>99.9th percentile of latency, µs.</summary>
    public required double LatencyMicrosP999 { get; init; }

    /// <summary>The slowest operation, µs.</summary>
    public required double LatencyMicrosMax { get; init; }

    /// <summary>The daemon's time in user mode, in percent of one CPU; null when it was not measured.</summary>
    public double? DaemonCpuUserPercent { get; init; }

    /// <summary>The daemon's time in the kernel, in percent of one CPU; null when it was not measured.</summary>
    public double? DaemonCpuSystemPercent { get; init; }

    /// <summary>The application's time in user mode, in percent of one CPU; null when it was not measured.</summary>
    public double? AppCpuUserPercent { get; init; }

    /// <summary>The application's time in the kernel, in percent of one CPU; null when it was not measured.</summary>
    public double? AppCpuSystemPercent { get; init; }

    /// <summary>Bytes the application read.</summary>
    public required long ReadBytes { get; init; }

    /// <summary>Bytes the application wrote.</summary>
    public required long WriteBytes { get; init; }

    /// <summary>How long the measured part lasted, seconds.</summary>
    public required double RuntimeSeconds { get; init; }
}
