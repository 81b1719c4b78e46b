using Harness.FuseProtocol.Wire;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Files;
using Harness.Transport.Simulated.Pages;

namespace Harness.Transport.Simulated.Names;

/// <summary>Attributes that may be known or not, as statx(2) counts them (include/uapi/linux/stat.h).</summary>
[Flags]
internal enum AttributeMask : uint
{
    None = 0,
    Type = 0x1,
    Mode = 0x2,
    Nlink = 0x4,
    Uid = 0x8,
    Gid = 0x10,
    Atime = 0x20,
    Mtime = 0x40,
    Ctime = 0x80,
    Ino = 0x100,
    Size = 0x200,
    Blocks = 0x400,
    Basic = 0x7FF,

    /// <summary>What a write that does not extend a file changes (<c>FUSE_STATX_MODIFY</c>).</summary>
    Modify = Mtime | Ctime | Blocks,

    /// <summary>What a write changes (<c>FUSE_STATX_MODSIZE</c>).</summary>
    ModifyAndSize = Modify | Size,

    /// <summary>What a permission check looks at.</summary>
    Permission = Mode | Uid | Gid,
}

/// <summary>A node that the kernel knows (<c>struct fuse_inode</c>).</summary>
internal sealed class Inode
{
    private const uint TypeMask = 0xF000;
    private const uint Regular = 0x8000;
    private const uint DirectoryType = 0x4000;
    private const uint SymlinkType = 0xA000;

    public Inode(Machine machine, ulong nodeId, ulong generation, uint mode)
    {
        NodeId = nodeId;
        Generation = generation;
        Attr.Mode = mode;
        Lock = new SimRwLock(machine, $"inode {nodeId}");
        Pages = new PageCache();
        WritebackDone = new SimWaitQueue($"writeback of inode {nodeId}");
    }

    public ulong NodeId { get; }

    public ulong Generation { get; }

    /// <summary>What the daemon said last.</summary>
    public Attr Attr;

    /// <summary>Lookups that the daemon has counted.</summary>
    public ulong Lookups { get; set; }

    /// <summary>Names, open files and requests that hold it.</summary>
    public int References { get; set; }

    /// <summary>The size as the kernel knows it (<c>i_size</c>).</summary>
    public long Size { get; set; }

    /// <summary>Attributes that must be asked for before use.</summary>
    public AttributeMask Invalid { get; set; } = AttributeMask.Basic;

    /// <summary>Until when the others may be used, in virtual nanoseconds; 0 for not at all.</summary>
    public long ValidUntil { get; set; }

    /// <summary>Counts local changes, so that an answer older than one is not taken for the truth.</summary>
    public ulong Version { get; set; }

    /// <summary>The size is being changed, so no answer says what it is.</summary>
    public bool IsSizeUnstable { get; set; }

    /// <summary>A listing may look up what it lists (<c>FUSE_I_ADVISE_RDPLUS</c>).</summary>
    public bool AdviseReaddirplus { get; set; }

    /// <summary>Its times are newer here than with the daemon (writeback cache).</summary>
    public bool HasDirtyTimes { get; set; }

    /// <summary>The inode's semaphore (<c>i_rwsem</c>).</summary>
    public SimRwLock Lock { get; }

    /// <summary>Its cached data.</summary>
    public PageCache Pages { get; }

    /// <summary>Writeback messages under way.</summary>
    public int Writebacks { get; set; }

    /// <summary>Those that wait for these.</summary>
    public SimWaitQueue WritebackDone { get; }

    /// <summary>Open files through which cached data can be written back, the latest first.</summary>
    public List<OpenFile> Writers { get; } = [];

    /// <summary>Open files that go through the page cache; none goes past it side by side with others then.</summary>
    public int CachedOpens { get; set; }

    /// <summary>
    /// It is known to have no set-id bits and no capabilities that a write would clear (<c>S_NOSEC</c>). Every answer with attributes
    /// makes that unknown again.
    /// </summary>
    public bool HasNoPrivileges { get; set; }

    /// <summary>Where a symbolic link points, once read and if the connection caches that.</summary>
    public string? Target { get; set; }

    public bool IsRegular => (Attr.Mode & TypeMask) == Regular;

    public bool IsDirectory => (Attr.Mode & TypeMask) == DirectoryType;

    public bool IsSymlink => (Attr.Mode & TypeMask) == SymlinkType;

    public bool IsStale(AttributeMask mask, long now) => (Invalid & mask) != 0 || ValidUntil < now;

    public void Invalidate(AttributeMask mask) => Invalid |= mask;
}
