using Harness.Experiments.Backends.Memory;
using Harness.Experiments.Backends.Null;
using Harness.Experiments.Backends.Passthrough;
using Harness.Experiments.Clusters;
using Harness.Experiments.Keeping;
using Harness.Experiments.Mounting;
using Harness.Experiments.Plan;
using Harness.FuseProtocol;
using Harness.Runtime.Native;
using Harness.Transport;

namespace Harness.Experiments.Backends;

/// <summary>The one place that knows which file system a backend's name stands for.</summary>
internal static class BackendFactory
{
    /// <summary>Makes what a mount serves, and what has to end with it.</summary>
    /// <exception cref="FuseTransportException">It cannot be served there, or not with these knobs.</exception>
    public static ServedBackend Open(MountSpec spec)
    {
        CheckPassthrough(spec);
        return spec.Backend.Name == Backend.Cluster ? ClusterBackend.Open(spec) : new ServedBackend(Create(spec));
    }

    /// <summary>Makes the file system that a mount serves, of those that are nothing but that.</summary>
    /// <exception cref="FuseTransportException">It cannot be served there, or not with these knobs.</exception>
    public static IFileSystem Create(MountSpec spec)
    {
        CheckPassthrough(spec);
        return spec.Backend.Name switch
        {
            Backend.Null => new NullFileSystem(spec.Options, TimeProvider.System),
            Backend.Memory => new MemoryFileSystem(new MemoryOptions { Backend = spec.Options }, TimeProvider.System),
            Backend.Passthrough => new PassthroughFileSystem(PassthroughOptions(spec)),
            _ => throw new ArgumentException($"no file system is called {spec.Backend.Name}", nameof(spec)),
        };
    }

    /// <summary>Makes the file system of a kept mount, which goes on where the process before this one ended.</summary>
    /// <exception cref="FuseTransportException">This backend cannot (<see cref="CanBeKept"/>).</exception>
    public static IFileSystem Create(MountSpec spec, KeptDescriptors kept) => spec.Backend.Name switch
    {
        Backend.Null => new NullFileSystem(spec.Options, TimeProvider.System),
        Backend.Passthrough => new PassthroughFileSystem(PassthroughOptions(spec), kept),
        _ => throw new FuseTransportException($"The backend {spec.Backend.Name} cannot outlive its process."),
    };

    /// <summary>Whether another process can go on where one ended: what the file system knows is nothing, or can be kept.</summary>
    public static bool CanBeKept(Backend backend) => backend.Name is Backend.Null or Backend.Passthrough;

    /// <summary>Opens what a kept mount begins with, before there is a mount that could be walked into.</summary>
    /// <returns>The root, by O_PATH; null where the backend needs none.</returns>
    /// <exception cref="FuseTransportException">It cannot be served there, or not with these knobs.</exception>
    public static FileDescriptor? OpenRoot(MountSpec spec)
    {
        CheckPassthrough(spec);
        if (spec.Backend.Name != Backend.Passthrough)
        {
            return null;
        }

        PassthroughOptions options = PassthroughOptions(spec);
        using FileDescriptor opened = ServedDirectory.Open(options.Directory, options.MountPoint);
        return new FileDescriptor(ServedDirectory.OpenPath(opened, out _));
    }

    private static PassthroughOptions PassthroughOptions(MountSpec spec) => new()
    {
        Directory = spec.Backend.Place ?? throw new FuseTransportException(
            $"{Backend.Passthrough} needs the directory to serve. Name it: {Backend.Passthrough}:DIRECTORY"),
        MountPoint = spec.MountPoint,
        KernelPassthrough = spec.KernelPassthrough,
        Backend = spec.Options,
    };

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
