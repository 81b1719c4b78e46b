using System.Text.Encodings.Web;
using System.Text.Json;
using Harness.Results;
using Harness.Results.Statistics;

namespace Harness.Experiments.Benchmarking;

/// <summary>A comparison for programs. Keys are snake case; speeds are operations or bytes per second, as <c>metric</c> says.</summary>
internal static class BenchJson
{
    private static readonly JsonSerializerOptions s_options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The whole of it.</summary>
    /// <param name="comparison">What was measured.</param>
    /// <param name="runDirectory">Where the trials are.</param>
    /// <param name="environment">What they ran on.</param>
    public static string Of(BenchComparison comparison, string runDirectory, RunEnvironment environment) => JsonSerializer.Serialize(
        new
        {
            comparison.ClosingLine,
            Groups = comparison.Groups.Select(group => new { Name = group.Group, group.Ratio, group.Interval }),
            Matches = comparison.Matches.Select(Match),
            RunDirectory = runDirectory,
            Environment = environment,
        },
        s_options);

    private static object Match(MatchResult result) => new
    {
        result.Match.Group,
        Shape = result.Match.Shape.Name,
        Ours = Contender(result.Match.Ours),
        Peer = Contender(result.Match.Peer),
        result.Ratio,
        Jobs = result.Cells.Select(Cell),
    };

    private static object Contender(Contender contender) => new
    {
        contender.Name,
        contender.Server,
        CommandLine = contender.CommandLine(CommandContender.MountPointMark),
        DaemonCpus = contender.Placement.Daemon?.ToString(),
        OneJobCpus = contender.Placement.OneJob?.ToString(),
        ManyJobsCpus = contender.Placement.ManyJobs?.ToString(),
    };

    private static object Cell(BenchCell cell) => new
    {
        Job = cell.Job.Name,
        Metric = cell.Ours.Metric.Name,
        OursMedian = Number(cell.Ours.Summary),
        PeerMedian = Number(cell.Peer.Summary),
        cell.Ours.Comparison.Ratio,
        cell.Ours.Comparison.Interval,
        Blocks = cell.Ours.Comparison.Pairs,
        OursFailed = cell.Ours.Failed,
        PeerFailed = cell.Peer.Failed,
        Verdict = cell.Ours.VerdictText,
    };

    // JSON has no word for "not a number".
    private static double? Number(Summary summary) => summary.Count > 0 ? summary.Median : null;
}
