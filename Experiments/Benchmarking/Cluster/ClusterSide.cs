using System.Text.RegularExpressions;

namespace Harness.Experiments.Benchmarking.Cluster;

/// <summary>A mounted directory that is measured, and the processes that serve it.</summary>
/// <param name="Name">Who serves, in a word.</param>
/// <param name="Root">The mounted directory, as the user named it.</param>
/// <param name="Servers">Matches the command lines of its processes.</param>
internal sealed record ClusterSide(string Name, string Root, Regex Servers)
{
    /// <summary>Our side's name.</summary>
    public const string Harness = "harness";

    /// <summary>The other's.</summary>
    public const string Peer = "peer";

    /// <summary>Where everything of a run is; removed at its end.</summary>
    public string WorkDirectory { get; } = Path.Combine(Root, $"harness-bench-{Environment.ProcessId}");

    /// <summary>A path below <see cref="WorkDirectory"/>.</summary>
    public string PathOf(string name) => Path.Combine(WorkDirectory, name);
}
