using System.Text.Json;
using System.Text.RegularExpressions;
using Harness.Experiments;
using Harness.Experiments.Benchmarking.Cluster;
using Harness.Results.Analysis;
using Harness.Results.Records;
using Harness.Tests.Mounts;
using Harness.Tests.Results;

namespace Harness.Tests.Experiments.Benchmarking;

/// <summary>What <c>./harness bench cluster</c> prints of made-up figures, and how it ends.</summary>
public sealed class ClusterComparisonTests : IDisposable
{
    private const int Blocks = 3;

    private static readonly ClusterCell s_data = new("data", Metric.Iops, ClusterCell.BarOfAll);
    private static readonly ClusterCell s_names = new("names", Metric.Iops, ClusterCell.BarOfMetadata);

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void EachCellIsComparedWithItsBarAndTheLastLineHasTheMeansAndTheWorst()
    {
        ClusterComparison comparison = Compare(true, Trials("data", 2_000, 1_000), Trials("names", 8_000, 1_000));
        Assert.Equal(["reached", "below"], comparison.Rows.Select(static row => row.VerdictText));
        string[] lines = comparison.ToText().Split('\n');
        Assert.Equal(4, lines.Length);
        Assert.Matches("data .*×2\\.00 .*×1\\.5 +reached", lines[1]);
        Assert.Matches("names .*×8\\.00 .*×10 +below", lines[2]);
        Assert.Equal("geometric mean ×4.00, data ×2.00, metadata ×8.00; worst cell names ×8.00 (bar ×10)", lines[3]);
    }

    [Fact]
    public void CpuOfAnOperationIsThatOfTheServersOverTheOperations()
    {
        ClusterRow row = Compare(true, Trials("data", 10_000, 5_000), Trials("names", 1, 1)).Rows[0];
        Assert.Equal(50, row.OursCpuMicros!.Value, 6);
        Assert.Equal(100, row.PeerCpuMicros!.Value, 6);
    }

    [Fact]
    public void WithoutAPeerThereIsNothingToReach()
    {
        ClusterComparison comparison = Compare(false, Trials("data", 2_000, null), Trials("names", 1_000, null));
        Assert.Equal("2 cells, no peer to compare with", comparison.ClosingLine);
        Assert.All(comparison.Rows, static row => Assert.Equal("–", row.VerdictText));
        Assert.DoesNotContain("×", comparison.ToText(), StringComparison.Ordinal);
    }

    [Fact]
    public void AJobThatFailedOnOneSideHasNoRatioAndIsCounted()
    {
        TrialRecord[] names = [.. Trials("names", 1_000, 1_000).Select(static trial => trial.Configuration == ClusterSide.Peer ? Tests.Results.Trials.Failed(trial) : trial)];
        ClusterComparison comparison = Compare(true, Trials("data", 3_000, 1_000), names);
        Assert.Null(comparison.Rows[1].Ratio);
        Assert.Contains("worst cell data ×3.00", comparison.ClosingLine, StringComparison.Ordinal);
        using JsonDocument json = JsonDocument.Parse(comparison.ToJson("runs/1", null!));
        JsonElement cell = json.RootElement.GetProperty("cells")[1];
        Assert.Equal(Blocks, cell.GetProperty("peer_failed").GetInt32());
        Assert.Equal(JsonValueKind.Null, cell.GetProperty("peer_median").ValueKind);
        Assert.Equal(1_000, cell.GetProperty("ours_median").GetDouble());
    }

    [RealMountFact("fio", "tar")]
    public async Task ARunThatMeasuredEverythingEndsWithZeroAndLeavesNothingInTheDirectory()
    {
        string tree = Directory.CreateDirectory(_directory["tree"]).FullName;
        await File.WriteAllTextAsync(Path.Combine(tree, "file"), "text");
        Assert.Equal(ExitCode.Done, await Bench(new ClusterBenchOptions { Sides = [Side()], Only = ["tar-x"], Tree = tree }));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory["work"]));
    }

    [RealMountFact("fio", "git")]
    public async Task AJobThatFailsIsTheRunsFailure()
    {
        Assert.Equal(ExitCode.CheckFailed, await Bench(new ClusterBenchOptions { Sides = [Side()], Only = ["git-clone"], Repository = _directory["none"] }));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory["work"]));
    }

    [RealMountFact("fio", "git")]
    public async Task AnInterruptedRunSaysSo()
    {
        using var interruption = new CancellationTokenSource();
        await interruption.CancelAsync();
        var options = new ClusterBenchOptions { Sides = [Side()], Only = ["git-clone"], Repository = _directory["none"] };
        Assert.Equal(ExitCode.Interrupted, await Bench(options, interruption.Token));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory["work"]));
    }

    private static ClusterSide Named(string name) => new(name, "/", new Regex("none"));

    private static ClusterComparison Compare(bool hasPeer, params TrialRecord[][] trials)
    {
        ClusterSide[] sides = hasPeer ? [Named(ClusterSide.Harness), Named(ClusterSide.Peer)] : [Named(ClusterSide.Harness)];
        ClusterCell[] cells = [s_data, s_names];
        TrialRecord[] all = [.. trials.SelectMany(static each => each)];
        var outline = new ExperimentOutline(
            "cluster", [.. cells.Select(static cell => new WorkloadOutline(cell.Name, cell.Speed))], [.. sides.Reverse().Select(static side => side.Name)], sides[^1].Name);
        return ClusterComparison.Of(cells, sides, ComparisonTable.OfSpeed([outline], all, seed: 1), all);
    }

    /// <summary>Three blocks of both sides; the servers use half a CPU.</summary>
    private static TrialRecord[] Trials(string cell, double ours, double? peer) =>
    [
        .. from block in Enumerable.Range(0, Blocks)
           from side in new[] { (Name: ClusterSide.Harness, Iops: (double?)ours), (Name: ClusterSide.Peer, Iops: peer) }
           where side.Iops is not null
           let trial = Tests.Results.Trials.Of(side.Name, block, side.Iops!.Value, cell, "cluster")
           select trial with
           {
               IsBaseline = side.Name == ClusterSide.Peer || peer is null,
               Measured = trial.Measured! with { DaemonCpuUserPercent = 40, DaemonCpuSystemPercent = 10 },
           },
    ];

    private ClusterSide Side() => new(ClusterSide.Harness, Directory.CreateDirectory(_directory["work"]).FullName, new Regex("none"));

    private Task<int> Bench(ClusterBenchOptions options, CancellationToken cancellationToken = default) =>
        new ClusterBench(options with { Quick = true, Blocks = 1, Output = _directory["runs"], Json = true, Repository = options.Repository ?? "/" }).Run(cancellationToken);
}
