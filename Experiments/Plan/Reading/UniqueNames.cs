using Harness.Experiments.Plan.Yaml;

namespace Harness.Experiments.Plan.Reading;

/// <summary>Sees to it that no two entries of a list share a name.</summary>
internal sealed class UniqueNames(string what, Problems problems)
{
    private readonly Dictionary<string, SourceMark> taken = [];

    /// <summary>Takes a name.</summary>
    /// <param name="name">The name; empty for one that was refused.</param>
    /// <param name="node">The entry that has the name.</param>
    public void Add(string name, YamlNode node)
    {
        YamlEntry? entry = (node as YamlMap)?.Entries.FirstOrDefault(candidate => candidate.Key.Text == "name");
        SourceMark mark = entry?.Value.Mark ?? node.Mark;
        if (name.Length > 0 && !taken.TryAdd(name, mark))
        {
            problems.Add(mark, $"name: the {what} at line {taken[name].Line} has the name '{name}' already; choose another");
        }
    }
}
