using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Harness.FuseProtocol.Wire;

/// <summary>The part of a ring entry's header that belongs to the ring.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct UringEntInOut
{
    public ulong Flags;
    public ulong CommitId;
    public uint PayloadSz;
    public uint Padding;
    public ulong Reserved;
}

/// <summary>What stands in the command area of an SQE.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct UringCmdReq
{
    /// <summary>Bytes of the struct; those behind <see cref="Qid"/> are reserved.</summary>
    public const int Size = 24;

    public ulong Flags;
    public ulong CommitId;
    public ushort Qid;
    public UringCmdReqPadding Padding;
}

/// <summary>Reserved space of <see cref="UringCmdReq"/>.</summary>
[InlineArray(6)]
public struct UringCmdReqPadding
{
    private byte _element;
}

/// <summary>Room for one header of a ring entry (<c>FUSE_URING_IN_OUT_HEADER_SZ</c>, <c>FUSE_URING_OP_IN_OUT_SZ</c>).</summary>
[InlineArray(128)]
public struct UringOpaque
{
    private byte _element;
}

/// <summary>The header of a ring entry, which kernel and daemon share (<c>struct fuse_uring_req_header</c>, 288 bytes).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct UringReqHeader
{
    public const int Size = 288;

    /// <summary>An <see cref="InHeader"/> on the way in, an <see cref="OutHeader"/> on the way out.</summary>
    public UringOpaque InOut;

    /// <summary>The fixed arguments of the request's opcode.</summary>
    public UringOpaque OpIn;
    public UringEntInOut RingEntInOut;
}

/// <summary>What an SQE for a FUSE queue asks (<c>enum fuse_uring_cmd</c>).</summary>
public enum UringCmd : uint
{
    Invalid = 0,
    Register = 1,
    CommitAndFetch = 2,
}
