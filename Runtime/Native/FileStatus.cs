using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Harness.Runtime.Native;

/// <summary><c>struct statx</c>, 256 bytes (statx(2)).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FileStatus
{
    /// <summary>STATX_BASIC_STATS and STATX_BTIME.</summary>
    public const uint All = 0xFFF;

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
    public FileTime Atime;
    public FileTime Btime;
    public FileTime Ctime;
    public FileTime Mtime;
    public uint RdevMajor;
    public uint RdevMinor;
    public uint DevMajor;
    public uint DevMinor;
    public FileStatusSpare Spare2;

    /// <summary>The device's two numbers in one.</summary>
    public readonly ulong Device => ((ulong)DevMajor << 32) | DevMinor;
}

/// <summary><c>struct statx_timestamp</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FileTime
{
    public long Seconds;
    public uint Nanoseconds;
    public int Reserved;
}

/// <summary>What newer kernels tell at the end of <see cref="FileStatus"/>.</summary>
[InlineArray(14)]
internal struct FileStatusSpare
{
    private ulong _element;
}

/// <summary><c>struct statfs</c>, 120 bytes on 64-bit machines (statfs(2)).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FileSystemStatus
{
    public long Type;
    public long Bsize;
    public ulong Blocks;
    public ulong Bfree;
    public ulong Bavail;
    public ulong Files;
    public ulong Ffree;
    public long Fsid;
    public long Namelen;
    public long Frsize;
    public long Flags;
    public FileSystemStatusSpare Spare;
}

/// <summary>Reserved space of <see cref="FileSystemStatus"/>.</summary>
[InlineArray(4)]
internal struct FileSystemStatusSpare
{
    private long _element;
}
