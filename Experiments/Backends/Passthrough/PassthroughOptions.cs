namespace Harness.Experiments.Backends.Passthrough;

/// <summary>What a <see cref="PassthroughFileSystem"/> serves, and how.</summary>
internal sealed record PassthroughOptions
{
    /// <summary>The directory of this machine that becomes the root of the mount. Symbolic links in its path are followed, once.</summary>
    public required string Directory { get; init; }

    /// <summary>
    /// Where it is going to be mounted, so that a mount point inside the served directory can be refused: whoever walked into it would wait
    /// for this process, which would wait for itself. Null where there is no mount.
    /// </summary>
    public string? MountPoint { get; init; }

    /// <summary>
    /// Whether the kernel reads and writes the files itself (FUSE_PASSTHROUGH, Linux 6.9; default no). Needs root. Excludes the writeback
    /// cache: the kernel would have the same data twice.
    /// </summary>
    public bool KernelPassthrough { get; init; }

    /// <summary>What all backends have in common. The owner is not used: the directory has one.</summary>
    public BackendOptions Backend { get; init; } = new();
}
