using Harness.Results.Statistics;
using MathNet.Numerics.Distributions;

namespace Harness.Tests.Results.Statistics;

public sealed class SummaryTests
{
    [Fact]
    public void MeanAndMedianAreThoseOfTheValues()
    {
        Summary odd = Of(9, 1, 2);
        Summary even = Of(9, 1, 2, 3);

        Assert.Equal((3, 4, 2), (odd.Count, odd.Mean, odd.Median));
        Assert.Equal((4, 3.75, 2.5), (even.Count, even.Mean, even.Median));
    }

    [Fact]
    public void NoValuesGiveNoNumbers()
    {
        Summary none = Of();

        Assert.Equal((0, double.NaN, double.NaN), (none.Count, none.Mean, none.Median));
        Assert.Null(none.MeanInterval);
        Assert.Null(none.MedianInterval);
    }

    /// <summary>
    /// The rank is the largest r for which fewer than r heads in so many tosses have a chance of at most 2.5 %: with 6 tosses no head has
    /// 1/64, with 9 at most one has 10/512, with 12 at most two have 79/4096.
    /// </summary>
    [Theory]
    [InlineData(5, null)]
    [InlineData(6, 1)]
    [InlineData(8, 1)]
    [InlineData(9, 2)]
    [InlineData(11, 2)]
    [InlineData(12, 3)]
    [InlineData(20, 6)]
    public void TheMediansIntervalLiesBetweenOrderStatistics(int count, int? rank)
    {
        Summary summary = Of([.. Enumerable.Range(1, count).Select(i => (double)i)]);

        Assert.Equal(rank is { } r ? new Interval(r, count + 1 - r) : null, summary.MedianInterval);
    }

    [Fact]
    public void TheMediansIntervalCoversTheTruthAtLeast95PercentOfTheTimeWhateverTheDistribution()
    {
        const int seed = 7;
        var random = new Random(seed);
        int covered = 0;
        for (int i = 0; i < 4_000; i++)
        {
            double[] values = [.. Enumerable.Range(0, 9).Select(_ => LogNormal.Sample(random, 0, 2))];
            covered += Of(values).MedianInterval!.Value.Contains(1) ? 1 : 0;
        }

        // Nine values give 96.1 % exactly; five standard errors are 1.5 %.
        Assert.InRange(covered / 4_000.0, 0.961 - 0.015, 0.961 + 0.015);
    }

    private static Summary Of(params double[] values) => Summary.Of(values, new Random(1));
}
