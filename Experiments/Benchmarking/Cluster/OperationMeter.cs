using System.Diagnostics;
using Harness.Results;
using Harness.Results.Records;

namespace Harness.Experiments.Benchmarking.Cluster;

/// <summary>Times a number of operations, and what they cost the servers' CPUs.</summary>
internal sealed class OperationMeter
{
    private readonly ClusterSide _side;
    private readonly ServerCpu _cpuBefore;
    private readonly long _started;
    private readonly LatencyHistogram _latencies = new();
    private TimeSpan _elapsed;
    private ServerCpu _cpuAfter;
    private long _operationStarted;

    /// <summary>Begins to measure.</summary>
    public OperationMeter(ClusterSide side)
    {
        (_side, _cpuBefore) = (side, ServerCpu.Of(side.Servers));
        _started = _operationStarted = Stopwatch.GetTimestamp();
    }

    /// <summary>One operation has ended; the next begins.</summary>
    public void Lap()
    {
        long now = Stopwatch.GetTimestamp();
        _latencies.Record(Math.Max(1, (long)Stopwatch.GetElapsedTime(_operationStarted, now).TotalNanoseconds));
        _operationStarted = now;
    }

    /// <summary>Ends the measured time.</summary>
    public void Stop()
    {
        _elapsed = Stopwatch.GetElapsedTime(_started);
        _cpuAfter = ServerCpu.Of(_side.Servers);
    }

    /// <summary>What so many operations came to.</summary>
    /// <param name="operations">At least one.</param>
    /// <param name="bytes">Of the application's data.</param>
    public TrialMeasurement Measurement(long operations, long bytes = 0)
    {
        double seconds = _elapsed.TotalSeconds;
        double meanMicros = _elapsed.TotalMicroseconds / operations;
        return new TrialMeasurement
        {
            ThroughputBytesPerSecond = bytes / seconds,
            Iops = operations / seconds,
            LatencyMicrosMean = meanMicros,
            LatencyMicrosP50 = Percentile(50),
            LatencyMicrosP95 = Percentile(95),
            LatencyMicrosP99 = Percentile(99),
            LatencyMicrosP999 = Percentile(99.9),
            LatencyMicrosMax = _latencies.Count == 0 ? meanMicros : _latencies.SlowestNanos / 1000.0,
            DaemonCpuUserPercent = (_cpuAfter.User - _cpuBefore.User).TotalSeconds / seconds * 100,
            DaemonCpuSystemPercent = (_cpuAfter.System - _cpuBefore.System).TotalSeconds / seconds * 100,
            ReadBytes = 0,
            WriteBytes = bytes,
            RuntimeSeconds = seconds,
        };

        // A program's operations are not timed one by one.
        double Percentile(double percentile) => _latencies.Count == 0 ? meanMicros : _latencies.PercentileNanos(percentile) / 1000.0;
    }
}
