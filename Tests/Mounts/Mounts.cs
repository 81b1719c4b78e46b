using Harness.Experiments.Backends.Passthrough;
using Harness.Experiments.Plan;

namespace Harness.Tests.Mounts;

/// <summary>The file system in memory.</summary>
public sealed class MemoryMount() : MountFixture(_ => new Backend(Backend.Memory, null));

/// <summary>The same with the kernel's writeback cache.</summary>
public sealed class WritebackMemoryMount() : MountFixture(_ => new Backend(Backend.Memory, null), knobs: (Knobs.Writeback, "on"));

/// <summary>A cluster, whole, in the process of its mount: one metadata server and three chunk servers over sockets and files.</summary>
public sealed class ClusterMount() : MountFixture(directory => new Backend(Backend.Cluster, directory));

/// <summary>The same with the kernel's writeback cache.</summary>
public sealed class WritebackClusterMount() : MountFixture(directory => new Backend(Backend.Cluster, directory), knobs: (Knobs.Writeback, "on"));

/// <summary>A directory of the host.</summary>
public sealed class PassthroughMount() : MountFixture(directory => new Backend(Backend.Passthrough, directory));

/// <summary>The same with the kernel's writeback cache.</summary>
public sealed class WritebackPassthroughMount()
    : MountFixture(directory => new Backend(Backend.Passthrough, directory), knobs: (Knobs.Writeback, "on"));

/// <summary>A directory of the host whose files the kernel reads and writes itself.</summary>
public sealed class KernelPassthroughMount()
    : MountFixture(directory => new Backend(Backend.Passthrough, directory), knobs: (Knobs.KernelPassthrough, "on"));

/// <summary>A directory of the host of which no node but the root is kept open, so that each use finds its file again by handle.</summary>
public sealed class HandlePassthroughMount() : MountFixture(
    directory => new Backend(Backend.Passthrough, directory),
    directory => new PassthroughFileSystem(new PassthroughOptions { Directory = directory, OpenNodesMax = 1 }));
