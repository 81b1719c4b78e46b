namespace Harness.FuseProtocol.Wire;

/// <summary>How the kernel shall treat an open file (<c>FOPEN_*</c>), in <see cref="OpenOut.OpenFlags"/>.</summary>
[Flags]
public enum FopenFlags : uint
{
    None = 0,
    DirectIo = 1 << 0,
    KeepCache = 1 << 1,
    Nonseekable = 1 << 2,
    CacheDir = 1 << 3,
    Stream = 1 << 4,
    Noflush = 1 << 5,
    ParallelDirectWrites = 1 << 6,
    Passthrough = 1 << 7,
}

/// <summary>Which fields of <see cref="SetattrIn"/> count (<c>FATTR_*</c>).</summary>
[Flags]
public enum SetattrValid : uint
{
    None = 0,
    Mode = 1 << 0,
    Uid = 1 << 1,
    Gid = 1 << 2,
    Size = 1 << 3,
    Atime = 1 << 4,
    Mtime = 1 << 5,
    Fh = 1 << 6,
    AtimeNow = 1 << 7,
    MtimeNow = 1 << 8,
    LockOwner = 1 << 9,
    Ctime = 1 << 10,
    KillSuidgid = 1 << 11,
}

/// <summary><c>FUSE_GETATTR_*</c>: whether <see cref="GetattrIn.Fh"/> is valid.</summary>
[Flags]
public enum GetattrFlags : uint
{
    None = 0,
    Fh = 1 << 0,
}

/// <summary><c>FUSE_OPEN_*</c>, in the requests that open.</summary>
[Flags]
public enum OpenInFlags : uint
{
    None = 0,
    KillSuidgid = 1 << 0,
}

/// <summary><c>FUSE_RELEASE_*</c>.</summary>
[Flags]
public enum ReleaseFlags : uint
{
    None = 0,
    Flush = 1 << 0,
    FlockUnlock = 1 << 1,
}

/// <summary><c>FUSE_WRITE_*</c>: where a write comes from and what it shall clear.</summary>
[Flags]
public enum WriteFlags : uint
{
    None = 0,

    /// <summary>A delayed write from the page cache; the file handle is guessed.</summary>
    Cache = 1 << 0,
    LockOwner = 1 << 1,
    KillSuidgid = 1 << 2,
}

/// <summary><c>FUSE_READ_*</c>.</summary>
[Flags]
public enum ReadFlags : uint
{
    None = 0,
    LockOwner = 1 << 1,
}

/// <summary><c>FUSE_LK_*</c>.</summary>
[Flags]
public enum LkFlags : uint
{
    None = 0,
    Flock = 1 << 0,
}

/// <summary><c>FUSE_FSYNC_*</c>.</summary>
[Flags]
public enum FsyncFlags : uint
{
    None = 0,
    Fdatasync = 1 << 0,
}

/// <summary><c>FUSE_ATTR_*</c>, in <see cref="Attr.Flags"/>.</summary>
[Flags]
public enum AttrFlags : uint
{
    None = 0,
    Submount = 1 << 0,
    Dax = 1 << 1,
}

/// <summary><c>FUSE_SETXATTR_*</c>.</summary>
[Flags]
public enum SetxattrExtFlags : uint
{
    None = 0,
    AclKillSgid = 1 << 0,
}

/// <summary><c>FUSE_IOCTL_*</c>.</summary>
[Flags]
public enum IoctlFlags : uint
{
    None = 0,
    Compat = 1 << 0,
    Unrestricted = 1 << 1,
    Retry = 1 << 2,
    Is32Bit = 1 << 3,
    Dir = 1 << 4,
    CompatX32 = 1 << 5,
}

/// <summary><c>FUSE_POLL_*</c>.</summary>
[Flags]
public enum PollFlags : uint
{
    None = 0,
    ScheduleNotify = 1 << 0,
}

/// <summary>Flags of the inval-entry notification.</summary>
[Flags]
public enum InvalEntryFlags : uint
{
    None = 0,

    /// <summary>Expire the name instead of dropping it (<c>FUSE_EXPIRE_ONLY</c>).</summary>
    ExpireOnly = 1 << 0,
}

/// <summary>Flags of renameat2(2), which RENAME2 carries unchanged.</summary>
[Flags]
public enum RenameFlags : uint
{
    None = 0,
    Noreplace = 1 << 0,
    Exchange = 1 << 1,
    Whiteout = 1 << 2,
}

/// <summary>Mode bits of fallocate(2), which FALLOCATE carries unchanged.</summary>
[Flags]
public enum FallocateMode : uint
{
    None = 0,
    KeepSize = 1 << 0,
    PunchHole = 1 << 1,
    NoHideStale = 1 << 2,
    CollapseRange = 1 << 3,
    ZeroRange = 1 << 4,
    InsertRange = 1 << 5,
    UnshareRange = 1 << 6,
}

/// <summary>The kinds of extension behind a request's arguments (<c>enum fuse_ext_type</c>); 0 to 31 are counts of security contexts.</summary>
public enum ExtType : uint
{
    MaxNrSecctx = 31,
    Groups = 32,
}
