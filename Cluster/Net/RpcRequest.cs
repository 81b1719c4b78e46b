using System.Runtime.InteropServices;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Net;

/// <summary>A request that has arrived whole. Answered exactly once, on its loop, which returns it and its payload to their pools.</summary>
internal sealed class RpcRequest
{
    private readonly byte[] _body = new byte[FrameHeader.BodyBytesMax];
    private int _bodyBytes;

    /// <summary>The connection it came by, and over which it is answered.</summary>
    public RpcPeer Peer { get; private set; } = null!;

    /// <summary>Its header.</summary>
    public FrameHeader Header { get; private set; }

    /// <summary>Its body; valid until it is answered.</summary>
    public ReadOnlySpan<byte> Body => _body.AsSpan(0, _bodyBytes);

    /// <summary>Its payload, or null. Who needs it beyond the answer adds a reference.</summary>
    public PayloadBuffer? Payload { get; private set; }

    /// <summary>The payload's bytes.</summary>
    public ReadOnlyMemory<byte> PayloadBytes => Payload?.Memory ?? default;

    /// <summary>Reads the body as a struct.</summary>
    /// <returns>False if it is too short: answer EBADMSG.</returns>
    public bool TryRead<T>(out T body)
        where T : unmanaged => MemoryMarshal.TryRead(Body, out body);

    /// <summary>Answers with an errno alone.</summary>
    public void Reply(Errno status) => Reply(status, default, default);

    /// <summary>Answers success with a small struct.</summary>
    public void Reply<T>(in T body, in Payload payload = default)
        where T : unmanaged => Reply(Errnos.Ok, MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in body)), payload);

    /// <summary>Answers. A request without a reply (<see cref="FrameFlags.OneWay"/>) is answered too, which only frees it.</summary>
    /// <param name="status">0 or an errno.</param>
    /// <param name="body">At most <see cref="ReplyBody.BytesMax"/> bytes.</param>
    /// <param name="payload">One reference of its owner passes on.</param>
    public void Reply(Errno status, ReadOnlySpan<byte> body, in Payload payload) => Peer.Answer(this, status, body, payload);

    /// <summary>Ends it without an answer: who asked has been told by somebody else.</summary>
    public void Drop() => Peer.Drop(this);

    internal void Begin(RpcPeer peer, in FrameHeader header, ReadOnlySpan<byte> body, PayloadBuffer? payload)
    {
        Peer = peer;
        Header = header;
        body.CopyTo(_body);
        _bodyBytes = body.Length;
        Payload = payload;
        IsOpen = true;
    }

    /// <summary>Whether it still has to be answered.</summary>
    internal bool IsOpen { get; private set; }

    internal void End()
    {
        IsOpen = false;
        Payload?.Release();
        Payload = null;
    }
}

/// <summary>Whoever serves a peer's requests, on its loop.</summary>
internal interface IRpcHandler
{
    /// <summary>A request has arrived. It is answered now or later, exactly once.</summary>
    void OnRequest(RpcRequest request);

    /// <summary>The connection has ended. Requests that came by it may still be answered, to nobody.</summary>
    void OnDisconnected(RpcPeer peer, string reason);
}
