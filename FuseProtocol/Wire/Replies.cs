using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Harness.FuseProtocol.Wire;

/// <summary>Answers LOOKUP and whatever makes a node; the node's lookup count grows by one.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct EntryOut
{
    public ulong Nodeid;
    public ulong Generation;
    public ulong EntryValid;
    public ulong AttrValid;
    public uint EntryValidNsec;
    public uint AttrValidNsec;
    public Attr Attr;
}

/// <summary>Answers GETATTR and SETATTR.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct AttrOut
{
    public ulong AttrValid;
    public uint AttrValidNsec;
    public uint Dummy;
    public Attr Attr;
}

/// <summary>Answers STATX.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct StatxOut
{
    public ulong AttrValid;
    public uint AttrValidNsec;
    public uint Flags;
    public StatxOutSpare Spare;
    public Statx Stat;
}

/// <summary>Answers OPEN, OPENDIR and the second half of CREATE.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct OpenOut
{
    public ulong Fh;
    public FopenFlags OpenFlags;
    public int BackingId;
}

/// <summary>Answers WRITE and COPY_FILE_RANGE.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct WriteOut
{
    public uint Size;
    public uint Padding;
}

/// <summary>Answers STATFS.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct StatfsOut
{
    public Kstatfs St;
}

/// <summary>Answers GETXATTR and LISTXATTR of size 0.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct GetxattrOut
{
    public uint Size;
    public uint Padding;
}

/// <summary>Answers GETLK.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct LkOut
{
    public FileLock Lk;
}

/// <summary>Answers BMAP.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct BmapOut
{
    public ulong Block;
}

/// <summary>Answers IOCTL; its data follow.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct IoctlOut
{
    public int Result;
    public IoctlFlags Flags;
    public uint InIovs;
    public uint OutIovs;
}

/// <summary>Answers POLL.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PollOut
{
    public uint Revents;
    public uint Padding;
}

/// <summary>Answers LSEEK.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct LseekOut
{
    public ulong Offset;
}

/// <summary>Answers COPY_FILE_RANGE_64.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CopyFileRangeOut
{
    public ulong BytesCopied;
}

/// <summary>One name of READDIR; the name follows, padded to 8 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Dirent
{
    public ulong Ino;
    public ulong Off;
    public uint Namelen;
    public uint Type;
}

/// <summary>One name of READDIRPLUS; the name follows, padded to 8 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Direntplus
{
    public EntryOut EntryOut;
    public Dirent Dirent;
}

/// <summary>Reserved space of <see cref="StatxOut"/>.</summary>
[InlineArray(2)]
public struct StatxOutSpare
{
    private ulong _element;
}

/// <summary>Answers CREATE and TMPFILE: the new node and its open file, one behind the other.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CreateOut
{
    public EntryOut Entry;
    public OpenOut Open;
}
