using Harness.Experiments.Calibration;
using Harness.Runtime;
using Harness.Simulation.MachineFiles;
using Harness.Simulation.Machines;
using Doubtful = Harness.Experiments.Calibration.Calibration;

namespace Harness.Tests.Experiments.Calibration;

/// <summary>How long a figure is measured on, and what is said of one that stays uncertain.</summary>
public sealed class SamplerTests
{
    private const int Batches = 10;
    private const int Most = 4 * Batches;
    private const double Usual = 100;
    private static readonly int s_cpu = Topology.Current.Online.Numbers.First();

    [Fact]
    public void AFigureWhoseIntervalIsNarrowIsMeasuredAsOftenAsAskedFor() => Assert.Equal(Batches, CountOf(_ => Usual).Measured);

    [Fact]
    public void AFigureIsMeasuredOnUntilItsIntervalIsNarrow()
    {
        (int measured, Figure figure) = CountOf(i => i < Batches ? Wild(i) : Usual);
        Assert.InRange(measured, Batches + 1, Most - 1);
        Assert.False(figure.IsWide);
        Assert.Equal(Usual, figure.Nanos);
    }

    [Fact]
    public void AFigureThatStaysWideIsGivenUpAfterFourTimesAsManyAndKeepsItsWideInterval()
    {
        (int measured, Figure figure) = CountOf(Wild);
        Assert.Equal(Most, measured);
        Assert.True(figure.IsWide);
    }

    [Fact]
    public void ADifferenceIsMeasuredOnByMeasuringAllItsTermsAnew()
    {
        int rounds = 0;
        Figure settled = Fresh().Settle(each =>
        {
            int round = rounds++;
            Figure larger = each.Batch(s_cpu, () => (2 * Usual) + (round < Batches ? Wild(round) : 0), "");
            return larger.Less("larger less smaller", each.Batch(s_cpu, () => Usual, ""));
        });
        Assert.InRange(rounds, Batches + 1, Most);
        Assert.Equal((Usual, "larger less smaller"), (settled.Nanos, settled.Source));
    }

    [Fact]
    public void ADifferenceThatStaysWideIsGivenUpToo()
    {
        int rounds = 0;
        Figure settled = Fresh().Settle(_ => new Figure(Wild(rounds++), 0, 0, ""));
        Assert.Equal(Most, rounds);
        Assert.True(settled.IsWide);
    }

    [Theory]
    [InlineData(1000, 600, 1400, true)]
    [InlineData(1000, 900, 1100, false)]
    [InlineData(100, 50, 150, false)]
    public void WhatStaysUncertainIsNamedWithItsIntervalAndWhatToDo(long value, long low, long high, bool isNamed)
    {
        var cost = new Cost(value, "test") { LowNanoseconds = low, HighNanoseconds = high };
        MachineDescription machine = MachineFile.Load("1x8");
        machine = machine with
        {
            Costs = machine.Costs with { Block = cost },
            Layers = new Dictionary<string, LayerCosts>
            {
                ["daemon"] = new("daemon", new Dictionary<string, Cost> { ["readPage"] = cost }, new Dictionary<string, Rate>()),
            },
        };
        string[] said = [.. Doubtful.Doubts(machine)];
        string[] expected = isNamed
            ? [.. from name in (string[])["block", "daemon.readPage"]
                  select $"{name} is {value} ns, but may be {low} to {high} ns; calibrate again when nobody else uses the machine"]
            : [];
        Assert.Equal(expected, said);
    }

    private static Sampler Fresh() => new(Batches, CancellationToken.None);

    /// <summary>Values between which a median could be anywhere.</summary>
    private static double Wild(int i) => i % 2 == 0 ? Usual : 10 * Usual;

    /// <summary>How many values were taken, the first not counted, and what came out.</summary>
    private static (int Measured, Figure Figure) CountOf(Func<int, double> value)
    {
        int calls = 0;
        Figure figure = Fresh().Batch(s_cpu, () => calls++ == 0 ? 1e9 : value(calls - 2), "");
        return (calls - 1, figure);
    }
}
