using System.Globalization;
using System.Text;
using Harness.FuseProtocol.Tracing;

namespace Harness.Experiments.Observing;

/// <summary>Counts as a table for people, the most frequent opcode first.</summary>
internal static class StatsTable
{
    private const double NanosPerSecond = 1e9;
    private const double NanosPerMicro = 1e3;
    private const double BytesPerKibi = 1 << 10;
    private const double BytesPerMebi = 1 << 20;

    /// <summary>The table, with rates over the time that the counts cover.</summary>
    public static string Render(MountStats stats)
    {
        double seconds = Math.Max((stats.AtNanos - stats.SinceNanos) / NanosPerSecond, 1e-9);
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{"operation",-16} {"requests",12} {"per second",11} {"errors",9} {"in",9} {"out",9} " +
            $"{"mean",9} {"p50",9} {"p99",9} {"p99.9",9}");
        text.AppendLine(CultureInfo.InvariantCulture, $"{string.Empty,-16} {string.Empty,12} {string.Empty,11} {string.Empty,9} {"MiB/s",9} {"MiB/s",9} " +
            $"{"µs",9} {"µs",9} {"µs",9} {"µs",9}");
        foreach (OpcodeCounts counts in stats.Opcodes.OrderByDescending(counts => counts.Requests))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"{KernelNames.Of(counts.Opcode),-16} {counts.Requests,12:N0} {counts.Requests / seconds,11:N0} " +
                $"{counts.Errors,9:N0} {counts.BytesIn / seconds / BytesPerMebi,9:N1} {counts.BytesOut / seconds / BytesPerMebi,9:N1} {Latencies(counts)}");
        }

        text.AppendLine(CultureInfo.InvariantCulture, $"process {stats.Pid}: {stats.Process.ResidentBytes / BytesPerMebi:N1} MiB resident, " +
            $"{stats.Process.CpuNanos / NanosPerSecond:N2} s of CPU, {stats.Process.AllocatedBytes / BytesPerKibi:N1} KiB allocated, " +
            $"{stats.Process.Collections} garbage collections");
        return text.ToString();
    }

    private static string Latencies(OpcodeCounts counts)
    {
        double[] figures =
        [
            LatencyBuckets.Mean(counts.Latencies),
            LatencyBuckets.Percentile(counts.Latencies, 50),
            LatencyBuckets.Percentile(counts.Latencies, 99),
            LatencyBuckets.Percentile(counts.Latencies, 99.9),
        ];
        return counts.Latencies.Sum() == 0
            ? string.Join(' ', figures.Select(_ => $"{"–",9}"))
            : string.Join(' ', figures.Select(nanos => string.Create(CultureInfo.InvariantCulture, $"{nanos / NanosPerMicro,9:N2}")));
    }
}
