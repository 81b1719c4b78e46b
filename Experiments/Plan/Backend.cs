namespace Harness.Experiments.Plan;

/// <summary>What answers the requests of the mount under test.</summary>
/// <param name="Name">One of <see cref="Names"/>.</param>
/// <param name="Directory">The directory that passthrough serves, as the plan spells it; else null.</param>
internal sealed record Backend(string Name, string? Directory)
{
    /// <summary>Sixteen files <c>zero.0</c> to <c>zero.15</c> of 1 TiB: reads yield zeros, writes vanish.</summary>
    public const string Null = "null";

    /// <summary>A file system in the daemon's memory, empty at mount.</summary>
    public const string Memory = "memory";

    /// <summary>A directory of this machine.</summary>
    public const string Passthrough = "passthrough";

    /// <summary>How many files the null backend offers, hence how many jobs can have one each.</summary>
    public const int NullFiles = 16;

    public static IReadOnlyList<string> Names { get; } = [Null, Memory, Passthrough];

    /// <summary>Whether the files exist already, and fio neither lays them out nor removes them.</summary>
    public bool HasFixedFiles => Name == Null;

    /// <summary>The value of <c>harness mount --backend</c>.</summary>
    public string MountArgument => Directory is null ? Name : $"{Name}:{Directory}";
}
