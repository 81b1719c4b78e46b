using System.Globalization;
using System.Text;
using Harness.Simulation.Machines;

namespace Harness.Simulation.MachineFiles;

/// <summary>Writes a machine as a file that <see cref="MachineFile"/> reads back as the same machine.</summary>
public static class MachineFileWriter
{
    /// <summary>
    /// The machine file's text: times in nanoseconds, rates in GB/s, every figure with its source and its interval if it has one.
    /// </summary>
    public static string Write(MachineDescription machine)
    {
        ArgumentNullException.ThrowIfNull(machine);
        var text = new StringBuilder();
        Line(text, 0, $"name: {Quote(machine.Name)}");
        Line(text, 0, $"description: {Quote(machine.Description)}");
        Line(text, 0, "topology:");
        Line(text, 1, "nodes:");
        foreach (int cpus in machine.CpusOfNode)
        {
            Line(text, 2, $"- {{cpus: {cpus}}}");
        }
        Line(text, 1, "distances:");
        foreach (IReadOnlyList<int> row in machine.Distances)
        {
            Line(text, 2, $"- [{string.Join(", ", row)}]");
        }
        Line(text, 1, $"source: {Quote(machine.TopologySource)}");
        if (machine.SchedulerSource.Length > 0)
        {
            Line(text, 0, "scheduler:");
            Line(text, 1, $"wakes: {MachineFile.Placements[(int)machine.Wakes]}");
            if (machine.Wakes == WakePlacement.Packed)
            {
                Line(text, 1, $"room: {Number((decimal)(100 * machine.Packing.Room))}");
                Line(text, 1, $"exitCounted: {Number((decimal)(100 * machine.Packing.ExitCounted))}");
            }
            Line(text, 1, $"source: {Quote(machine.SchedulerSource)}");
        }
        if (machine.Variation != ActVariation.None)
        {
            Line(text, 0, "variation:");
            Line(text, 1, $"wakeUps: {Number((decimal)(100 * machine.Variation.WakeUps))}");
            Line(text, 1, $"work: {Number((decimal)(100 * machine.Variation.Work))}");
            Line(text, 1, $"source: {Quote(machine.Variation.Source)}");
        }
        Line(text, 0, "costs:");
        foreach (System.Reflection.PropertyInfo property in typeof(CostModel).GetProperties())
        {
            string key = char.ToLowerInvariant(property.Name[0]) + property.Name[1..];
            WriteEntry(text, 1, key, property.GetValue(machine.Costs)!);
        }
        if (machine.Layers.Count > 0)
        {
            Line(text, 0, "layers:");
        }
        foreach (LayerCosts layer in machine.Layers.Values.OrderBy(layer => layer.Layer, StringComparer.Ordinal))
        {
            Line(text, 1, $"{layer.Layer}:");
            foreach ((string name, object figure) in layer.Times.Select(time => (time.Key, (object)time.Value))
                .Concat(layer.Rates.Select(rate => (rate.Key, (object)rate.Value))).OrderBy(entry => entry.Key, StringComparer.Ordinal))
            {
                WriteEntry(text, 2, name, figure);
            }
        }
        return text.ToString();
    }

    static void WriteEntry(StringBuilder text, int depth, string key, object figure)
    {
        (decimal unit, string unitName, long value, long? low, long? high, string source) = figure switch
        {
            Cost cost => (1m, "ns", cost.Nanoseconds, cost.LowNanoseconds, cost.HighNanoseconds, cost.Source),
            Rate rate => (1_000_000_000m, "GB/s", rate.BytesPerSecond, rate.LowBytesPerSecond, rate.HighBytesPerSecond, rate.Source),
            _ => throw new ArgumentException($"{key} is a {figure.GetType().Name}, neither a cost nor a rate.", nameof(figure)),
        };
        Line(text, depth, $"{key}:");
        Line(text, depth + 1, $"value: {Number(value / unit)}");
        Line(text, depth + 1, $"unit: {unitName}");
        if (low is not null)
        {
            Line(text, depth + 1, $"low: {Number(low.Value / unit)}");
        }
        if (high is not null)
        {
            Line(text, depth + 1, $"high: {Number(high.Value / unit)}");
        }
        Line(text, depth + 1, $"source: {Quote(source)}");
    }

    static void Line(StringBuilder text, int depth, string line) => text.Append(' ', 2 * depth).Append(line).Append('\n');

    static string Number(decimal value) => value.ToString("0.#########", CultureInfo.InvariantCulture);

    /// <summary>A double-quoted YAML scalar.</summary>
    static string Quote(string value) => "\"" + value
        .Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("\"", "\\\"", StringComparison.Ordinal)
        .Replace("\n", "\\n", StringComparison.Ordinal) + "\"";
}
