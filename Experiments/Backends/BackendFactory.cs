using Harness.Experiments.Backends.Memory;
using Harness.Experiments.Backends.Null;
using Harness.Experiments.Mounting;
using Harness.Experiments.Plan;
using Harness.FuseProtocol;

namespace Harness.Experiments.Backends;

/// <summary>The one place that knows which file system a backend's name stands for.</summary>
internal static class BackendFactory
{
    /// <summary>Makes the file system that a mount serves.</summary>
    public static IFileSystem Create(MountSpec spec) => spec.Backend.Name switch
    {
        Backend.Null => new NullFileSystem(spec.Options, TimeProvider.System),
        Backend.Memory => new MemoryFileSystem(new MemoryOptions { Backend = spec.Options }, TimeProvider.System),
        _ => throw new ArgumentException($"no file system is called {spec.Backend.Name}", nameof(spec)),
    };
}
