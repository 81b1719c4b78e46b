using System.Runtime.InteropServices;

namespace Harness.FuseProtocol.Wire;

/// <summary>Stands before every message from the kernel (<c>struct fuse_in_header</c>, 40 bytes).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct InHeader
{
    public const int Size = 40;

    public uint Len;
    public Opcode Opcode;
    public ulong Unique;
    public ulong NodeId;
    public uint Uid;
    public uint Gid;
    public uint Pid;

    /// <summary>Length of the extensions at the end of the message, in units of 8 bytes.</summary>
    public ushort TotalExtlen;
    public ushort Padding;
}

/// <summary>Stands before every message to the kernel (<c>struct fuse_out_header</c>, 16 bytes).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct OutHeader
{
    public const int Size = 16;

    public uint Len;

    /// <summary>0, or a negated errno; in a notification (<see cref="Unique"/> is 0) a <see cref="NotifyCode"/>.</summary>
    public int Error;
    public ulong Unique;
}

/// <summary>Constants of the protocol that belong to no struct.</summary>
public static class Protocol
{
    /// <summary>The major version, of which there is only this one since 2006.</summary>
    public const uint Major = 7;

    /// <summary>The newest minor version spoken: that of Linux 6.18.</summary>
    public const uint Minor = 45;

    /// <summary>The oldest minor version accepted: that of Linux 5.4.</summary>
    public const uint MinorMin = 31;

    /// <summary>Bit of <see cref="InHeader.Unique"/> that marks a request sent again after RESEND (<c>FUSE_UNIQUE_RESEND</c>).</summary>
    public const ulong UniqueResend = 1UL << 63;

    /// <summary>
    /// Bit of <see cref="InHeader.Unique"/> that marks the answer to a retrieve notification. The number there is of our choosing; with this
    /// bit, which the kernel's own numbers never reach, and an even number below it, no request can be taken for it.
    /// </summary>
    public const ulong UniqueRetrieve = 1UL << 62;

    /// <summary>The least that a read of the device must offer (<c>FUSE_MIN_READ_BUFFER</c>), in bytes.</summary>
    public const int MinReadBuffer = 8192;

    /// <summary>
    /// Longest name a request may carry, without its NUL: PATH_MAX - 1 where a message has more than a page, 1024 otherwise and on older
    /// kernels (<c>FUSE_NAME_MAX</c>, <c>FUSE_NAME_LOW_MAX</c>, fs/fuse/fuse_i.h). NAME_MAX is for the file system to enforce.
    /// </summary>
    public const int NameMax = 4095;

    /// <summary>The uid and gid of a caller that an id-mapped mount cannot map (<c>FUSE_INVALID_UIDGID</c>).</summary>
    public const uint InvalidUidGid = uint.MaxValue;

    /// <summary>Rounds up to the 8-byte boundary on which variable records stand (<c>FUSE_REC_ALIGN</c>).</summary>
    public static int Align(int length) => (length + 7) & ~7;
}
