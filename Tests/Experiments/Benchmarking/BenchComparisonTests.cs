using System.Text.Json;
using Harness.Experiments.Benchmarking;
using Harness.Experiments.Plan.Workloads;
using Harness.Experiments.Running;
using Harness.Results.Records;
using Harness.Runtime;

namespace Harness.Tests.Experiments.Benchmarking;

/// <summary>What becomes of trials: ratios, means, and the last line.</summary>
public sealed class BenchComparisonTests
{
    private const int Blocks = 4;

    private static readonly IReadOnlyList<Workload> s_jobs = BenchJobs.All(TimeSpan.FromSeconds(1));
    private static readonly IReadOnlyList<Match> s_matches = Match.Standard(Topology.Current);

    [Fact]
    public void TheLastLineSaysTheThreeGeometricMeans()
    {
        BenchComparison comparison = Compare(s_matches, Speed);
        Assert.Equal("like for like 1.14, of the floor 0.90, out of the box 1.60", comparison.ClosingLine);
        Assert.Equal(Match.StandardGroups, comparison.Groups.Select(group => group.Group));
        Assert.All(comparison.Groups, group => Assert.True(group.Interval!.Value.Contains(group.Ratio!.Value)));
    }

    [Fact]
    public void DriftOfTheMachineCancels()
    {
        // Each block is half as fast as the one before, for all alike.
        BenchComparison comparison = Compare(s_matches, (contender, job, block) => Speed(contender, job, block) / Math.Pow(2, block));
        Assert.Equal("like for like 1.14, of the floor 0.90, out of the box 1.60", comparison.ClosingLine);
        Assert.All(comparison.Matches.SelectMany(match => match.Cells), cell => Assert.NotEqual("inconclusive", cell.Ours.VerdictText));
    }

    [Fact]
    public void WhatWasNotMeasuredIsNotMadeUp()
    {
        Match[] some = [.. s_matches.Where(match => match.Group == Match.OutOfTheBox)];
        Assert.Equal("like for like –, of the floor –, out of the box 1.60", Compare(some, Speed).ClosingLine);
        BenchComparison none = BenchComparison.Of(some, s_jobs, [], seed: 1);
        Assert.Equal("like for like –, of the floor –, out of the box –", none.ClosingLine);
        Assert.Null(none.Matches[0].Ratio);
        Assert.Contains("geometric mean", BenchReport.ToText(none.Matches[0]), StringComparison.Ordinal);
    }

    [Fact]
    public void ABlockInWhichASideFailedDoesNotCount()
    {
        Match match = s_matches.Single(each => each.Group == Match.OutOfTheBox);
        TrialRecord[] trials = [.. Trials([match], Speed).Select(trial =>
            trial.Block == 1 && trial.Configuration == match.Peer.Name && trial.Workload == s_jobs[0].Name ? Results.Trials.Failed(trial) : trial)];
        BenchComparison comparison = BenchComparison.Of([match], s_jobs, trials, seed: 1);
        BenchCell cell = comparison.Matches[0].Cells[0];
        Assert.Equal((Blocks - 1, 0, 1), (cell.Ours.Comparison.Pairs, cell.Ours.Failed, cell.Peer.Failed));
        Assert.Equal("1.60", comparison.Groups[0].RatioText);
    }

    [Fact]
    public void BesideACommandTheLastLineNamesOurFastestChannel()
    {
        IReadOnlyList<Match> matches = Match.Beside("x {}", null, Topology.Current);
        BenchComparison comparison = Compare(matches, (contender, _, _) => (contender.IsHarness, contender.Shape == Shape.Clone2) switch
        {
            (true, true) => 3000,
            (true, false) => 2000,
            // The command is slow beside another channel; that must not make that channel the best one.
            (false, true) => 2000,
            (false, false) => 100,
        });
        Assert.Equal("beside the peer 1.50 (clone-2)", comparison.ClosingLine);
    }

    [Fact]
    public void ASectionHasALineForEachJobWithBothSidesAndTheRatio()
    {
        BenchComparison comparison = Compare([s_matches[0]], (contender, _, _) => contender.IsHarness ? 200_000 : 100_000);
        string[] lines = BenchReport.ToText(comparison.Matches[0]).Split('\n');
        Assert.StartsWith("like for like, dev-fuse-1: harness against libfuse (daemon on CPU", lines[0], StringComparison.Ordinal);
        Assert.Equal(["job", "harness", "libfuse", "ratio", "95", "%", "interval", "blocks", "verdict"], Words(lines[1]));
        Assert.Equal(["randread-4k", "200", "K", "IOPS", "100", "K", "IOPS", "×2.00", "2.00", "to", "2.00", "4", "better"], Words(lines[2]));
        Assert.Equal(["write-1m", "819", "MB/s", "410", "MB/s", "×2.00", "2.00", "to", "2.00", "4", "better"], Words(lines[1 + s_jobs.Count]));
        Assert.Equal(["geometric", "mean", "×2.00"], Words(lines[2 + s_jobs.Count]));
    }

    [Fact]
    public void JsonHasEverythingThatTheTableHas()
    {
        BenchComparison comparison = Compare(s_matches, Speed);
        using var json = JsonDocument.Parse(BenchJson.Of(comparison, "/runs/x", EnvironmentRecord.Gather(1, "fio-3.33", DateTimeOffset.UnixEpoch)));
        JsonElement root = json.RootElement;
        Assert.Equal(comparison.ClosingLine, root.GetProperty("closing_line").GetString());
        Assert.Equal(comparison.Groups[2].Ratio!.Value, root.GetProperty("groups")[2].GetProperty("ratio").GetDouble());
        JsonElement match = root.GetProperty("matches")[0];
        Assert.Equal("dev-fuse-1", match.GetProperty("shape").GetString());
        Assert.Equal("libfuse", match.GetProperty("peer").GetProperty("server").GetString());
        Assert.Contains("--channel", match.GetProperty("ours").GetProperty("command_line").EnumerateArray().Select(word => word.GetString()));
        JsonElement job = match.GetProperty("jobs")[0];
        Assert.Equal("randread-4k", job.GetProperty("job").GetString());
        Assert.Equal(comparison.Matches[0].Cells[0].Ours.Comparison.Interval!.Value.Low, job.GetProperty("interval").GetProperty("low").GetDouble());
        Assert.Equal(Blocks, job.GetProperty("blocks").GetInt32());
    }

    private static BenchComparison Compare(IReadOnlyList<Match> matches, Func<Contender, Workload, int, double> speed) =>
        BenchComparison.Of(matches, s_jobs, Trials(matches, speed), seed: 1);

    private static TrialRecord[] Trials(IReadOnlyList<Match> matches, Func<Contender, Workload, int, double> speed) =>
    [
        .. BenchTrial.Plan(matches, s_jobs, Blocks, seed: 1).Select(trial => Results.Trials.Of(
            trial.Contender.Name, trial.Block, speed(trial.Contender, trial.Job, trial.Block), trial.Job.Name, BenchRun.Experiment)),
    ];

    /// <summary>
    /// Ours against libfuse: 1.25, 1.2 and 1.25 (so that with 0.9 on the ring the mean is 1.14), 0.9 of the floor everywhere, and 1.6 by default. Jobs
    /// differ in speed, and blocks by a hair, so that there is a spread.
    /// </summary>
    private static double Speed(Contender contender, Workload job, int block)
    {
        double own = 1000 * (1 + job.Name.Length);
        double hair = 1 + (0.001 * ((block + contender.Name.Length) % 3));
        return hair * contender switch
        {
            { IsHarness: true } => own,
            FloorContender => own / 0.9,
            { Shape.Name: "default" } => own / 1.6,
            { Shape.Name: "dev-fuse-2" } => own / 1.2,
            _ => own / 1.25,
        };
    }

    private static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
