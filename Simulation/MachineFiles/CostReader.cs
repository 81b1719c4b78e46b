using Harness.Simulation.Machines;

namespace Harness.Simulation.MachineFiles;

/// <summary>Reads entries of the form <c>{value, unit, source, low, high}</c> as costs or rates.</summary>
static class CostReader
{
    /// <summary>Longer than any elementary act: a figure beyond is a mistake in the unit.</summary>
    const decimal NanosecondsMax = 10_000_000_000;

    /// <summary>More than any memory moves: a figure beyond is a mistake in the unit.</summary>
    const decimal BytesPerSecondMax = 100_000_000_000_000;

    static readonly Dictionary<string, decimal> TimeUnits = new() { ["ns"] = 1, ["us"] = 1_000, ["ms"] = 1_000_000 };

    static readonly Dictionary<string, decimal> RateUnits = new() { ["GB/s"] = 1_000_000_000, ["MB/s"] = 1_000_000 };

    public static Cost Time(YamlSection costs, string key, long leastNanoseconds = 0)
    {
        YamlSection entry = costs.Section(key);
        decimal unit = Unit(entry, TimeUnits);
        long? low = Optional(entry, "low", unit), high = Optional(entry, "high", unit);
        var cost = new Cost(Value(entry, "value", unit, leastNanoseconds, NanosecondsMax, "a time"), Source(entry))
        {
            LowNanoseconds = low,
            HighNanoseconds = high,
        };
        Finish(entry, low, cost.Nanoseconds, high);
        return cost;
    }

    public static Rate Rate(YamlSection costs, string key)
    {
        YamlSection entry = costs.Section(key);
        decimal unit = Unit(entry, RateUnits);
        long? low = Optional(entry, "low", unit), high = Optional(entry, "high", unit);
        var rate = new Rate(Value(entry, "value", unit, 1, BytesPerSecondMax, "a rate"), Source(entry))
        {
            LowBytesPerSecond = low,
            HighBytesPerSecond = high,
        };
        Finish(entry, low, rate.BytesPerSecond, high);
        return rate;
    }

    /// <summary>A layer's section: each entry is a cost or a rate, as its unit says.</summary>
    public static LayerCosts Layer(YamlSection layers, string layer)
    {
        YamlSection section = layers.Section(layer);
        var times = new Dictionary<string, Cost>();
        var rates = new Dictionary<string, Rate>();
        foreach (string name in section.Names)
        {
            if (RateUnits.ContainsKey(section.Section(name).Text("unit")))
            {
                rates.Add(name, Rate(section, name));
            }
            else
            {
                times.Add(name, Time(section, name));
            }
        }
        return new LayerCosts(layer, times, rates, section.Location);
    }

    static decimal Unit(YamlSection entry, Dictionary<string, decimal> units)
    {
        string unit = entry.Text("unit");
        return units.TryGetValue(unit, out decimal factor)
            ? factor
            : throw entry.Error($"The unit is '{unit}'. Allowed here: {string.Join(", ", units.Keys)}.");
    }

    static long Value(YamlSection entry, string key, decimal unit, decimal least, decimal most, string what)
    {
        decimal value = entry.Number(key, least / unit, most / unit, $"{what} in {entry.Text("unit")}");
        return (long)Math.Round(value * unit, MidpointRounding.AwayFromZero);
    }

    static long? Optional(YamlSection entry, string key, decimal unit) =>
        entry.Has(key) ? Value(entry, key, unit, 0, long.MaxValue, "the end of an interval") : null;

    static string Source(YamlSection entry)
    {
        string source = entry.Text("source");
        return source.Length > 0
            ? source
            : throw entry.Error("The source is empty. Say who measured or published the figure, or that it is an estimate.");
    }

    static void Finish(YamlSection entry, long? low, long value, long? high)
    {
        entry.RefuseUnknownKeys();
        if (low > value || high < value)
        {
            throw entry.Error($"The interval {low} to {high} does not contain the value {value}.");
        }
    }
}
