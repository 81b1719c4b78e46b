using Harness.FuseProtocol.Wire;
using Harness.Transport.Simulated.Names;
using Harness.Transport.Simulated.Pages;

namespace Harness.Transport.Simulated.Files;

/// <summary>Flags of open(2), in the numbers of x86 (include/uapi/asm-generic/fcntl.h).</summary>
[Flags]
public enum OpenFileFlags : uint
{
    /// <summary>O_RDONLY.</summary>
    ReadOnly = 0,

    /// <summary>O_WRONLY.</summary>
    WriteOnly = 1,

    /// <summary>O_RDWR.</summary>
    ReadWrite = 2,

    /// <summary>The bits of the access mode.</summary>
    AccessMode = 3,

    /// <summary>O_CREAT.</summary>
    Create = 0x40,

    /// <summary>O_EXCL.</summary>
    Exclusive = 0x80,

    /// <summary>O_TRUNC.</summary>
    Truncate = 0x200,

    /// <summary>O_APPEND.</summary>
    Append = 0x400,

    /// <summary>O_DSYNC.</summary>
    DataSync = 0x1000,

    /// <summary>O_DIRECT.</summary>
    Direct = 0x4000,

    /// <summary>O_LARGEFILE, which a 64-bit kernel sets itself.</summary>
    LargeFile = 0x8000,

    /// <summary>O_DIRECTORY.</summary>
    Directory = 0x1_0000,

    /// <summary>O_NOFOLLOW.</summary>
    NoFollow = 0x2_0000,

    /// <summary>O_SYNC, which contains O_DSYNC.</summary>
    Sync = 0x10_1000,
}

/// <summary>An open file or directory (<c>struct file</c> with its <c>struct fuse_file</c>).</summary>
internal sealed class OpenFile(Dentry dentry, OpenFileFlags flags, ulong fh, FopenFlags fopen, int readaheadPages)
{
    /// <summary>The name that it was opened by.</summary>
    public Dentry Dentry { get; } = dentry;

    public Inode Inode { get; } = dentry.Inode!;

    /// <summary>As messages carry them.</summary>
    public OpenFileFlags Flags { get; set; } = flags;

    public ulong Fh { get; } = fh;

    public FopenFlags Fopen { get; } = fopen;

    /// <summary>Descriptors that refer to it.</summary>
    public int References { get; set; } = 1;

    /// <summary>Where read(2), write(2) and getdents(2) go on.</summary>
    public long Position { get; set; }

    public ReadaheadState Readahead { get; } = new(readaheadPages);

    /// <summary>Messages under way that use it, and one more while it is open: the last one to end sends RELEASE.</summary>
    public int Uses { get; set; } = 1;

    /// <summary>Whether flock(2) has locked something through it.</summary>
    public bool HasFlock { get; set; }

    public bool IsWritable => (Flags & OpenFileFlags.AccessMode) != OpenFileFlags.ReadOnly;

    public bool IsReadable => (Flags & OpenFileFlags.AccessMode) != OpenFileFlags.WriteOnly;

    public bool IsDirect => (Flags & OpenFileFlags.Direct) != 0;

    public bool IsUncached => (Fopen & FopenFlags.DirectIo) != 0;

    public bool Has(FopenFlags flag) => (Fopen & flag) != 0;
}
