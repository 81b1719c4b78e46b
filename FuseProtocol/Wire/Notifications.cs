using System.Runtime.InteropServices;

namespace Harness.FuseProtocol.Wire;

/// <summary>Notification: a poll handle has become ready.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct NotifyPollWakeupOut
{
    public ulong Kh;
}

/// <summary>Notification: drop attributes, and cached data in the range (all, if <see cref="Off"/> is negative: attributes only).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct NotifyInvalInodeOut
{
    public ulong Ino;
    public long Off;
    public long Len;
}

/// <summary>Notification: drop a name; the name follows.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct NotifyInvalEntryOut
{
    public ulong Parent;
    public uint Namelen;
    public InvalEntryFlags Flags;
}

/// <summary>Notification: a name is gone; the name follows.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct NotifyDeleteOut
{
    public ulong Parent;
    public ulong Child;
    public uint Namelen;
    public uint Padding;
}

/// <summary>Notification: put the data that follow into the page cache.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct NotifyStoreOut
{
    public ulong Nodeid;
    public ulong Offset;
    public uint Size;
    public uint Padding;
}

/// <summary>Notification: send back what the page cache holds.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct NotifyRetrieveOut
{
    public ulong NotifyUnique;
    public ulong Nodeid;
    public ulong Offset;
    public uint Size;
    public uint Padding;
}

/// <summary>NOTIFY_REPLY: the data that a retrieve notification asked for follow.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct NotifyRetrieveIn
{
    public ulong Dummy1;
    public ulong Offset;
    public uint Size;
    public uint Dummy2;
    public ulong Dummy3;
    public ulong Dummy4;
}

/// <summary>Notification: drop the cached inodes whose node ids follow, where nobody uses them.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct NotifyPruneOut
{
    public uint Count;
    public uint Padding;
    public ulong Spare;
}

/// <summary>Argument of the ioctl BACKING_OPEN.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct BackingMap
{
    public int Fd;
    public uint Flags;
    public ulong Padding;
}
