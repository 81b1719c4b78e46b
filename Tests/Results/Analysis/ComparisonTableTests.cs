using Harness.Results.Analysis;
using Harness.Results.Records;
using Harness.Results.Statistics;

namespace Harness.Tests.Results.Analysis;

public sealed class ComparisonTableTests
{
    private static readonly ExperimentOutline Outline =
        new("e", [new("rand 4k", Metric.Iops), new("seq 1M", Metric.Throughput)], ["base", "fast"], "base");

    [Fact]
    public void RowsFollowTheOutlineWhateverTheTrialsOrder()
    {
        List<TrialRecord> trials =
            [.. Run("base", "rand 4k", 100, 110), .. Run("fast", "rand 4k", 310, 310), .. Run("base", "seq 1M", 100, 100)];
        string inOrder = ComparisonTable.OfSpeed([Outline], trials, 1).ToText();
        trials.Reverse();

        ComparisonTable table = ComparisonTable.OfSpeed([Outline], trials, 1);

        Assert.Equal(
            [("rand 4k", "base"), ("rand 4k", "fast"), ("seq 1M", "base"), ("seq 1M", "fast")],
            table.Rows.Select(row => (row.Workload, row.Configuration)));
        Assert.Equal(inOrder, table.ToText());
    }

    [Fact]
    public void EachWorkloadIsComparedByItsOwnMetric()
    {
        TrialRecord[] trials = [.. Run("base", "rand 4k", 12_345), .. Run("base", "seq 1M", 12_345)];

        ComparisonTable table = ComparisonTable.OfSpeed([Outline], trials, 1);

        Assert.Equal(["12.3 K IOPS", "–", "50.6 MB/s", "–"], table.Rows.Select(row => row.MedianText));
    }

    [Fact]
    public void LatencyIsBetterWhenLower()
    {
        TrialRecord[] trials = [.. Run("base", "rand 4k", 100, 100, 101), .. Run("fast", "rand 4k", 200, 201, 200)];

        ComparisonRow fast = ComparisonTable.Of([Outline], trials, _ => Metric.LatencyP99, 1).Rows[1];

        Assert.Equal(0.5, fast.Comparison.Ratio!.Value, 2);
        Assert.Equal(Verdict.Better, fast.Comparison.Verdict);
        Assert.Equal("10.0 ms", fast.MedianText);
    }

    [Fact]
    public void FailedTrialsAreCountedAndARetryReplacesThem()
    {
        TrialRecord[] measured = [.. Run("base", "rand 4k", 100, 200, 400), .. Run("fast", "rand 4k", 200, 400, 800)];
        TrialRecord[] trials = [Trials.Failed(measured[3]), .. measured[..4], Trials.Failed(measured[4]), measured[5]];

        ComparisonRow fast = ComparisonTable.OfSpeed([Outline], trials, 1).Rows[1];

        Assert.Equal((2, 1, 2), (fast.Summary.Count, fast.Failed, fast.Comparison.Pairs));
        Assert.Equal(2, fast.Comparison.Ratio!.Value, 12);
        Assert.Equal("2, 1 failed", fast.TrialsText);
        Assert.Equal("failed", ComparisonTable.OfSpeed([Outline], [Trials.Failed(measured[3])], 1).Rows[1].MedianText);
    }

    [Fact]
    public void PlainTextIsAligned()
    {
        TrialRecord[] trials = [.. Run("base", "rand 4k", 9_000, 9_100, 9_200), .. Run("fast", "rand 4k", 90_100, 91_000, 92_100)];
        var outline = new ExperimentOutline("direct I/O", [new("rand 4k", Metric.Iops)], ["base", "fast"], "base");

        Assert.Equal(
            """
            direct I/O
              workload  configuration       median  ratio  95 % interval  verdict   trials
              rand 4k   base           9.10 K IOPS  ×1.00              –  baseline  3
              rand 4k   fast           91.0 K IOPS  ×10.0   9.99 to 10.0  better    3

            """,
            ComparisonTable.OfSpeed([outline], [.. trials.Select(t => t with { Experiment = "direct I/O" })], 1).ToText());
    }

    [Fact]
    public void AnOutlineWhoseBaselineIsNoConfigurationIsRefused()
    {
        var e = Assert.Throws<ArgumentException>(() => new ExperimentOutline("e", Outline.Workloads, ["a", "b"], "none"));

        Assert.Contains("'none'", e.Message);
    }

    [Theory]
    [InlineData(0, "0.00 B/s")]
    [InlineData(999.4, "999 B/s")]
    [InlineData(999.6, "1.00 kB/s")]
    [InlineData(9_999_999, "10.0 MB/s")]
    [InlineData(4_243_000_000, "4.24 GB/s")]
    [InlineData(1e18, "1000000 TB/s")]
    public void ValuesHaveThreeDigitsAndAUnit(double value, string text) => Assert.Equal(text, Metric.Throughput.Format(value));

    [Theory]
    [InlineData(1, "×1.00")]
    [InlineData(0.1, "×0.10")]
    [InlineData(0.0996, "×0.10")]
    [InlineData(0.0994, "×0.099")]
    [InlineData(0.0123, "×0.012")]
    [InlineData(1.23e-7, "×0.00000012")]
    [InlineData(12.34, "×12.3")]
    public void RatiosNear1HaveTwoDecimals(double ratio, string text) => Assert.Equal(text, HumanUnits.Ratio(ratio));

    private static IEnumerable<TrialRecord> Run(string configuration, string workload, params double[] iops) =>
        iops.Select((value, block) => Trials.Of(configuration, block, value, workload));
}
