using Harness.Results.Statistics;

namespace Harness.Tests.Results.Statistics;

public sealed class ComparisonTests
{
    [Fact]
    public void TheRatioIsTheGeometricMeanOfTheBlocksRatiosWithStudentsInterval()
    {
        Comparison comparison = Compare([100, 200, 400], [200, 200, 1600]);

        // Log ratios ln 2, 0, ln 4: mean ln 2, standard deviation ln 2, and t(0.975, 2) = 4.302653 from printed tables.
        double reach = 4.302653 * Math.Log(2) / Math.Sqrt(3);
        Assert.Equal(2, comparison.Ratio!.Value, 12);
        Assert.Equal(2 * Math.Exp(-reach), comparison.Interval!.Value.Low, 6);
        Assert.Equal(2 * Math.Exp(reach), comparison.Interval!.Value.High, 5);
        Assert.Equal((3, 0, Verdict.Inconclusive), (comparison.Pairs, comparison.Excluded, comparison.Verdict));
    }

    [Theory]
    [InlineData(2.0, Direction.HigherIsBetter, Verdict.Better)]
    [InlineData(2.0, Direction.LowerIsBetter, Verdict.Worse)]
    [InlineData(0.5, Direction.HigherIsBetter, Verdict.Worse)]
    [InlineData(0.5, Direction.LowerIsBetter, Verdict.Better)]
    public void TheVerdictFollowsTheMetricsDirection(double ratio, Direction direction, Verdict verdict)
    {
        Comparison comparison = Compare([100, 110, 90], [101 * ratio, 109 * ratio, 90 * ratio], direction);

        Assert.Equal(verdict, comparison.Verdict);
    }

    [Theory]
    [InlineData(new double[] { }, null)]
    [InlineData(new double[] { 20 }, 2.0)]
    public void FewerThanTwoPairsHaveNoIntervalAndAreInconclusive(double[] configuration, double? ratio)
    {
        Comparison comparison = Compare([10], configuration);

        Assert.Equal(ratio ?? double.NaN, comparison.Ratio ?? double.NaN, 12);
        Assert.Null(comparison.Interval);
        Assert.Equal((configuration.Length, Verdict.Inconclusive), (comparison.Pairs, comparison.Verdict));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(12)]
    public void WithoutVarianceTheIntervalIsAPoint(int blocks)
    {
        Comparison better = Compare(Enumerable.Repeat(100.0, blocks), Enumerable.Repeat(150.0, blocks));
        Comparison same = Compare(Enumerable.Repeat(100.0, blocks), Enumerable.Repeat(100.0, blocks));

        Assert.Equal(1.5, better.Interval!.Value.Low, 12);
        Assert.Equal(1.5, better.Interval!.Value.High, 12);
        Assert.Equal(Verdict.Better, better.Verdict);
        Assert.Equal(new Interval(1, 1), same.Interval);
        Assert.Equal(Verdict.Inconclusive, same.Verdict);
    }

    [Fact]
    public void MostlyTiedBlocksFallBackToStudent()
    {
        double[] tied = [150, 150, 150, 150, 150, 150, 150, 150, 150, 150, 150, 151];
        Comparison comparison = Compare(Enumerable.Repeat(100.0, 12), tied);

        Interval expected = MeanInterval.StudentT([.. tied.Select(value => Math.Log(value / 100))]);
        Assert.Equal(new Interval(Math.Exp(expected.Low), Math.Exp(expected.High)), comparison.Interval);
    }

    [Fact]
    public void BlocksThatOneSideLacksDoNotCount()
    {
        var baseline = new Dictionary<int, double> { [0] = 100, [1] = 100, [3] = 1, [7] = 100 };
        var configuration = new Dictionary<int, double> { [7] = 200, [2] = 9_999, [1] = 200, [0] = 200 };

        Comparison comparison = Comparison.Of(baseline, configuration, Direction.HigherIsBetter, new Random(1));

        Assert.Equal((3, 0), (comparison.Pairs, comparison.Excluded));
        Assert.Equal(2, comparison.Ratio!.Value, 12);
    }

    [Fact]
    public void ValuesWithoutALogarithmAreExcludedAndCounted()
    {
        Comparison comparison = Compare([100, 0, 100, 100, double.NaN, 100, 100], [200, 100, -5, 0, 100, double.PositiveInfinity, 200]);

        Assert.Equal((2, 5), (comparison.Pairs, comparison.Excluded));
        Assert.Equal(2, comparison.Ratio!.Value, 12);
    }

    [Fact]
    public void TheSameSeedGivesTheSameBootstrapAndAnotherSeedNearlyTheSame()
    {
        double[] configuration = [.. Enumerable.Range(0, 12).Select(i => 100.0 + (i * i))];
        Dictionary<int, double> baseline = ByBlock(Enumerable.Repeat(100.0, 12));
        Interval Interval(int seed) =>
            Comparison.Of(baseline, ByBlock(configuration), Direction.HigherIsBetter, new Random(seed)).Interval!.Value;

        Assert.Equal(Interval(1), Interval(1));
        Assert.NotEqual(Interval(1), Interval(2));
        Assert.Equal(Interval(1).Low, Interval(2).Low, 1);
    }

    [Fact]
    public void ACellsChanceDependsOnSeedAndNamesAlone()
    {
        int[] Draws(long seed, params string[] names) => [.. Enumerable.Repeat(Chance.For(seed, names), 3).Select(random => random.Next())];

        // Pinned, so that a run's intervals can be computed again years later.
        Assert.Equal([1459628653, 2100477993, 1632665980], Draws(42, "experiment", "workload"));
        Assert.NotEqual(Draws(42, "ab", "c"), Draws(42, "a", "bc"));
        Assert.NotEqual(Draws(42, "a"), Draws(43, "a"));
    }

    private static Comparison Compare(
        IEnumerable<double> baseline, IEnumerable<double> configuration, Direction direction = Direction.HigherIsBetter) =>
        Comparison.Of(ByBlock(baseline), ByBlock(configuration), direction, new Random(1));

    private static Dictionary<int, double> ByBlock(IEnumerable<double> values) =>
        values.Select((value, block) => (value, block)).ToDictionary(pair => pair.block, pair => pair.value);
}
