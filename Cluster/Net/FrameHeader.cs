using System.Runtime.InteropServices;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Net;

/// <summary>What a frame's <see cref="FrameHeader.Flags"/> say.</summary>
[Flags]
internal enum FrameFlags : ushort
{
    /// <summary>A request that wants a reply.</summary>
    None = 0,

    /// <summary>The reply to the request with the same id.</summary>
    Reply = 1,

    /// <summary>A message that nobody replies to.</summary>
    OneWay = 2,

    /// <summary><see cref="FrameHeader.PayloadCrc"/> holds the payload's checksum, made where the payload was made.</summary>
    PayloadChecked = 4,
}

/// <summary>
/// The first 32 bytes of every message between nodes, little-endian. A body follows, a small struct that is read in place; then a payload,
/// which goes from and to its owner's memory without another copy.
/// </summary>
/// <remarks>
/// The checksum of header and body is checked before anything in them is believed. The payload has its own, which travels unchanged from
/// the node that made the bytes to the one that stores them, however many nodes lie between.
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
internal struct FrameHeader
{
    /// <summary>"HCF1" in memory order.</summary>
    public const uint MagicValue = 0x31464348;

    /// <summary>Size of this header.</summary>
    public const int HeaderBytes = 32;

    /// <summary>The largest body.</summary>
    public const int BodyBytesMax = 2048;

    /// <summary>The largest payload.</summary>
    public const int PayloadBytesMax = 4 << 20;

    /// <summary><see cref="MagicValue"/>, or the sender is no node of ours.</summary>
    public uint Magic;

    /// <summary>CRC32C of this header from <see cref="Kind"/> on, and of the body.</summary>
    public uint HeadCrc;

    /// <summary>What the message is; each protocol has its own range of numbers.</summary>
    public ushort Kind;

    /// <summary><see cref="FrameFlags"/>.</summary>
    public FrameFlags Flags;

    /// <summary>Size of the body.</summary>
    public ushort BodyBytes;

    /// <summary>In a reply, the errno; 0 for success and in requests.</summary>
    public ushort Status;

    /// <summary>Size of the payload.</summary>
    public uint PayloadBytes;

    /// <summary>CRC32C of the payload, if the flags say so.</summary>
    public uint PayloadCrc;

    /// <summary>Pairs a reply with its request; unique on its connection among requests without a reply.</summary>
    public ulong Id;

    /// <summary><see cref="Status"/> as an errno.</summary>
    public readonly Errno Error => (Errno)Status;

    /// <summary>Whether the reply tells of success.</summary>
    public readonly bool IsOk => Error == Errnos.Ok;
}
