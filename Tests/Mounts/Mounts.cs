using Harness.Experiments.Plan;

namespace Harness.Tests.Mounts;

/// <summary>The file system in memory.</summary>
public sealed class MemoryMount() : MountFixture(_ => new Backend(Backend.Memory, null));

/// <summary>The same with the kernel's writeback cache.</summary>
public sealed class WritebackMemoryMount() : MountFixture(_ => new Backend(Backend.Memory, null), (Knobs.Writeback, "on"));

/// <summary>A directory of the host.</summary>
public sealed class PassthroughMount() : MountFixture(directory => new Backend(Backend.Passthrough, directory));

/// <summary>The same with the kernel's writeback cache.</summary>
public sealed class WritebackPassthroughMount()
    : MountFixture(directory => new Backend(Backend.Passthrough, directory), (Knobs.Writeback, "on"));

/// <summary>A directory of the host whose files the kernel reads and writes itself.</summary>
public sealed class KernelPassthroughMount()
    : MountFixture(directory => new Backend(Backend.Passthrough, directory), (Knobs.KernelPassthrough, "on"));
