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

    /// <summary>
    /// Most nodes that are kept open (default: half of the descriptors that this process may have, which are raised as far as they go; the
    /// other half is for files that applications open).
    /// </summary>
    public int? OpenNodesMax { get; init; }

    /// <summary>
    /// Whether nodes beyond <see cref="OpenNodesMax"/> are found again by file handle, each time one is used (default yes). Needs root and a
    /// file system that has handles; without them the kernel cannot know more nodes than are kept open, and further names are answered ENFILE.
    /// </summary>
    public bool UseHandles { get; init; } = true;

    /// <summary>What all backends have in common. The owner is not used: the directory has one.</summary>
    public BackendOptions Backend { get; init; } = new();
}
