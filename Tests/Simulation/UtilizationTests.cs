using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;

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

    /// <summary>It computes for 32 ms all in all: half a CPU if it stays.</summary>
    [Theory]
    [InlineData(0, 0.45, 0.55)]
    [InlineData(1, 0, 0.2)]
    public void AThreadThatMovesToAndFroSeemsToUseHardlyAnything(int other, double least, double most)
    {
        const int pieces = 128;
        const long piece = 250_000;
        var world = new SimScheduler();
        var machine = new Machine(world, TestMachines.Free1Node(2) with { Wakes = WakePlacement.Packed, Packing = new Packing(Room: 0.7, ExitCounted: 0) });
        double used = -1;
        machine.StartThread("thread", async thread =>
        {
            for (int i = 0; i < pieces; i++)
            {
                await thread.SetAffinity(CpuSet.Of(i % 2 == 0 ? 0 : other));
                await thread.Compute(piece);
            }

            thread.Cpu.CountCurrent();
            used = thread.Utilization.Value;
        }, CpuSet.Of(0));
        world.RunUntil(() => used >= 0, "the end");
        Assert.InRange(used, least, most);
    }

    /// <summary>Woken on an idle CPU it has waited each time, so that what was expected of it before stays.</summary>
    [Theory]
    [InlineData(0, 0, 0.2)]
    [InlineData(2_000, 0.3, 0.4)]
    public void LessIsNotExpectedOfAThreadThatIsWokenOnIdleCpus(long wakeNanoseconds, double least, double most)
    {
        const int rounds = 10_000;
        const long exit = 5_000;
        var world = new SimScheduler();
        MachineDescription description = TestMachines.Free1Node(2, costs => costs with
        {
            IdleExitShallow = TestMachines.Ns(exit),
            IdleExitDeep = TestMachines.Ns(exit),
            WakeSameCpu = TestMachines.Ns(wakeNanoseconds),
        });
        var machine = new Machine(world, description with { Wakes = WakePlacement.Packed, Packing = new Packing(Room: 0.7, ExitCounted: 0) });
        double expected = -1;
        machine.StartThread("thread", async thread =>
        {
            await thread.Compute(20_000_000);
            for (int i = 0; i < rounds; i++)
            {
                await thread.Compute(2_000);
                await thread.Sleep(20_000);
            }

            expected = thread.Estimate.Value;
        }, CpuSet.Of(0));
        world.RunUntil(() => expected >= 0, "the end");
        Assert.InRange(expected, least, most);
    }
}
