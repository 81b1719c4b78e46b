using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Harness.Results;
using Harness.Results.Analysis;
using Harness.Results.Records;
using Harness.Results.Statistics;

namespace Harness.Experiments.Benchmarking.Cluster;

/// <summary>A cell with both sides' figures.</summary>
/// <param name="Cell">What was measured.</param>
/// <param name="Ours">Our side, with the ratio to the peer.</param>
/// <param name="Peer">The peer; null where there is none.</param>
/// <param name="OursCpuMicros">CPU time of our servers for an operation, in µs; null if none of their processes was found.</param>
/// <param name="PeerCpuMicros">The same of the peer.</param>
internal sealed record ClusterRow(ClusterCell Cell, ComparisonRow Ours, ComparisonRow? Peer, double? OursCpuMicros, double? PeerCpuMicros)
{
    /// <summary>The ratio of speeds; null where there is no pair.</summary>
    public double? Ratio => Peer is null ? null : Ours.Comparison.Ratio;

    /// <summary>How the ratio stands to the bar.</summary>
    public string VerdictText => Ratio is not double ratio ? "–" : ratio >= Cell.Bar ? "reached" : "below";
}

/// <summary>What a run says, for people and for programs.</summary>
/// <param name="rows">All cells, in order.</param>
internal sealed class ClusterComparison(IReadOnlyList<ClusterRow> rows)
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>All cells, in order.</summary>
    public IReadOnlyList<ClusterRow> Rows => rows;

    /// <summary>The geometric mean of all ratios; null without any.</summary>
    public double? Ratio => GeometricMean.Of(rows.Select(row => row.Ratio).OfType<double>());

    /// <summary>The last line: the means, and the cell that is furthest below its bar or nearest above it.</summary>
    public string ClosingLine
    {
        get
        {
            double? metadata = GeometricMean.Of(rows.Where(row => row.Cell.IsMetadata).Select(row => row.Ratio).OfType<double>());
            double? data = GeometricMean.Of(rows.Where(row => !row.Cell.IsMetadata).Select(row => row.Ratio).OfType<double>());
            ClusterRow? worst = rows.Where(row => row.Ratio is not null).MinBy(row => row.Ratio / row.Cell.Bar);
            return worst is null
                ? $"{rows.Count} cells, no peer to compare with"
                : $"geometric mean {Text(Ratio)}, data {Text(data)}, metadata {Text(metadata)}; " +
                    $"worst cell {worst.Cell.Name} {Text(worst.Ratio)} (bar ×{Digits(worst.Cell.Bar)})";
        }
    }

    /// <summary>Puts a run's trials together.</summary>
    public static ClusterComparison Of(
        IReadOnlyList<ClusterCell> cells, IReadOnlyList<ClusterSide> sides, ComparisonTable table, IReadOnlyList<TrialRecord> trials)
    {
        var byCell = table.Rows.ToDictionary(row => (row.Workload, row.Configuration));
        string? peer = sides.Count > 1 ? sides[^1].Name : null;
        return new ClusterComparison(
        [
            .. cells.Select(cell => new ClusterRow(
                cell,
                byCell[(cell.Name, sides[0].Name)],
                peer is null ? null : byCell[(cell.Name, peer)],
                CpuMicros(trials, cell.Name, sides[0].Name),
                peer is null ? null : CpuMicros(trials, cell.Name, peer))),
        ]);
    }

    /// <summary>As aligned text, the closing line last.</summary>
    public string ToText()
    {
        string[][] lines =
        [
            ["cell", ClusterSide.Harness, ClusterSide.Peer, "ratio", "95 % interval", "bar", "", "CPU µs/op", "peer's"],
            .. rows.Select(row => new[]
            {
                row.Cell.Name,
                row.Ours.MedianText,
                row.Peer?.MedianText ?? "–",
                row.Ratio is null ? "–" : row.Ours.RatioText,
                row.Ratio is null ? "–" : row.Ours.IntervalText,
                row.Ratio is null ? "–" : $"×{Digits(row.Cell.Bar)}",
                row.VerdictText,
                Digits(row.OursCpuMicros),
                Digits(row.PeerCpuMicros),
            }),
        ];
        int[] widths = [.. lines[0].Select((_, column) => lines.Max(line => line[column].Length))];
        var text = new StringBuilder();
        foreach (string[] line in lines)
        {
            IEnumerable<string> padded = line.Select((cell, column) => column is 0 or 6 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]));
            text.Append("  ").Append(string.Join("  ", padded).TrimEnd()).Append('\n');
        }

        return text.Append(ClosingLine).ToString();
    }

    /// <summary>For programs. Keys are snake case; speeds are operations or bytes per second, as <c>metric</c> says.</summary>
    public string ToJson(string runDirectory, RunEnvironment environment) => JsonSerializer.Serialize(
        new
        {
            ClosingLine,
            Ratio,
            Cells = rows.Select(row => new
            {
                Cell = row.Cell.Name,
                Metric = row.Ours.Metric.Name,
                OursMedian = Median(row.Ours),
                PeerMedian = row.Peer is null ? null : Median(row.Peer),
                row.Ratio,
                Interval = row.Peer is null ? null : row.Ours.Comparison.Interval,
                Blocks = row.Ours.Summary.Count,
                OursFailed = row.Ours.Failed,
                PeerFailed = row.Peer?.Failed ?? 0,
                row.Cell.Bar,
                Verdict = row.VerdictText,
                row.OursCpuMicros,
                row.PeerCpuMicros,
            }),
            RunDirectory = runDirectory,
            Environment = environment,
        },
        s_json);

    // JSON has no word for "not a number".
    private static double? Median(ComparisonRow row) => row.Summary.Count > 0 ? row.Summary.Median : null;

    /// <summary>CPU percent over operations per second is time for an operation; the median over the blocks.</summary>
    private static double? CpuMicros(IReadOnlyList<TrialRecord> trials, string cell, string side)
    {
        double[] each =
        [
            .. from trial in trials
               where trial.Workload == cell && trial.Configuration == side
               select trial.Measured into measured
               where measured is { Iops: > 0 }
               let micros = (measured!.DaemonCpuUserPercent + measured.DaemonCpuSystemPercent) / 100 * 1e6 / measured.Iops ?? 0
               where micros > 0
               orderby micros
               select micros,
        ];
        return each.Length == 0 ? null : each[each.Length / 2];
    }

    private static string Text(double? ratio) => ratio is null ? "–" : $"×{ratio.Value.ToString("F2", CultureInfo.InvariantCulture)}";

    private static string Digits(double? value) => value?.ToString(value < 10 ? "0.##" : "0", CultureInfo.InvariantCulture) ?? "–";
}
