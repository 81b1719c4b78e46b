using Harness.Experiments.Plan.Values;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Harness.Experiments.Plan.Yaml;

/// <summary>
/// Builds the tree of the one document in a text from YamlDotNet's events. It goes no deeper and holds no more nodes than a plan
/// can need, so that neither nesting nor aliases of aliases (the "billion laughs") cost more than their text.
/// </summary>
internal sealed class YamlTree
{
    /// <summary>A plan nests six deep (experiments, experiment, workloads, workload, value), and a little more where it merges maps.</summary>
    public const int DepthMax = 16;

    /// <summary>Nodes with every alias written out. A plan of a hundred experiments has some five thousand.</summary>
    public const int NodesMax = 50_000;

    private readonly string text;
    private readonly Scanner scanner;
    private readonly Parser parser;
    private readonly Dictionary<string, YamlNode> anchors = [];

    private YamlTree(string text)
    {
        this.text = text;
        scanner = new Scanner(new StringReader(text));
        parser = new Parser(scanner);
    }

    /// <summary>Reads the document.</summary>
    /// <returns>Its root, or null if the text holds none.</returns>
    /// <exception cref="YamlRefusedException">The text is no YAML, holds more than one document, or exceeds a limit.</exception>
    public static YamlNode? Read(string text) => new YamlTree(text).ReadDocument();

    private YamlNode? ReadDocument()
    {
        Next<StreamStart>();
        if (!MoveNext() || parser.Current is not DocumentStart)
        {
            return null;
        }

        MoveNext();
        YamlNode root = ReadNode(0);
        Next<DocumentEnd>();
        if (MoveNext() && parser.Current is DocumentStart second)
        {
            throw new YamlRefusedException(At(second.Start), "a second document begins here; a plan file holds one");
        }

        return root;
    }

    // Reads the node whose first event is current, and leaves its last event current.
    private YamlNode ReadNode(int depth)
    {
        // YamlDotNet 18.1 gives a map whose key is missing (": value") as one with a value too few.
        if (parser.Current is not { } current || current is not (NodeEvent or AnchorAlias))
        {
            SourceMark place = At(parser.Current?.Start ?? scanner.CurrentPosition);
            throw new YamlRefusedException(place, "this is no YAML: a key or a value is missing before here");
        }

        SourceMark mark = At(current.Start);
        if (depth > DepthMax)
        {
            throw new YamlRefusedException(mark, $"this is nested more than {DepthMax} deep; no plan needs that");
        }

        if (current is AnchorAlias alias)
        {
            return anchors.TryGetValue(alias.Value.Value, out YamlNode? target)
                ? target
                : throw new YamlRefusedException(mark, $"the alias {Quoted.Text("*" + alias.Value.Value)} has no anchor before it");
        }

        var start = (NodeEvent)current;
        if (!start.Tag.IsEmpty && !start.Tag.IsNonSpecific)
        {
            throw new YamlRefusedException(mark, $"the tag {Quoted.Text(start.Tag.Value)} has no meaning in a plan; leave it out");
        }

        YamlNode node = start switch
        {
            Scalar scalar => new YamlScalar(mark, scalar.Value, scalar.Style != ScalarStyle.Plain),
            SequenceStart => ReadList(mark, depth),
            _ => ReadMap(mark, depth),
        };
        if (!start.Anchor.IsEmpty)
        {
            anchors[start.Anchor.Value] = node;
        }

        return node;
    }

    private YamlList ReadList(SourceMark mark, int depth)
    {
        var items = new List<YamlNode>();
        long weight = 1;
        while (MoveNext() && parser.Current is not SequenceEnd)
        {
            items.Add(ReadNode(depth + 1));
            weight = Grow(weight, items[^1], mark);
        }

        return new YamlList(mark, weight, items);
    }

    private YamlMap ReadMap(SourceMark mark, int depth)
    {
        var entries = new List<YamlEntry>();
        var merged = new List<YamlEntry>();
        long weight = 1;
        while (MoveNext() && parser.Current is not MappingEnd)
        {
            YamlNode key = ReadNode(depth + 1);
            MoveNext();
            YamlNode value = ReadNode(depth + 1);
            weight = Grow(Grow(weight, key, mark), value, mark);
            if (key is not YamlScalar name)
            {
                throw new YamlRefusedException(key.Mark, $"a key must be text, not {key.Shape}");
            }

            if (name is { Text: "<<", IsQuoted: false })
            {
                merged.AddRange(MergedEntries(value));
            }
            else
            {
                entries.Add(new YamlEntry(name, value));
            }
        }

        // A key of the map itself overrides a merged one, and an earlier merged map overrides a later one (yaml.org/type/merge.html).
        var present = entries.Select(entry => entry.Key.Text).ToHashSet();
        entries.AddRange(merged.Where(entry => present.Add(entry.Key.Text)));
        return new YamlMap(mark, weight, entries);
    }

    private static IEnumerable<YamlEntry> MergedEntries(YamlNode value) => value switch
    {
        YamlMap map => map.Entries,
        YamlList list => list.Items.SelectMany(MergedEntries),
        _ => throw new YamlRefusedException(value.Mark, $"'<<' takes a map or a list of maps, not {value.Shape}"),
    };

    // Refused while the container is still being read: a long list of heavy aliases ends here, not at its end.
    private static long Grow(long weight, YamlNode child, SourceMark mark) => weight + child.Weight is var sum && sum <= NodesMax
        ? sum
        : throw new YamlRefusedException(mark, $"with its aliases written out this holds more than {NodesMax} values; no plan needs that");

    private void Next<TEvent>()
        where TEvent : ParsingEvent
    {
        if (!MoveNext() || parser.Current is not TEvent)
        {
            throw new YamlRefusedException(SourceMark.None, "this is no YAML: the text ends too early");
        }
    }

    private bool MoveNext()
    {
        try
        {
            return parser.MoveNext();
        }
        catch (YamlException refusal)
        {
            throw Refusal(refusal);
        }
        catch (Exception stumble) when (stumble is InvalidOperationException or ArgumentException or FormatException or ArithmeticException
            or IndexOutOfRangeException)
        {
            // YamlDotNet 18.1 looks into an empty stack after some unclosed flow collections, and does not say so in its own terms.
            SourceMark place = At(scanner.CurrentPosition);
            throw new YamlRefusedException(place, "this is no YAML: brackets or indentation before here do not match");
        }
    }

    // The commonest mistake deserves its own words and its own place: YamlDotNet names the token before it.
    private YamlRefusedException Refusal(YamlException refusal)
    {
        SourceMark mark = At(refusal.Start);
        SourceMark? tab = TextLines.FirstIndentingTab(text, mark.Line);
        return tab is { } place && (place == mark || refusal.Message.Contains("tab", StringComparison.Ordinal))
            ? new YamlRefusedException(place, "a tab cannot indent YAML; use spaces")
            : new YamlRefusedException(mark, $"this is no YAML: {Sentence(refusal.Message)}");
    }

    private static SourceMark At(Mark mark) => new((int)mark.Line, (int)mark.Column);

    // The parser's message as the second half of a sentence.
    private static string Sentence(string message) =>
        message.Length == 0 ? message : char.ToLowerInvariant(message[0]) + message[1..].TrimEnd('.');
}
