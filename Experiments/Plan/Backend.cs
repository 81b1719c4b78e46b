namespace Harness.Experiments.Plan;

/// <summary>What answers the requests of the mount under test.</summary>
/// <param name="Name">One of <see cref="Names"/>.</param>
/// <param name="Place">
/// As it was spelled: the directory that passthrough serves; the directory of a cluster that runs in the mount's process, or where a cluster's
/// metadata servers listen. Else null.
/// </param>
internal sealed record Backend(string Name, string? Place)
{
    /// <summary>The cluster of each trial, where the backend of an experiment is one; else null.</summary>
    public ClusterShape? Shape { get; init; }

    /// <summary>Sixteen files <c>zero.0</c> to <c>zero.15</c> of 1 TiB: reads yield zeros, writes vanish.</summary>
    public const string Null = "null";

    /// <summary>A file system in the daemon's memory, empty at mount.</summary>
    public const string Memory = "memory";

    /// <summary>A directory of this machine.</summary>
    public const string Passthrough = "passthrough";

    /// <summary>A cluster: one that runs elsewhere, or one in the daemon itself.</summary>
    public const string Cluster = "cluster";

    /// <summary>How many files the null backend offers, hence how many jobs can have one each.</summary>
    public const int NullFiles = 16;

    public static IReadOnlyList<string> Names { get; } = [Null, Memory, Passthrough, Cluster];

    /// <summary>Whether the files exist already, and fio neither lays them out nor removes them.</summary>
    public bool HasFixedFiles => Name == Null;

    /// <summary>The value of <c>harness mount --backend</c>.</summary>
    public string MountArgument => Place is null ? Name : $"{Name}:{Place}";
}
