namespace Harness.Experiments.Plan.Yaml;

/// <summary>Ends the reading of a file whose text is no YAML, or more of it than a plan can need.</summary>
internal sealed class YamlRefusedException(SourceMark mark, string message) : Exception(message)
{
    public SourceMark Mark { get; } = mark;
}
