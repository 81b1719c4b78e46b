using System.Globalization;
using System.Numerics;
using YamlDotNet.RepresentationModel;

namespace Harness.Simulation.MachineFiles;

/// <summary>
/// A mapping of a YAML file that is read key by key. It remembers which keys were asked for, so that any other is refused with the nearest
/// of them; the list of allowed keys exists nowhere else.
/// </summary>
sealed class YamlSection
{
    readonly string file;
    readonly string path;
    readonly YamlMappingNode node;
    readonly List<string> known = [];

    public YamlSection(string file, string path, YamlNode node)
    {
        this.file = file;
        this.path = path;
        this.node = node as YamlMappingNode ?? throw Error(node, $"{path} is {Describe(node)}, not a list of 'key: value' pairs.");
    }

    /// <summary>File, line and column.</summary>
    public string Location => $"{file}:{node.Start.Line}:{node.Start.Column}";

    /// <summary>Keys in the order of the file, for a section whose keys are names.</summary>
    public IEnumerable<string> Names => node.Children.Keys.Select(key => ((YamlScalarNode)key).Value ?? "");

    public MachineFileException Error(string message) => Error(node, message);

    public MachineFileException Error(YamlNode at, string message) => new(file, at.Start, message);

    public bool Has(string key)
    {
        known.Add(key);
        return node.Children.ContainsKey(new YamlScalarNode(key));
    }

    public YamlSection Section(string key) => new(file, Join(key), Node(key));

    public IReadOnlyList<YamlSection> Sections(string key) =>
        [.. Items(key).Select((item, index) => new YamlSection(file, $"{Join(key)}[{index}]", item))];

    /// <summary>The items of a list.</summary>
    public IReadOnlyList<YamlNode> Items(string key) => Items(Node(key), Join(key));

    public IReadOnlyList<YamlNode> Items(YamlNode list, string listPath) => list is YamlSequenceNode { Children: { } items }
        ? [.. items]
        : throw Error(list, $"{listPath} is {Describe(list)}, not a list.");

    public string Text(string key) => Scalar(Node(key), Join(key));

    public string TextOr(string key, string otherwise) => Has(key) ? Text(key) : otherwise;

    /// <summary>A number of at least <paramref name="least"/> and at most <paramref name="most"/>.</summary>
    public T Number<T>(string key, T least, T most, string meaning)
        where T : INumber<T> => Number(Node(key), Join(key), least, most, meaning);

    public T Number<T>(YamlNode at, string atPath, T least, T most, string meaning)
        where T : INumber<T>
    {
        string text = Scalar(at, atPath);
        if (!T.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out T? value))
        {
            throw Error(at, $"{atPath} is '{text}', not a number. Allowed: {meaning}, {least} to {most}.");
        }
        if (value < least || value > most)
        {
            throw Error(at, $"{atPath} is {text}. Allowed: {meaning}, {least} to {most}.");
        }
        return value;
    }

    /// <summary>Throws if the section has a key that nothing has asked for.</summary>
    public void RefuseUnknownKeys()
    {
        foreach (YamlNode key in node.Children.Keys)
        {
            string name = Scalar(key, $"a key of {path}");
            if (!known.Contains(name))
            {
                throw Error(key, $"{path} has an unknown key '{name}'. {NearestName.Suggest(name, known)}");
            }
        }
    }

    YamlNode Node(string key) => Has(key)
        ? node.Children[new YamlScalarNode(key)]
        : throw Error(node, $"{path} has no '{key}', which it needs.");

    string Scalar(YamlNode at, string atPath) => at is YamlScalarNode { Value: { } value }
        ? value
        : throw Error(at, $"{atPath} is {Describe(at)}, not a single value.");

    string Join(string key) => path.Length == 0 || path == MachineFile.Root ? key : $"{path}.{key}";

    static string Describe(YamlNode node) => node switch
    {
        YamlMappingNode => "a list of 'key: value' pairs",
        YamlSequenceNode => "a list",
        YamlScalarNode { Value: null or "" } => "empty",
        YamlScalarNode { Value: var value } => $"'{value}'",
        _ => "something else",
    };
}
