using System.Text.Json;
using Harness.FuseProtocol.Tracing;

namespace Harness.Experiments.Observing;

/// <summary>Counts as JSON for programs: one object on a line, so that <c>--watch --json</c> gives lines that can be read as they come.</summary>
internal static class StatsJson
{
    /// <summary>The object.</summary>
    public static string Render(string mountPoint, MountStats stats) => JsonSerializer.Serialize(new
    {
        mount_point = mountPoint,
        description = stats.Description,
        pid = stats.Pid,
        seconds = (stats.AtNanos - stats.SinceNanos) / 1e9,
        resident_bytes = stats.Process.ResidentBytes,
        cpu_seconds = stats.Process.CpuNanos / 1e9,
        allocated_bytes = stats.Process.AllocatedBytes,
        collections = stats.Process.Collections,
        operations = stats.Opcodes.Select(counts => new
        {
            operation = KernelNames.Of(counts.Opcode),
            requests = counts.Requests,
            errors = counts.Errors,
            in_bytes = counts.BytesIn,
            out_bytes = counts.BytesOut,
            timed_requests = counts.Latencies.Sum(),
            latency_mean_nanos = Math.Round(LatencyBuckets.Mean(counts.Latencies)),
            latency_p50_nanos = LatencyBuckets.Percentile(counts.Latencies, 50),
            latency_p90_nanos = LatencyBuckets.Percentile(counts.Latencies, 90),
            latency_p99_nanos = LatencyBuckets.Percentile(counts.Latencies, 99),
            latency_p999_nanos = LatencyBuckets.Percentile(counts.Latencies, 99.9),
        }),
    });
}
