using System.Runtime.InteropServices;
using Harness.FuseProtocol;
using Harness.Runtime;
using Mono.Unix.Native;

namespace Harness.Cluster.Net;

/// <summary>
/// Requests and replies over one connection, both ways at once, many in flight, each with a deadline. Every member is for the connection's
/// loop alone, and calls end there, their callers resumed at once. Nothing is allocated for a call or a request once the peer is warm.
/// </summary>
/// <remarks>
/// A malformed frame closes the connection and nothing else. When it ends, all calls end with ENOTCONN. A call that ends at its deadline
/// while its payload is still half sent, or its reply's half received, takes the connection with it, since its memory is no longer there.
/// </remarks>
internal sealed partial class RpcPeer : IFrameSink
{
    private readonly ILoop _loop;
    private readonly IConnection _connection;
    private readonly IRpcHandler _handler;
    private readonly PayloadPool _pool;
    private readonly RpcLimits _limits;
    private readonly Hello _hello;
    private readonly Stack<RpcRequest> _freeRequests = new();
    private FrameHeader _arriving;
    private RpcRequest? _arrivingRequest;
    private RpcCall? _arrivingCall;
    private PayloadBuffer? _arrivingBuffer;
    private Memory<byte> _arrivingPayload;
    private int _requestsInFlight;
    private bool _greeted;

    /// <summary>Begins to talk over a connection.</summary>
    /// <param name="loop">The connection's loop.</param>
    /// <param name="connection">The connection, not started yet.</param>
    /// <param name="hello">Who this node is.</param>
    /// <param name="handler">Serves the other side's requests.</param>
    /// <param name="pool">Gives the memory for payloads.</param>
    /// <param name="limits">By default the defaults.</param>
    public RpcPeer(ILoop loop, IConnection connection, in Hello hello, IRpcHandler handler, PayloadPool pool, RpcLimits? limits = null)
    {
        (_loop, _connection, _hello, _handler, _pool) = (loop, connection, hello, handler, pool);
        _limits = limits ?? new RpcLimits();
        connection.Start(this);
        _ = Post(Hello.Kind, MemoryMarshal.AsBytes(new ReadOnlySpan<Hello>(in hello)), default);
    }

    /// <summary>Whether requests can still be sent.</summary>
    public bool IsOpen => _connection.IsOpen;

    /// <summary>The other side's address.</summary>
    public NodeAddress Remote => _connection.Remote;

    /// <summary>Who the other side says it is; all zero until it has said so, which it does before its first request.</summary>
    public Hello RemoteHello { get; private set; }

    /// <summary>Whatever the handler wants to keep with the connection.</summary>
    public object? Tag { get; set; }

    /// <summary>Requests of the other side that are not answered yet.</summary>
    public int RequestsInFlight => _requestsInFlight;

    /// <summary>Ends the connection.</summary>
    public void Close(string reason) => _connection.Close(reason);

    /// <summary>Sends a message that nobody replies to.</summary>
    /// <returns>EAGAIN or ENOTCONN if it was not queued; that it arrives is never certain.</returns>
    public Errno Post(ushort kind, ReadOnlySpan<byte> body, in Payload payload)
    {
        var header = new FrameHeader { Kind = kind, Flags = FrameFlags.OneWay };
        Errno error = _connection.Send(header, body, payload);
        if (error != Errnos.Ok)
        {
            payload.Release();
        }

        return error;
    }

    Memory<byte> IFrameSink.OnHead(in FrameHeader header, ReadOnlySpan<byte> body)
    {
        _arriving = header;
        _arrivingPayload = (header.Flags & FrameFlags.Reply) != 0 ? ReplyHead(header, body) : RequestHead(header, body);
        return _arrivingPayload;
    }

    void IFrameSink.OnFrame()
    {
        Memory<byte> payload = _arrivingPayload;
        _arrivingPayload = default;
        RpcRequest? request = _arrivingRequest;
        _arrivingRequest = null;
        if (!payload.IsEmpty && (_arriving.Flags & FrameFlags.PayloadChecked) != 0 &&
            Chunks.Crc32C.Compute(payload.Span[..(int)_arriving.PayloadBytes]) != _arriving.PayloadCrc)
        {
            request?.Reply(Errno.EBADMSG);
            Close($"the payload of a frame of kind {_arriving.Kind} does not match its checksum");
            return;
        }

        if (request is not null)
        {
            _handler.OnRequest(request);
        }
        else if (_arrivingCall is { } call)
        {
            _arrivingCall = null;
            call.Reply.Buffer = _arrivingBuffer;
            _arrivingBuffer = null;
            call.Complete();
        }
    }

    void IFrameSink.OnClosed(string reason)
    {
        _arrivingRequest?.Reply(Errno.ENOTCONN);
        _arrivingRequest = null;
        _arrivingCall = null;
        _arrivingBuffer?.Release();
        _arrivingBuffer = null;
        FailCalls();
        _handler.OnDisconnected(this, reason);
    }

    /// <summary>Sends the answer to a request, if it wants one and can still be reached, and frees the request.</summary>
    internal void Answer(RpcRequest request, Errno status, ReadOnlySpan<byte> body, in Payload payload)
    {
        if (!request.IsOpen)
        {
            throw new InvalidOperationException($"A request of kind {request.Header.Kind} was answered twice.");
        }

        if ((request.Header.Flags & FrameFlags.OneWay) != 0)
        {
            payload.Release();
        }
        else
        {
            Answer(request.Header, status, body, payload);
        }

        Drop(request);
    }

    /// <summary>Frees a request that is not answered.</summary>
    internal void Drop(RpcRequest request)
    {
        request.End();
        _requestsInFlight--;
        _freeRequests.Push(request);
    }

    private void Answer(in FrameHeader request, Errno status, ReadOnlySpan<byte> body, in Payload payload)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(body.Length, ReplyBody.BytesMax);
        var header = new FrameHeader { Kind = request.Kind, Flags = FrameFlags.Reply, Id = request.Id, Status = (ushort)status };
        Errno error = _connection.Send(header, body, payload);
        if (error == Errnos.Ok)
        {
            return;
        }

        payload.Release();
        if (error == Errno.EAGAIN)
        {
            // An answer cannot be left out: who asked would wait for it, and who does not read its answers is not worth the memory.
            Close("the peer does not read its replies");
        }
    }

    private Memory<byte> RequestHead(in FrameHeader header, ReadOnlySpan<byte> body)
    {
        if (!_greeted)
        {
            Greet(header, body);
            return default;
        }

        if (header.Kind == Hello.Kind)
        {
            Close("the peer greets twice");
            return default;
        }

        PayloadBuffer? payload = null;
        if (_requestsInFlight >= _limits.RequestsInFlightMax || (header.PayloadBytes > 0 && (payload = _pool.TryRent((int)header.PayloadBytes)) is null))
        {
            if ((header.Flags & FrameFlags.OneWay) == 0)
            {
                Answer(header, Errno.EAGAIN, default, default);
            }

            return default;
        }

        if (!_freeRequests.TryPop(out RpcRequest? request))
        {
            request = new RpcRequest();
        }

        _requestsInFlight++;
        request.Begin(this, header, body, payload);
        _arrivingRequest = request;
        return payload?.Memory ?? default;
    }

    private void Greet(in FrameHeader header, ReadOnlySpan<byte> body)
    {
        if (header.Kind != Hello.Kind || header.PayloadBytes > 0 || !MemoryMarshal.TryRead(body, out Hello hello))
        {
            Close("the peer does not begin with a greeting");
            return;
        }

        if (_hello.Refuse(hello) is string reason)
        {
            Close(reason);
            return;
        }

        RemoteHello = hello;
        _greeted = true;
    }
}
