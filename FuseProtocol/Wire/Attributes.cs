using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Harness.FuseProtocol.Wire;

/// <summary>A file's attributes (<c>struct fuse_attr</c>, 88 bytes). Times are seconds and nanoseconds since 1970.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Attr
{
    public ulong Ino;
    public ulong Size;

    /// <summary>Blocks of 512 bytes that hold data.</summary>
    public ulong Blocks;
    public ulong Atime;
    public ulong Mtime;
    public ulong Ctime;
    public uint Atimensec;
    public uint Mtimensec;
    public uint Ctimensec;

    /// <summary>File type and permissions, as in stat(2).</summary>
    public uint Mode;
    public uint Nlink;
    public uint Uid;
    public uint Gid;

    /// <summary>Device number, in the kernel's 32-bit encoding.</summary>
    public uint Rdev;
    public uint Blksize;
    public AttrFlags Flags;
}

/// <summary>File-system totals (<c>struct fuse_kstatfs</c>, 80 bytes).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Kstatfs
{
    public ulong Blocks;
    public ulong Bfree;
    public ulong Bavail;
    public ulong Files;
    public ulong Ffree;
    public uint Bsize;
    public uint Namelen;
    public uint Frsize;
    public uint Padding;
    public KstatfsSpare Spare;
}

/// <summary>Reserved space of <see cref="Kstatfs"/>.</summary>
[InlineArray(6)]
public struct KstatfsSpare
{
    private uint _element;
}

/// <summary>A byte-range lock (<c>struct fuse_file_lock</c>, 24 bytes); <c>End</c> is inclusive.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct FileLock
{
    public ulong Start;
    public ulong End;

    /// <summary>F_RDLCK, F_WRLCK or F_UNLCK, as in fcntl(2).</summary>
    public uint Type;
    public uint Pid;
}

/// <summary>A time in statx (<c>struct fuse_sx_time</c>, 16 bytes).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SxTime
{
    public long TvSec;
    public uint TvNsec;
    public int Reserved;
}

/// <summary>Extended attributes of a file as statx(2) gives them (<c>struct fuse_statx</c>, 256 bytes).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Statx
{
    public uint Mask;
    public uint Blksize;
    public ulong Attributes;
    public uint Nlink;
    public uint Uid;
    public uint Gid;
    public ushort Mode;
    public ushort Spare0;
    public ulong Ino;
    public ulong Size;
    public ulong Blocks;
    public ulong AttributesMask;
    public SxTime Atime;
    public SxTime Btime;
    public SxTime Ctime;
    public SxTime Mtime;
    public uint RdevMajor;
    public uint RdevMinor;
    public uint DevMajor;
    public uint DevMinor;
    public StatxSpare Spare2;
}

/// <summary>Reserved space of <see cref="Statx"/>.</summary>
[InlineArray(14)]
public struct StatxSpare
{
    private ulong _element;
}
