using Harness.Results;

namespace Harness.Tests.Results;

public sealed class LatencyHistogramTests
{
    [Fact]
    public void PercentilesAreRightToThreeDigits()
    {
        var histogram = new LatencyHistogram();
        for (long micros = 1; micros <= 10_000; micros++)
        {
            histogram.Record(micros * 1000);
        }

        foreach (double percentile in new[] { 1, 50, 95, 99, 99.9, 100 })
        {
            double expected = percentile / 100 * 10_000_000;
            Assert.InRange(histogram.PercentileNanos(percentile), expected * 0.999, expected * 1.001);
        }
        Assert.Equal(10_000, histogram.Count);
        Assert.InRange(histogram.MeanNanos, 5_000_500 * 0.999, 5_000_500 * 1.001);
        Assert.InRange(histogram.SlowestNanos, 10_000_000, 10_000_000 * 1.001);
    }

    [Fact]
    public void AnyLatencyReadsAsItselfOrUpToAThousandthMore()
    {
        const int seed = 1;
        var random = new Random(seed);
        for (int i = 0; i < 1_000; i++)
        {
            long nanos = (long)Math.Exp(random.NextDouble() * Math.Log(LatencyHistogram.MaxNanos));
            var histogram = new LatencyHistogram();
            histogram.Record(nanos);

            double read = histogram.PercentileNanos(50);
            Assert.True(nanos <= read && read <= nanos * 1.001, $"{nanos} ns reads as {read} ns (value {i} of new Random({seed}))");
        }
    }

    [Fact]
    public void ACountWeighsAsThatManyOperations()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(100, 999);
        histogram.Record(5_000, 1);

        Assert.Equal(1000, histogram.Count);
        Assert.Equal(100, histogram.PercentileNanos(99.9));
        Assert.InRange(histogram.PercentileNanos(100), 5_000, 5_005);
    }

    [Fact]
    public void MergingIsRecordingBoth()
    {
        var both = new LatencyHistogram();
        LatencyHistogram[] parts = [new(), new()];
        var random = new Random(1);
        for (int i = 0; i < 10_000; i++)
        {
            long nanos = (long)Math.Exp(random.NextDouble() * 20);
            both.Record(nanos);
            parts[i % 2].Record(nanos);
        }

        parts[0].Merge(parts[1]);

        Assert.Equal(both.Count, parts[0].Count);
        Assert.All([0, 10, 50, 99, 99.9, 100], p => Assert.Equal(both.PercentileNanos(p), parts[0].PercentileNanos(p)));
    }

    [Fact]
    public void WhatTakesLongerThanTheMaximumCountsAsTheMaximum()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(long.MaxValue);
        histogram.Record(0);

        Assert.InRange(histogram.SlowestNanos, LatencyHistogram.MaxNanos, LatencyHistogram.MaxNanos * 1.001);
        Assert.Equal(0, histogram.PercentileNanos(0));
    }

    [Fact]
    public void NothingRecordedReadsAsZero()
    {
        var histogram = new LatencyHistogram();

        Assert.Equal((0, 0, 0, 0), (histogram.Count, histogram.MeanNanos, histogram.SlowestNanos, histogram.PercentileNanos(99)));
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(1, -1)]
    public void NegativeLatenciesAndCountsAreRefused(long nanos, long count) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new LatencyHistogram().Record(nanos, count));
}
