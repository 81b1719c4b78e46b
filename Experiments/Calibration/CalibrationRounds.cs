using System.Reflection;
using Harness.Results.Statistics;
using Harness.Simulation.Machines;

namespace Harness.Experiments.Calibration;

/// <summary>
/// One machine from several calibrations of it. What others do on the host makes a guest faster or slower by half for minutes, so that one
/// calibration says what the machine was like in those minutes: each figure is the median of all rounds, and its interval reaches from the least to
/// the greatest, which with five rounds holds the median of all rounds there could be in 94 of 100 cases.
/// </summary>
internal static class CalibrationRounds
{
    private static readonly PropertyInfo[] s_costs = [.. typeof(CostModel).GetProperties().Where(property => property.CanWrite)];

    /// <summary>Puts rounds together.</summary>
    /// <param name="rounds">Calibrations of one machine; at least one.</param>
    public static MachineDescription Together(IReadOnlyList<MachineDescription> rounds)
    {
        if (rounds.Count == 1)
        {
            return rounds[0];
        }

        MachineDescription first = rounds[0];
        // A round in which threads were seen to be placed otherwise than in most says nothing of how full a CPU may be.
        MachineDescription[] alike =
        [
            .. rounds.GroupBy(round => round.Wakes).OrderByDescending(group => group.Count()).ThenBy(group => group.Key).First(),
        ];
        return first with
        {
            Costs = Together([.. rounds.Select(round => round.Costs)]),
            Layers = first.Layers.ToDictionary(
                layer => layer.Key, layer => Together([.. rounds.Select(round => round.Layers[layer.Key])])),
            Wakes = alike[0].Wakes,
            Packing = new Packing(
                Summary.MedianOf(alike.Select(round => round.Packing.Room)), Summary.MedianOf(alike.Select(round => round.Packing.ExitCounted))),
            SchedulerSource = alike[0].SchedulerSource,
            Variation = first.Variation with
            {
                WakeUps = Summary.MedianOf(rounds.Select(round => round.Variation.WakeUps)),
                Work = Summary.MedianOf(rounds.Select(round => round.Variation.Work)),
            },
        };
    }

    private static CostModel Together(CostModel[] rounds)
    {
        CostModel costs = rounds[0] with { };
        foreach (PropertyInfo property in s_costs)
        {
            object[] values = [.. rounds.Select(round => property.GetValue(round)!)];
            property.SetValue(costs, values[0] switch
            {
                Cost => Together([.. values.Cast<Cost>()]),
                Rate => Together([.. values.Cast<Rate>()]),
                object other => other,
            });
        }

        return costs;
    }

    private static LayerCosts Together(LayerCosts[] rounds) => rounds[0] with
    {
        Times = rounds[0].Times.ToDictionary(time => time.Key, time => Together([.. rounds.Select(round => round.Times[time.Key])])),
        Rates = rounds[0].Rates.ToDictionary(rate => rate.Key, rate => Together([.. rounds.Select(round => round.Rates[rate.Key])])),
    };

    private static Cost Together(Cost[] rounds) => rounds[0].LowNanoseconds is null
        ? rounds[0]
        : new Cost((long)Summary.MedianOf(rounds.Select(round => (double)round.Nanoseconds)), Source(rounds[0].Source, rounds.Length))
        {
            LowNanoseconds = rounds.Min(round => round.Nanoseconds),
            HighNanoseconds = rounds.Max(round => round.Nanoseconds),
        };

    private static Rate Together(Rate[] rounds) => rounds[0].LowBytesPerSecond is null
        ? rounds[0]
        : new Rate((long)Summary.MedianOf(rounds.Select(round => (double)round.BytesPerSecond)), Source(rounds[0].Source, rounds.Length))
        {
            LowBytesPerSecond = rounds.Min(round => round.BytesPerSecond),
            HighBytesPerSecond = rounds.Max(round => round.BytesPerSecond),
        };

    private static string Source(string ofFirst, int rounds) => $"median of {rounds} rounds, the first of which: {ofFirst}";
}
