namespace Harness.Experiments.Plan.Yaml;

/// <summary>A place in a plan file; line and column count from 1, and 0 means the file as a whole.</summary>
internal readonly record struct SourceMark(int Line, int Column)
{
    /// <summary>The file as a whole, as when it cannot be read.</summary>
    public static SourceMark None => default;
}
