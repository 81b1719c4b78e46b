using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Net;

/// <summary>Room for a reply's small struct.</summary>
[InlineArray(BytesMax)]
internal struct ReplyBody
{
    /// <summary>The largest body of a reply; more goes into its payload.</summary>
    public const int BytesMax = 64;

    private byte _element;
}

/// <summary>How a call has ended.</summary>
internal struct RpcReply
{
    /// <summary>
    /// The server's answer; ETIMEDOUT after the deadline and ENOTCONN if the connection ended, and then nobody knows whether the request was
    /// carried out; EAGAIN if this node or the server has too much under way, and then it was not.
    /// </summary>
    public Errno Status;

    /// <summary>Bytes of <see cref="Body"/> that arrived.</summary>
    public int BodyBytes;

    /// <summary>Bytes of payload, in the memory that the caller gave or in <see cref="Buffer"/>.</summary>
    public int PayloadBytes;

    /// <summary>The payload where the caller gave no memory; the caller releases it. Null without a payload.</summary>
    public PayloadBuffer? Buffer;

    /// <summary>The body.</summary>
    public ReplyBody Body;

    /// <summary>Whether the server did what was asked.</summary>
    public readonly bool IsOk => Status == Errnos.Ok;

    /// <summary>The body as a struct; all zero where it is shorter.</summary>
    public readonly T Read<T>()
        where T : unmanaged
    {
        ReadOnlySpan<byte> bytes = Body;
        return MemoryMarshal.TryRead(bytes[..BodyBytes], out T value) ? value : default;
    }
}
