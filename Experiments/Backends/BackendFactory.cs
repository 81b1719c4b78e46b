using Harness.Experiments.Backends.Memory;
using Harness.Experiments.Backends.Null;
using Harness.Experiments.Backends.Passthrough;
using Harness.Experiments.Mounting;
using Harness.Experiments.Plan;
using Harness.FuseProtocol;
using Harness.Transport;

namespace Harness.Experiments.Backends;

/// <summary>The one place that knows which file system a backend's name stands for.</summary>
internal static class BackendFactory
{
    /// <summary>Makes the file system that a mount serves.</summary>
    /// <exception cref="FuseTransportException">It cannot be served there, or not with these knobs.</exception>
    public static IFileSystem Create(MountSpec spec)
    {
        CheckPassthrough(spec);
        return spec.Backend.Name switch
        {
            Backend.Null => new NullFileSystem(spec.Options, TimeProvider.System),
            Backend.Memory => new MemoryFileSystem(new MemoryOptions { Backend = spec.Options }, TimeProvider.System),
            Backend.Passthrough => new PassthroughFileSystem(new PassthroughOptions
            {
                Directory = spec.Backend.Directory ?? throw new FuseTransportException(
                    $"{Backend.Passthrough} needs the directory to serve. Name it: {Backend.Passthrough}:DIRECTORY"),
                MountPoint = spec.MountPoint,
                KernelPassthrough = spec.KernelPassthrough,
                Backend = spec.Options,
            }),
            _ => throw new ArgumentException($"no file system is called {spec.Backend.Name}", nameof(spec)),
        };
    }

    private static void CheckPassthrough(MountSpec spec)
    {
        if (!spec.KernelPassthrough)
        {
            return;
        }

        if (spec.Backend.Name != Backend.Passthrough)
        {
            throw new FuseTransportException(
                $"{Knobs.KernelPassthrough} needs files that the kernel can read itself, which {spec.Backend.Name} has not. " +
                $"Choose the backend {Backend.Passthrough}:DIRECTORY.");
        }

        if (spec.Knobs[Knobs.Writeback].Number == 1)
        {
            throw new FuseTransportException(
                $"{Knobs.KernelPassthrough} and {Knobs.Writeback} exclude each other: the kernel would have the same data twice, and takes the " +
                "cache. Switch one of them off.");
        }
    }
}
