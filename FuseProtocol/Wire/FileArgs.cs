using System.Runtime.InteropServices;

namespace Harness.FuseProtocol.Wire;

/// <summary>OPEN and OPENDIR: <see cref="Flags"/> as in open(2).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct OpenIn
{
    public uint Flags;
    public OpenInFlags OpenFlags;
}

/// <summary>CREATE and TMPFILE: <see cref="Flags"/> as in open(2).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CreateIn
{
    public uint Flags;
    public uint Mode;
    public uint Umask;
    public OpenInFlags OpenFlags;
}

/// <summary>RELEASE and RELEASEDIR.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ReleaseIn
{
    public ulong Fh;
    public uint Flags;
    public ReleaseFlags ReleaseFlags;
    public ulong LockOwner;
}

/// <summary>FLUSH.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct FlushIn
{
    public ulong Fh;
    public uint Unused;
    public uint Padding;
    public ulong LockOwner;
}

/// <summary>READ, READDIR and READDIRPLUS.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ReadIn
{
    public ulong Fh;
    public ulong Offset;
    public uint Size;
    public ReadFlags ReadFlags;
    public ulong LockOwner;
    public uint Flags;
    public uint Padding;
}

/// <summary>WRITE; its data follow.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct WriteIn
{
    public ulong Fh;
    public ulong Offset;
    public uint Size;
    public WriteFlags WriteFlags;
    public ulong LockOwner;
    public uint Flags;
    public uint Padding;
}

/// <summary>FSYNC and FSYNCDIR.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct FsyncIn
{
    public ulong Fh;
    public FsyncFlags FsyncFlags;
    public uint Padding;
}

/// <summary>FALLOCATE.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct FallocateIn
{
    public ulong Fh;
    public ulong Offset;
    public ulong Length;
    public FallocateMode Mode;
    public uint Padding;
}

/// <summary>LSEEK (SEEK_DATA and SEEK_HOLE; the kernel does the others).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct LseekIn
{
    public ulong Fh;
    public ulong Offset;
    public uint Whence;
    public uint Padding;
}

/// <summary>COPY_FILE_RANGE and COPY_FILE_RANGE_64.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CopyFileRangeIn
{
    public ulong FhIn;
    public ulong OffIn;
    public ulong NodeidOut;
    public ulong FhOut;
    public ulong OffOut;
    public ulong Len;
    public ulong Flags;
}

/// <summary>GETLK, SETLK and SETLKW.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct LkIn
{
    public ulong Fh;
    public ulong Owner;
    public FileLock Lk;
    public LkFlags LkFlags;
    public uint Padding;
}

/// <summary>BMAP.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct BmapIn
{
    public ulong Block;
    public uint Blocksize;
    public uint Padding;
}

/// <summary>IOCTL; its data follow.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct IoctlIn
{
    public ulong Fh;
    public IoctlFlags Flags;
    public uint Cmd;
    public ulong Arg;
    public uint InSize;
    public uint OutSize;
}

/// <summary>One range of memory that an unrestricted IOCTL asks the kernel to retry with.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct IoctlIovec
{
    public ulong Base;
    public ulong Len;
}

/// <summary>POLL.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PollIn
{
    public ulong Fh;
    public ulong Kh;
    public PollFlags Flags;
    public uint Events;
}

/// <summary>SYNCFS.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SyncfsIn
{
    public ulong Padding;
}

/// <summary>SETUPMAPPING (DAX, virtiofs only).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SetupmappingIn
{
    public ulong Fh;
    public ulong Foffset;
    public ulong Len;
    public ulong Flags;
    public ulong Moffset;
}

/// <summary>REMOVEMAPPING (DAX, virtiofs only).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct RemovemappingIn
{
    public uint Count;
}

/// <summary>One element of REMOVEMAPPING.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct RemovemappingOne
{
    public ulong Moffset;
    public ulong Len;
}
