using Harness.Experiments.Plan.Values;
using Harness.Experiments.Plan.Yaml;

namespace Harness.Experiments.Plan.Reading;

/// <summary>
/// Reads a map key by key. Each key that is asked for is thereby known, and <see cref="Finish"/> refuses the others. What is wrong
/// goes to <see cref="Problems"/>; the caller gets null and goes on, so that the errors after it are found too.
/// </summary>
internal sealed class MapReader
{
    // A longer list of keys is not printed behind a guess: it would bury it.
    private const int ListedMax = 24;

    private readonly Dictionary<string, YamlEntry> entries = [];
    private readonly List<YamlEntry> inOrder = [];
    private readonly List<string> known = [];
    private readonly string owner;
    private readonly Problems problems;

    /// <param name="node">A node that should be a map; any other shape is reported, and then reads as an empty map.</param>
    /// <param name="owner">What the map describes, for messages: "an experiment".</param>
    /// <param name="problems">Where errors go.</param>
    public MapReader(YamlNode node, string owner, Problems problems)
    {
        Mark = node.Mark;
        this.owner = owner;
        this.problems = problems;
        if (node is not YamlMap map)
        {
            problems.Add(node.Mark, $"{owner} must be a map of keys and values, not {node.Shape}");
            IsWrongShape = true;
            return;
        }

        foreach (YamlEntry entry in map.Entries)
        {
            if (entries.TryAdd(entry.Key.Text, entry))
            {
                inOrder.Add(entry);
            }
            else
            {
                SourceMark first = entries[entry.Key.Text].Key.Mark;
                problems.Add(entry.Key.Mark, $"{Quoted.Text(entry.Key.Text)} is given twice in {owner}; the first is at line {first.Line}");
            }
        }
    }

    /// <summary>Where the map begins.</summary>
    public SourceMark Mark { get; }

    /// <summary>The node is no map, which has been reported.</summary>
    public bool IsWrongShape { get; }

    /// <summary>The entry of a key, which is known from now on; null if the map does not have it.</summary>
    public YamlEntry? Take(string key)
    {
        TakeAll([key]);
        return entries.GetValueOrDefault(key);
    }

    /// <summary>The entry of a key that must be there; null and an error if it is not.</summary>
    public YamlEntry? Need(string key)
    {
        YamlEntry? entry = Take(key);
        if (entry is null && !IsWrongShape)
        {
            problems.Add(Mark, $"{owner} needs the key '{key}'");
        }

        return entry;
    }

    /// <summary>The entries of some keys, which are known from now on, in the order of the file.</summary>
    public IReadOnlyList<YamlEntry> TakeAll(IEnumerable<string> keys)
    {
        string[] asked = [.. keys];
        known.AddRange(asked.Except(known));
        return [.. inOrder.Where(entry => asked.Contains(entry.Key.Text))];
    }

    /// <summary>The value of a key, or null if it is absent or refused.</summary>
    public ScalarValue? Value(string key, ValueKind kind) => Take(key) is { } entry ? Value(entry, kind) : null;

    /// <summary>The value of an entry, or null if it is refused.</summary>
    public ScalarValue? Value(YamlEntry entry, ValueKind kind) => Value(entry.Key.Text, entry.Value, kind);

    /// <summary>The value of a node that stands under a key, or null if it is refused.</summary>
    public ScalarValue? Value(string key, YamlNode node, ValueKind kind)
    {
        string complaint;
        if (node is not YamlScalar scalar)
        {
            complaint = $"this is {node.Shape}";
        }
        else if (scalar.IsMissing)
        {
            complaint = "the value is missing";
        }
        else if (kind.TryParse(scalar.Text, out ScalarValue value, out complaint))
        {
            return value;
        }

        problems.Add(node.Mark, $"{key}: {Complaint.Allowing(complaint, kind.Expectation)}");
        return null;
    }

    /// <summary>Reports every key that nobody asked for.</summary>
    /// <param name="refused">Keys that exist elsewhere, with the reason why not here.</param>
    public void Finish(IReadOnlyDictionary<string, string>? refused = null)
    {
        foreach (YamlEntry entry in inOrder.Where(entry => !known.Contains(entry.Key.Text)))
        {
            string key = entry.Key.Text;
            if (refused is not null && refused.TryGetValue(key, out string? reason))
            {
                problems.Add(entry.Key.Mark, $"'{key}' cannot be set in {owner}: {reason}");
                continue;
            }

            // The search for the nearest name is the one costly step, and a hostile file can ask for it in every line.
            string hint = problems.IsFull ? "" : NearestName.Hint(key, known);
            string complaint = $"unknown key {Quoted.Text(key)} in {owner}{hint}";
            bool listed = hint.Length == 0 || known.Count <= ListedMax;
            problems.Add(entry.Key.Mark, listed ? Complaint.Allowing(complaint, string.Join(", ", known)) : complaint);
        }
    }
}
