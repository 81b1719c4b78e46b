using Harness.Experiments.Mounting;
using Harness.FuseProtocol;

namespace Harness.Experiments.Backends;

/// <summary>The one place that knows which file systems there are.</summary>
internal static class BackendFactory
{
    /// <summary>Names that a mount or an experiment may give.</summary>
    public static IReadOnlyList<string> Names { get; } = ["null", "memory"];

    /// <summary>Makes the file system that a mount serves.</summary>
    public static IFileSystem Create(MountSpec spec) => spec.Backend switch
    {
        _ => throw new ArgumentException($"backend {spec.Backend}"),
    };
}
