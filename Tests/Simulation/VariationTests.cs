using Harness.Simulation.MachineFiles;
using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;

namespace Harness.Tests.Simulation;

/// <summary>Single acts differ from their cost by what the machine says, and not at all where it says nothing.</summary>
public sealed class VariationTests
{
    const int Acts = 2_000;
    const long Cost = 1_000;

    /// <summary>What many stretches of work take on a machine.</summary>
    static List<long> Work(ActVariation variation, ulong seed = 1)
    {
        var world = new SimScheduler(new SimSchedulerOptions { Seed = seed });
        var machine = new Machine(world, TestMachines.Free1Node(1) with { Variation = variation });
        var took = new List<long>();
        machine.StartThread("worker", async thread =>
        {
            for (int i = 0; i < Acts; i++)
            {
                long start = world.NowNanoseconds;
                await thread.Compute(Cost);
                took.Add(world.NowNanoseconds - start);
            }
        });
        world.RunUntilIdle();
        Assert.Equal(took.Sum(), machine.Cpus[0].BusyNanoseconds);
        return took;
    }

    /// <summary>How long after each of many wake-ups a thread on an idle CPU runs.</summary>
    static List<long> WakeUps(ActVariation variation)
    {
        var world = new SimScheduler();
        var machine = new Machine(world, TestMachines.Free1Node(2, costs => costs with { IdleExitDeep = TestMachines.Ns(Cost) }) with
        {
            Variation = variation,
        });
        var took = new List<long>();
        long rung = 0;
        SimThread sleeper = machine.StartThread("sleeper", async thread =>
        {
            for (int i = 0; i < Acts; i++)
            {
                await thread.Block("the ring");
                took.Add(world.NowNanoseconds - rung);
            }
        }, CpuSet.Of(1));
        machine.StartThread("waker", async thread =>
        {
            for (int i = 0; i < Acts; i++)
            {
                await thread.Compute(10 * Cost);
                rung = world.NowNanoseconds;
                await thread.Wake(sleeper);
            }
        }, CpuSet.Of(0));
        world.RunUntilIdle();
        return took;
    }

    static void Spreads(List<long> took, double share)
    {
        Assert.Equal(Acts, took.Count);
        Assert.InRange(took.Min(), Cost * (1 - share), Cost * (1 - (0.9 * share)));
        Assert.InRange(took.Max(), Cost * (1 + (0.9 * share)), Cost * (1 + share));
        Assert.InRange(took.Average(), Cost * 0.98, Cost * 1.02);
    }

    [Fact]
    public void WorkVariesAroundItsCostAndNoFurtherThanTheMachineSays() => Spreads(Work(new ActVariation(0, 0.3, "test")), 0.3);

    [Fact]
    public void TheWayOutOfIdlenessVariesLikewise() => Spreads(WakeUps(new ActVariation(0.5, 0, "test")), 0.5);

    [Fact]
    public void EachOfTheTwoVariesAlone()
    {
        Assert.All(Work(new ActVariation(0.5, 0, "test")), took => Assert.Equal(Cost, took));
        Assert.All(WakeUps(new ActVariation(0, 0.5, "test")), took => Assert.Equal(Cost, took));
    }

    [Fact]
    public void WhereTheMachineSaysNothingEveryActTakesItsCost() => Assert.All(Work(ActVariation.None), took => Assert.Equal(Cost, took));

    [Fact]
    public void TheSameSeedGivesTheSameActsAndAnotherOneOthers()
    {
        var variation = new ActVariation(0, 0.3, "test");
        Assert.Equal(Work(variation, seed: 7), Work(variation, seed: 7));
        Assert.NotEqual(Work(variation, seed: 7), Work(variation, seed: 8));
    }

    [Fact]
    public void WhatIsWrittenToAMachineFileIsReadAgain()
    {
        MachineDescription machine = MachineFile.Load("1x8") with { Variation = new ActVariation(0.215, 0.07, "measured") };
        Assert.Equal(machine.Variation, MachineFile.Parse(MachineFileWriter.Write(machine), "f").Variation);
    }
}
