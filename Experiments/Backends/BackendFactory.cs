using Harness.Experiments.Backends.Memory;
using Harness.Experiments.Backends.Null;
using Harness.Experiments.Plan;
using Harness.FuseProtocol;

namespace Harness.Experiments.Backends;

/// <summary>The one place that knows which file system a backend's name stands for.</summary>
internal static class BackendFactory
{
    /// <summary>Makes the file system that a mount serves.</summary>
    public static IFileSystem Create(Backend backend) => backend.Name switch
    {
        Backend.Null => new NullFileSystem(new BackendOptions(), TimeProvider.System),
        Backend.Memory => new MemoryFileSystem(new MemoryOptions(), TimeProvider.System),
        _ => throw new ArgumentException($"no file system is called {backend.Name}", nameof(backend)),
    };
}
