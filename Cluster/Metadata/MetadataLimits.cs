namespace Harness.Cluster.Metadata;

/// <summary>What the metadata may grow to. What would go beyond is refused, with ENOSPC unless said otherwise.</summary>
internal sealed record MetadataLimits
{
    /// <summary>Longest name, in bytes (NAME_MAX); ENAMETOOLONG.</summary>
    public const int NameBytesMax = 255;

    /// <summary>Longest target of a symbolic link, in bytes (PATH_MAX without its NUL); ENAMETOOLONG.</summary>
    public const int TargetBytesMax = 4095;

    /// <summary>Longest name and largest value of an extended attribute, in bytes (include/uapi/linux/limits.h).</summary>
    public const int XattrNameBytesMax = 255;

    /// <summary>Largest value of an extended attribute, in bytes; E2BIG.</summary>
    public const int XattrValueBytesMax = 65_536;

    /// <summary>All names and values of one inode, in bytes (XATTR_LIST_MAX, which listxattr(2) can return).</summary>
    public const int XattrBytesMax = 1 << 20;

    /// <summary>Bytes of a chunk (default 64 MiB), a power of 2. The same for the whole life of a cluster.</summary>
    public ulong ChunkBytes { get; init; } = 64UL << 20;

    /// <summary>Inodes (default 50 million, which take some 10 GiB).</summary>
    public int InodesMax { get; init; } = 50_000_000;

    /// <summary>Locks held in all (default 1 Mi); ENOLCK.</summary>
    public int LocksMax { get; init; } = 1 << 20;

    /// <summary>Outcomes remembered for one session (default 4096), which bounds its mutations in flight; EAGAIN.</summary>
    public int RememberedMax { get; init; } = 4096;

    /// <summary>Sessions (default 10,000); EAGAIN.</summary>
    public int SessionsMax { get; init; } = 10_000;

    /// <summary>Most replicas of a chunk.</summary>
    public int ReplicasMax { get; init; } = 15;

    /// <summary>Largest file, in bytes, as offsets have 63 bits; EFBIG.</summary>
    public const ulong FileBytesMax = long.MaxValue;
}
