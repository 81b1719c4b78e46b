using Harness.Experiments.Calibration;
using Harness.Simulation.MachineFiles;
using Harness.Simulation.Machines;
using Harness.Tests.Simulation;

namespace Harness.Tests.Experiments.Calibration;

/// <summary>One machine from several calibrations.</summary>
public sealed class CalibrationRoundsTests
{
    private const string Layer = "fuse";
    private const string Name = "request";

    private static readonly long[] s_measured = [900, 100, 400, 300, 200];

    [Fact]
    public void AFigureIsTheMedianOfTheRoundsAndItsIntervalTheirRange()
    {
        MachineDescription together = CalibrationRounds.Together([.. s_measured.Select(nanos => Round(nanos))]);
        Assert.All(new[] { together.Costs.SystemCall, together.Layers[Layer].Times[Name] }, cost =>
        {
            Assert.Equal((300, 100, 900), (cost.Nanoseconds, cost.LowNanoseconds, cost.HighNanoseconds));
            Assert.Contains("median of 5 rounds", cost.Source, StringComparison.Ordinal);
        });
        Assert.Equal(
            (300, 100, 900), (together.Costs.CopyLocal.BytesPerSecond, together.Costs.CopyLocal.LowBytesPerSecond, together.Costs.CopyLocal.HighBytesPerSecond));
    }

    [Fact]
    public void WhatNoRoundMeasuredStaysAsItIs()
    {
        MachineDescription together = CalibrationRounds.Together([.. s_measured.Select(nanos => Round(nanos))]);
        Assert.Equal(Round(1).Costs.TimeSlice, together.Costs.TimeSlice);
    }

    [Fact]
    public void OneRoundIsTheMachine()
    {
        MachineDescription only = Round(1);
        Assert.Same(only, CalibrationRounds.Together([only]));
    }

    [Fact]
    public void HowThreadsArePlacedIsWhatMostRoundsSawAndHowFullCpusMayBeTheirMedian()
    {
        MachineDescription together = CalibrationRounds.Together(
        [
            Round(1) with { Wakes = WakePlacement.Idle, SchedulerSource = "seldom" },
            Round(2) with { Wakes = WakePlacement.Packed, Packing = new Packing(0.6, 0.4), SchedulerSource = "often" },
            Round(3) with { Wakes = WakePlacement.Packed, Packing = new Packing(0.8, 0.5), SchedulerSource = "often" },
        ]);
        Assert.Equal((WakePlacement.Packed, "often"), (together.Wakes, together.SchedulerSource));
        Assert.Equal((0.7, 0.45), (together.Packing.Room, Math.Round(together.Packing.ExitCounted, 3)));
    }

    [Fact]
    public void TheMachineCanBeWrittenAndRead()
    {
        MachineDescription together = CalibrationRounds.Together([.. s_measured.Select(nanos => Round(nanos))]);
        MachineDescription read = MachineFile.Parse(MachineFileWriter.Write(together), "x.yaml");
        Assert.Equal(together.Costs.SystemCall, read.Costs.SystemCall);
        Assert.Equal(together.Layers[Layer].Times[Name], read.Layers[Layer].Times[Name]);
    }

    private static MachineDescription Round(long nanos)
    {
        MachineDescription machine = TestMachines.Free1Node(2);
        var cost = new Cost(nanos, "measured") { LowNanoseconds = nanos - 1, HighNanoseconds = nanos + 1 };
        var rate = new Rate(nanos, "measured") { LowBytesPerSecond = nanos - 1, HighBytesPerSecond = nanos + 1 };
        return machine with
        {
            Costs = machine.Costs with { SystemCall = cost, CopyLocal = rate },
            Layers = new Dictionary<string, LayerCosts>
            {
                [Layer] = new(Layer, new Dictionary<string, Cost> { [Name] = cost }, new Dictionary<string, Rate>()),
            },
        };
    }
}
