using Harness.Experiments.Plan.Values;
using Harness.Experiments.Plan.Yaml;

namespace Harness.Experiments.Plan.Reading;

/// <summary>Reads the maps whose keys are knobs: <c>mount</c>, <c>factors</c> and <c>baseline</c>.</summary>
internal sealed class KnobReader(MapReader experiment, Problems problems)
{
    /// <summary>The most levels of one factor.</summary>
    public const int LevelsMax = 64;

    private static readonly Dictionary<string, Knob> ByName = Knobs.All.ToDictionary(knob => knob.Name);

    /// <summary>Reads the knobs that all configurations share, the experiment's own <c>latency</c> among them.</summary>
    public KnobSettings ReadMount()
    {
        KnobSettings settings = KnobSettings.None;
        YamlEntry? latency = experiment.Take(Knobs.Latency.Name);
        if (latency is not null && experiment.Value(latency, Knobs.Latency.Kind) is { } duration)
        {
            settings = settings.With(Knobs.Latency, duration);
        }

        if (experiment.Take("mount") is not { } mount)
        {
            return settings;
        }

        var map = new MapReader(mount.Value, "mount", problems);
        foreach (YamlEntry entry in map.TakeAll(ByName.Keys))
        {
            Knob knob = ByName[entry.Key.Text];
            if (knob == Knobs.Latency && latency is not null)
            {
                problems.Add(entry.Key.Mark, $"latency is given twice; the first is at line {latency.Key.Mark.Line}");
            }
            else if (map.Value(entry, knob.Kind) is { } value)
            {
                settings = settings.With(knob, value);
            }
        }

        map.Finish();
        return settings;
    }

    /// <summary>
    /// Reads the knobs that vary, and which of their levels the baseline has: the first unless <c>baseline</c> says otherwise.
    /// </summary>
    /// <param name="mount">The knobs that cannot vary, since they are fixed.</param>
    public IReadOnlyList<Factor> ReadFactors(KnobSettings mount)
    {
        var factors = new List<Factor>();
        if (experiment.Take("factors") is { } entry)
        {
            var map = new MapReader(entry.Value, "factors", problems);
            foreach (YamlEntry factor in map.TakeAll(ByName.Keys))
            {
                Knob knob = ByName[factor.Key.Text];
                if (mount.Knobs.Contains(knob))
                {
                    problems.Add(factor.Key.Mark, $"'{knob}' is fixed for all configurations and varies here; leave one out");
                }
                else
                {
                    factors.Add(new Factor(knob, ReadLevels(map, factor, knob), 0));
                }
            }

            map.Finish();
        }

        return ReadBaseline(factors);
    }

    private List<ScalarValue> ReadLevels(MapReader map, YamlEntry factor, Knob knob)
    {
        IReadOnlyList<YamlNode> nodes = factor.Value is YamlList list ? list.Items : [factor.Value];
        var levels = new List<ScalarValue>();
        if (nodes.Count is 0 or > LevelsMax)
        {
            problems.Add(factor.Value.Mark, $"{knob}: a factor has 1 to {LevelsMax} levels, and this list has {nodes.Count}");
            return levels;
        }

        foreach (YamlNode node in nodes)
        {
            if (map.Value(knob.Name, node, knob.Kind) is not { } level)
            {
                continue;
            }

            if (levels.Contains(level))
            {
                problems.Add(node.Mark, $"{knob}: the level {level} is in the list already");
            }
            else
            {
                levels.Add(level);
            }
        }

        return levels;
    }

    private List<Factor> ReadBaseline(List<Factor> factors)
    {
        if (experiment.Take("baseline") is not { } baseline)
        {
            return factors;
        }

        var map = new MapReader(baseline.Value, "baseline", problems);
        for (int index = 0; index < factors.Count; index++)
        {
            Factor factor = factors[index];
            if (map.Take(factor.Knob.Name) is not { } entry || map.Value(entry, factor.Knob.Kind) is not { } value)
            {
                continue;
            }

            int level = factor.Levels.ToList().IndexOf(value);
            if (level < 0)
            {
                string levels = string.Join(", ", factor.Levels);
                problems.Add(entry.Value.Mark, $"baseline: {value} is no level of {factor.Knob}; allowed: {levels}");
            }
            else
            {
                factors[index] = factor with { BaselineLevel = level };
            }
        }

        map.Finish(Knobs.All
            .Where(knob => factors.All(factor => factor.Knob != knob))
            .ToDictionary(knob => knob.Name, knob => $"{knob} is no factor of this experiment"));
        return factors;
    }
}
