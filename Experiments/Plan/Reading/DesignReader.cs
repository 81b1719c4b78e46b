using Harness.Experiments.Plan.Values;
using Harness.Experiments.Plan.Yaml;

namespace Harness.Experiments.Plan.Reading;

/// <summary>Reads <c>design</c>, and refuses one that gives more configurations than can be run.</summary>
internal sealed class DesignReader(Problems problems)
{
    private const string SubsetName = "random-subset";

    private static readonly Design[] Named = [new FullFactorial(), new Ladder(), new OneAtATime()];
    private static readonly ValueKind Name = ValueKind.Choice([.. Named.Select(design => design.Name), SubsetName]);

    public Design Read(MapReader experiment, IReadOnlyList<Factor> factors)
    {
        YamlEntry? entry = experiment.Take("design");
        Design design = entry?.Value switch
        {
            null => Named[0],
            YamlMap => ReadSubset(entry, factors),
            YamlScalar { Text: SubsetName } scalar => Refuse(scalar.Mark, $"design: {SubsetName} needs a size; write {{{SubsetName}: 8}}"),
            _ => experiment.Value(entry, Name) is { } name ? Named[name.Number] : Named[0],
        };
        if (design.Count(factors) > Design.ConfigurationsMax)
        {
            SourceMark mark = entry?.Value.Mark ?? experiment.Mark;
            problems.Add(mark, $"the design {design.Name} makes {design.Count(factors)} configurations; allowed: up to "
                + $"{Design.ConfigurationsMax}, as with one-at-a-time or {{{SubsetName}: 64}}");
        }

        return design;
    }

    private Design ReadSubset(YamlEntry entry, IReadOnlyList<Factor> factors)
    {
        var map = new MapReader(entry.Value, "design", problems);
        YamlEntry? size = map.Need(SubsetName);
        ScalarValue? value = size is null ? null : map.Value(size, Kinds.SubsetSize);
        map.Finish();
        if (value is not { } count)
        {
            return Named[0];
        }

        long grid = Design.GridSize(factors);
        return count.Number <= grid
            ? new RandomSubset((int)count.Number)
            : Refuse(size!.Value.Mark, $"{SubsetName}: the factors have only {grid} combinations; leave design out for all of them");
    }

    private Design Refuse(SourceMark mark, string message)
    {
        problems.Add(mark, message);
        return Named[0];
    }
}
