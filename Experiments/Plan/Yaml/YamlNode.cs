namespace Harness.Experiments.Plan.Yaml;

/// <summary>A YAML node with its place. An alias is the node it names, so one node may stand at several places of the tree.</summary>
/// <param name="Mark">Where the node begins.</param>
/// <param name="Weight">How many nodes the tree has from here on when every alias is written out.</param>
internal abstract record YamlNode(SourceMark Mark, long Weight)
{
    /// <summary>The name of this shape of node in a message.</summary>
    public abstract string Shape { get; }
}

/// <summary>Text. Which type it has is for the schema to say, not for YAML's guesses.</summary>
internal sealed record YamlScalar(SourceMark Mark, string Text, bool IsQuoted) : YamlNode(Mark, 1)
{
    public override string Shape => IsMissing ? "nothing" : "a single value";

    /// <summary>Nothing was written, or <c>~</c>. The word null is text: a backend has that name.</summary>
    public bool IsMissing => !IsQuoted && Text is "" or "~";
}

/// <summary>A list.</summary>
internal sealed record YamlList(SourceMark Mark, long Weight, IReadOnlyList<YamlNode> Items) : YamlNode(Mark, Weight)
{
    public override string Shape => "a list";
}

/// <summary>A map in the order of the file, with merge keys (<c>&lt;&lt;</c>) already followed; keys may repeat.</summary>
internal sealed record YamlMap(SourceMark Mark, long Weight, IReadOnlyList<YamlEntry> Entries) : YamlNode(Mark, Weight)
{
    public override string Shape => "a map";
}

/// <summary>A key with its value.</summary>
internal sealed record YamlEntry(YamlScalar Key, YamlNode Value);
