using Harness.Simulation.Machines;

namespace Harness.Tests.Simulation;

/// <summary>How a scheduler that packs threads counts what they use.</summary>
public sealed class UtilizationTests
{
    private const long Period = 1 << 20;
    private const int HalfLife = 32;

    // A step of the estimate is a quarter of the way.
    private const double Step = 0.25;

    [Fact]
    public void WhatIsUsedAllTheTimeCountsHalfAfterAHalfLifeAndIsForgottenAsFast()
    {
        var utilization = new Utilization();
        utilization.Count(HalfLife * Period, isUsed: true);
        Assert.Equal(0.5, utilization.Value, precision: 9);
        utilization.Count(2 * HalfLife * Period, isUsed: true);
        Assert.Equal(0.75, utilization.Value, precision: 9);
        utilization.Count(4 * HalfLife * Period, isUsed: false);
        Assert.Equal(0.1875, utilization.Value, precision: 9);
    }

    [Fact]
    public void WhatIsUsedInAPeriodShowsAtItsEnd()
    {
        var utilization = new Utilization();
        utilization.Count(Period - 1, isUsed: true);
        Assert.Equal(0, utilization.Value);
        utilization.Count(Period, isUsed: true);
        Assert.Equal(1 - Math.Pow(2, -1.0 / HalfLife), utilization.Value, precision: 9);
    }

    [Fact]
    public void WhoMovesTwiceAPeriodSeemsToUseNothing()
    {
        var utilization = new Utilization();
        for (long now = Period / 2; now < HalfLife * Period; now += Period / 2)
        {
            utilization.Move();
            // It has slept over the end of the period.
            bool ends = now % Period == 0;
            utilization.Count(now, isUsed: !ends);
        }

        Assert.Equal(0, utilization.Value, precision: 9);
    }

    [Fact]
    public void MoreIsExpectedAtOnceAndLessStepByStep()
    {
        var estimate = new UtilizationEstimate();
        estimate.Look(Period, used: 0.8, runnable: 0.8);
        Assert.Equal(0.8, estimate.Value);
        estimate.Look(2 * Period, used: 0.4, runnable: 0.4);
        Assert.Equal(0.8 - (Step * 0.4), estimate.Value, precision: 9);
        estimate.Look(3 * Period, used: 0.75, runnable: 0.75);
        Assert.Equal(0.75, estimate.Value);
    }

    [Theory]
    [InlineData(2 * Period - 1, 0.4, 0.4)]
    [InlineData(2 * Period, 0.4, 0.42)]
    [InlineData(2 * Period, 0.795, 0.795)]
    public void NoLessIsExpectedWithinAPeriodNorOfWhoHasWaitedNorByLessThanOnePerCent(long now, double used, double runnable)
    {
        var estimate = new UtilizationEstimate();
        estimate.Look(Period, used: 0.8, runnable: 0.8);
        estimate.Look(now, used, runnable);
        Assert.Equal(0.8, estimate.Value);
    }
}
