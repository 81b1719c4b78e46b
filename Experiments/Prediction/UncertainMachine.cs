using System.Reflection;
using Harness.Simulation.Chance;
using Harness.Simulation.Machines;

namespace Harness.Experiments.Prediction;

/// <summary>
/// Machines as a calibration leaves them possible: each cost somewhere in the interval that it was measured with, all alike likely. Where a
/// hundred nanoseconds decide in which of two states a mount is, a single machine would say more than is known.
/// </summary>
internal static class UncertainMachine
{
    private static readonly PropertyInfo[] s_costs = [.. typeof(CostModel).GetProperties().Where(property => property.PropertyType == typeof(Cost))];

    /// <summary>One of them.</summary>
    public static MachineDescription Draw(MachineDescription machine, ulong seed)
    {
        var random = new SimRandom(seed);
        CostModel costs = machine.Costs with { };
        foreach (PropertyInfo property in s_costs)
        {
            property.SetValue(costs, Draw((Cost)property.GetValue(costs)!, random.Split(property.Name)));
        }

        return machine with
        {
            Costs = costs,
            Layers = machine.Layers.ToDictionary(
                layer => layer.Key,
                layer => layer.Value with
                {
                    Times = layer.Value.Times.ToDictionary(time => time.Key, time => Draw(time.Value, random.Split($"{layer.Key}.{time.Key}"))),
                }),
        };
    }

    private static Cost Draw(Cost cost, SimRandom random) => cost is { LowNanoseconds: long low, HighNanoseconds: long high }
        ? cost with { Nanoseconds = low + (long)((high - low) * random.NextDouble()) }
        : cost;
}
