using Harness.Experiments.Observing;
using Harness.Tests.Experiments.Backends;

namespace Harness.Tests.Experiments.Observing;

public sealed class LatencyBucketsTests
{
    private const int Cases = 20_000;

    [Fact]
    public void EveryLatencyLiesWithinItsBucketWhichIsAtMostASixteenthWide() => RandomRun.WithSeed(seed =>
    {
        var random = new Random((int)seed);
        for (int i = 0; i < Cases; i++)
        {
            long nanos = Any(random);
            int index = LatencyBuckets.IndexOf(nanos);
            long lower = LatencyBuckets.LowerBound(index);
            long upper = LatencyBuckets.LowerBound(index + 1);
            Assert.True(lower <= nanos && nanos < upper, $"{nanos} ns is put between {lower} and {upper}");
            Assert.True(upper - lower <= Math.Max(1, lower / 16), $"the bucket of {nanos} ns is {upper - lower} ns wide");
        }
    });

    [Fact]
    public void BucketsFollowEachOtherWithoutGapOrOverlap()
    {
        for (int index = 0; index < LatencyBuckets.Count; index++)
        {
            long lower = LatencyBuckets.LowerBound(index);
            Assert.Equal(index, LatencyBuckets.IndexOf(lower));
            Assert.Equal(index, LatencyBuckets.IndexOf(LatencyBuckets.LowerBound(index + 1) - 1));
        }
    }

    [Fact]
    public void WhatIsTooLongOrNegativeIsStillCounted()
    {
        Assert.Equal(LatencyBuckets.Count - 1, LatencyBuckets.IndexOf(long.MaxValue));
        Assert.Equal(0, LatencyBuckets.IndexOf(-5));
    }

    [Fact]
    public void PercentilesAndMeanAreThoseOfTheLatenciesToAThirtySecond() => RandomRun.WithSeed(seed =>
    {
        var random = new Random((int)seed);
        long[] latencies = [.. Enumerable.Range(0, 1 + random.Next(2000)).Select(_ => Any(random))];
        var counts = new long[LatencyBuckets.Count];
        foreach (long nanos in latencies)
        {
            counts[LatencyBuckets.IndexOf(nanos)]++;
        }

        Array.Sort(latencies);
        foreach (double percentile in (double[])[0.1, 25, 50, 90, 99, 99.9, 100])
        {
            int rank = Math.Max(1, (int)Math.Ceiling(percentile / 100 * latencies.Length));
            AssertNear(latencies[rank - 1], LatencyBuckets.Percentile(counts, percentile));
        }

        AssertNear(latencies.Average(), LatencyBuckets.Mean(counts));
    });

    [Fact]
    public void NothingCountedHasNoLatency()
    {
        Assert.Equal(0, LatencyBuckets.Percentile(new long[LatencyBuckets.Count], 99));
        Assert.Equal(0, LatencyBuckets.Mean(new long[LatencyBuckets.Count]));
    }

    /// <summary>From 0 to 2^35 ns, as many of each magnitude.</summary>
    private static long Any(Random random) => random.NextInt64(1L << random.Next(36));

    private static void AssertNear(double expected, double actual) =>
        Assert.True(Math.Abs(actual - expected) <= Math.Max(1, expected / 32), $"{actual} where {expected} was expected");
}
