using System.Runtime.InteropServices;

namespace Harness.FuseProtocol.Wire;

/// <summary>FORGET: how many lookups of the node the kernel gives back.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ForgetIn
{
    public ulong Nlookup;
}

/// <summary>One element of BATCH_FORGET.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ForgetOne
{
    public ulong Nodeid;
    public ulong Nlookup;
}

/// <summary>BATCH_FORGET: how many <see cref="ForgetOne"/> follow.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct BatchForgetIn
{
    public uint Count;
    public uint Dummy;
}

/// <summary>GETATTR.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct GetattrIn
{
    public GetattrFlags GetattrFlags;
    public uint Dummy;
    public ulong Fh;
}

/// <summary>STATX: the mask and flags of statx(2).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct StatxIn
{
    public GetattrFlags GetattrFlags;
    public uint Reserved;
    public ulong Fh;
    public uint SxFlags;
    public uint SxMask;
}

/// <summary>SETATTR: the fields that <see cref="Valid"/> names.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SetattrIn
{
    public SetattrValid Valid;
    public uint Padding;
    public ulong Fh;
    public ulong Size;
    public ulong LockOwner;
    public ulong Atime;
    public ulong Mtime;
    public ulong Ctime;
    public uint Atimensec;
    public uint Mtimensec;
    public uint Ctimensec;
    public uint Mode;
    public uint Unused4;
    public uint Uid;
    public uint Gid;
    public uint Unused5;
}

/// <summary>MKNOD.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct MknodIn
{
    public uint Mode;
    public uint Rdev;
    public uint Umask;
    public uint Padding;
}

/// <summary>MKDIR.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct MkdirIn
{
    public uint Mode;
    public uint Umask;
}

/// <summary>RENAME.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct RenameIn
{
    public ulong Newdir;
}

/// <summary>RENAME2.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Rename2In
{
    public ulong Newdir;
    public RenameFlags Flags;
    public uint Padding;
}

/// <summary>LINK.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct LinkIn
{
    public ulong Oldnodeid;
}

/// <summary>ACCESS: a mask as in access(2).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct AccessIn
{
    public uint Mask;
    public uint Padding;
}
