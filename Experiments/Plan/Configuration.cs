namespace Harness.Experiments.Plan;

/// <summary>One way to mount the file system under test.</summary>
/// <param name="Name">Unique in its experiment: <c>async-dio=on max-write=1M</c>; <c>default</c> if nothing varies.</param>
/// <param name="Label">The same in short, for a map's column, unique too: <c>async 1M</c>.</param>
/// <param name="Levels">The knobs that vary in the experiment.</param>
/// <param name="Settings">All knobs that are set: the experiment's fixed ones, then <paramref name="Levels"/>.</param>
internal sealed record Configuration(string Name, string Label, KnobSettings Levels, KnobSettings Settings)
{
    /// <summary>The arguments of <c>harness mount</c>, the mount point excepted.</summary>
    public IReadOnlyList<string> MountArguments(Backend backend) => ["--backend", backend.MountArgument, .. Settings.MountArguments()];

    public override string ToString() => Name;
}
