using Harness.Experiments.Prediction;
using Harness.Simulation.MachineFiles;
using Harness.Simulation.Machines;

namespace Harness.Tests.Experiments.Prediction;

/// <summary>A drawn machine has each cost within the interval that it was measured with, and nothing else differs.</summary>
public sealed class UncertainMachineTests
{
    private const int Draws = 100;

    private static readonly MachineDescription s_machine = MachineFile.Load("this-vm");

    [Fact]
    public void EachCostLiesInItsIntervalAndGoesThroughMostOfIt()
    {
        Cost measured = s_machine.Costs.InterruptSend;
        (long low, long high) = (measured.LowNanoseconds!.Value, measured.HighNanoseconds!.Value);
        long[] drawn = [.. Enumerable.Range(0, Draws).Select(seed => UncertainMachine.Draw(s_machine, (ulong)seed).Costs.InterruptSend.Nanoseconds)];
        Assert.All(drawn, nanoseconds => Assert.InRange(nanoseconds, low, high));
        Assert.True(drawn.Max() - drawn.Min() > (high - low) * 0.8, $"{Draws} draws span {drawn.Max() - drawn.Min()} ns of {high - low}");
    }

    [Fact]
    public void CostsOfLayersAreDrawnToo()
    {
        (string layer, string name, Cost measured) = (
            from costs in s_machine.Layers.Values
            from time in costs.Times
            where time.Value.HighNanoseconds > time.Value.LowNanoseconds + 10
            select (costs.Layer, time.Key, time.Value)).First();
        long[] drawn = [.. Enumerable.Range(0, Draws).Select(seed => UncertainMachine.Draw(s_machine, (ulong)seed).Layers[layer].Times[name].Nanoseconds)];
        Assert.All(drawn, nanoseconds => Assert.InRange(nanoseconds, measured.LowNanoseconds!.Value, measured.HighNanoseconds!.Value));
        Assert.True(drawn.Distinct().Count() > 1);
    }

    [Fact]
    public void WhatHasNoIntervalStaysAsItIsAndSoDoesTheMachineThatIsDrawnFrom()
    {
        string before = MachineFileWriter.Write(s_machine);
        Cost slice = UncertainMachine.Draw(s_machine, seed: 1).Costs.TimeSlice;
        Assert.Equal(s_machine.Costs.TimeSlice, slice);
        Assert.Equal(before, MachineFileWriter.Write(s_machine));
    }

    [Fact]
    public void TheSameSeedGivesTheSameMachine() => Assert.Equal(
        MachineFileWriter.Write(UncertainMachine.Draw(s_machine, seed: 5)), MachineFileWriter.Write(UncertainMachine.Draw(s_machine, seed: 5)));
}
