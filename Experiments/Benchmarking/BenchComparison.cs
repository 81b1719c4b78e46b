using System.Globalization;
using Harness.Experiments.Plan.Workloads;
using Harness.Results.Analysis;
using Harness.Results.Records;
using Harness.Results.Statistics;

namespace Harness.Experiments.Benchmarking;

/// <summary>A job of a match: both sides, and the ratio of ours to the peer's, by block.</summary>
/// <param name="Job">The job.</param>
/// <param name="Ours">Our side, with the ratio.</param>
/// <param name="Peer">The other.</param>
internal sealed record BenchCell(Workload Job, ComparisonRow Ours, ComparisonRow Peer);

/// <summary>A match with all its jobs.</summary>
/// <param name="Match">What was compared.</param>
/// <param name="Cells">Its jobs, in order.</param>
internal sealed record MatchResult(Match Match, IReadOnlyList<BenchCell> Cells)
{
    /// <summary>The geometric mean of the jobs' ratios; null without any.</summary>
    public double? Ratio => GeometricMean.Of(Cells.Select(cell => cell.Ours.Comparison.Ratio).OfType<double>());

    /// <summary>The geometric mean of our side's medians, by which our own channels are compared with each other; null without any.</summary>
    public double? Speed => GeometricMean.Of(Cells.Where(cell => cell.Ours.Summary.Count > 0).Select(cell => cell.Ours.Summary.Median));
}

/// <summary>All matches of a group, in one figure.</summary>
/// <param name="Group">The question.</param>
/// <param name="Ratio">The geometric mean over all jobs of all matches; null where nothing was measured.</param>
/// <param name="Interval">Its 95 % interval, from the blocks that measured all of them; null with fewer than two such blocks.</param>
internal sealed record GroupResult(string Group, double? Ratio, Interval? Interval)
{
    /// <summary>With two decimals; <c>–</c> where nothing was measured.</summary>
    public string RatioText => Ratio is double ratio ? ratio.ToString("F2", CultureInfo.InvariantCulture) : "–";
}

/// <summary>What a run of trials says.</summary>
internal sealed class BenchComparison
{
    private BenchComparison(IReadOnlyList<MatchResult> matches, IReadOnlyList<GroupResult> groups)
    {
        Matches = matches;
        Groups = groups;
    }

    /// <summary>Each match, in order.</summary>
    public IReadOnlyList<MatchResult> Matches { get; }

    /// <summary>Each group, in order.</summary>
    public IReadOnlyList<GroupResult> Groups { get; }

    /// <summary>The match with the user's command in which our own side was fastest; null without such a match.</summary>
    public MatchResult? BestBesideThePeer => Matches.Where(result => result.Match.Group == Match.BesideThePeer).MaxBy(result => result.Speed);

    /// <summary>The last line that the command prints.</summary>
    public string ClosingLine => BestBesideThePeer is MatchResult best
        ? $"{Match.BesideThePeer} {best.Ratio?.ToString("F2", CultureInfo.InvariantCulture) ?? "–"} ({best.Match.Shape})"
        : string.Join(", ", Match.StandardGroups.Select(name =>
            $"{name} {Groups.FirstOrDefault(group => group.Group == name)?.RatioText ?? "–"}"));

    /// <summary>Compares.</summary>
    /// <param name="matches">What was compared.</param>
    /// <param name="jobs">With which jobs.</param>
    /// <param name="trials">The trials, failed ones among them.</param>
    /// <param name="seed">The same seed gives the same intervals.</param>
    public static BenchComparison Of(
        IReadOnlyList<Match> matches, IReadOnlyList<Workload> jobs, IReadOnlyList<TrialRecord> trials, int seed)
    {
        MatchResult[] results = [.. matches.Select(match => Compare(match, jobs, trials, seed))];
        return new BenchComparison(
            results, [.. results.GroupBy(result => result.Match.Group).Select(group => SumUp(group.Key, [.. group], trials, seed))]);
    }

    private static MatchResult Compare(Match match, IReadOnlyList<Workload> jobs, IReadOnlyList<TrialRecord> trials, int seed)
    {
        var outline = new ExperimentOutline(
            BenchRun.Experiment,
            [.. jobs.Select(job => new WorkloadOutline(job.Name, SpeedOf(job)))],
            [match.Peer.Name, match.Ours.Name],
            match.Peer.Name);
        ILookup<(string, string), ComparisonRow> rows = ComparisonTable.OfSpeed([outline], trials, seed).Rows
            .ToLookup(row => (row.Workload, row.Configuration));
        return new MatchResult(match, [.. jobs.Select(job => new BenchCell(
            job, rows[(job.Name, match.Ours.Name)].Single(), rows[(job.Name, match.Peer.Name)].Single()))]);
    }

    private static GroupResult SumUp(string group, IReadOnlyList<MatchResult> results, IReadOnlyList<TrialRecord> trials, int seed)
    {
        double? ratio = GeometricMean.Of(results.SelectMany(result => result.Cells).Select(cell => cell.Ours.Comparison.Ratio).OfType<double>());
        var measured = trials.Where(trial => trial.Measured is not null)
            .ToDictionary(trial => (trial.Configuration, trial.Workload, trial.Block), trial => trial.Measured!);
        var byBlock = new Dictionary<int, double>();
        foreach (int block in trials.Select(trial => trial.Block).Distinct())
        {
            double?[] ratios =
            [
                .. from result in results
                   from cell in result.Cells
                   select RatioIn(block, result.Match, cell, measured),
            ];
            if (ratios.All(each => each is not null))
            {
                byBlock[block] = GeometricMean.Of(ratios.OfType<double>())!.Value;
            }
        }

        // Against 1 in every block, the ratios' own mean is what is judged.
        var comparison = Comparison.Of(byBlock.ToDictionary(pair => pair.Key, _ => 1.0), byBlock, Direction.HigherIsBetter, new Random(seed));
        return new GroupResult(group, ratio, comparison.Interval);
    }

    private static double? RatioIn(
        int block, Match match, BenchCell cell, Dictionary<(string, string, int), TrialMeasurement> measured)
    {
        Metric metric = SpeedOf(cell.Job);
        return measured.TryGetValue((match.Ours.Name, cell.Job.Name, block), out TrialMeasurement? ours)
            && measured.TryGetValue((match.Peer.Name, cell.Job.Name, block), out TrialMeasurement? peer)
                ? metric.Of(ours) / metric.Of(peer)
                : null;
    }

    private static Metric SpeedOf(Workload job) => Metric.SpeedFor(job.Number(FioKeys.Bs, 0));
}
