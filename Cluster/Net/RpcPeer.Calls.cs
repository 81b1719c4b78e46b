using System.Runtime.InteropServices;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Net;

/// <content>Calls to the other side.</content>
internal sealed partial class RpcPeer
{
    private const int SlotBits = 16;

    private static readonly Action<object?> s_tick = static state => ((RpcPeer)state!).Tick();

    private readonly List<RpcCall> _calls = [];
    private readonly Stack<RpcCall> _freeCalls = new();
    private int _callsPending;
    private bool _ticking;

    /// <summary>Calls that wait for their replies.</summary>
    public int CallsInFlight => _callsPending;

    /// <summary>Asks the other side, with a small struct.</summary>
    /// <inheritdoc cref="Call(ushort, ReadOnlySpan{byte}, in Payload, Memory{byte}, long)"/>
    public ValueTask<RpcReply> Call<T>(ushort kind, in T body, in Payload payload, Memory<byte> into, long timeoutNanoseconds)
        where T : unmanaged => Call(kind, MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in body)), payload, into, timeoutNanoseconds);

    /// <summary>Asks the other side.</summary>
    /// <param name="kind">What for.</param>
    /// <param name="body">A small struct, copied.</param>
    /// <param name="payload">Bytes, not copied; they must stay until the call has ended. One reference of their owner passes on.</param>
    /// <param name="into">Where the reply's payload goes; empty to have a pooled buffer, which the caller releases.</param>
    /// <param name="timeoutNanoseconds">After so long the call ends with ETIMEDOUT.</param>
    /// <returns>To be awaited once, on this loop.</returns>
    public ValueTask<RpcReply> Call(ushort kind, ReadOnlySpan<byte> body, in Payload payload, Memory<byte> into, long timeoutNanoseconds) =>
        Call(kind, body, payload, into, timeoutNanoseconds, out _);

    /// <summary>Asks the other side, with a small struct, what somebody else may answer (<see cref="EndCall"/>).</summary>
    /// <inheritdoc cref="Call(ushort, ReadOnlySpan{byte}, in Payload, Memory{byte}, long)"/>
    public ValueTask<RpcReply> Call<T>(ushort kind, in T body, in Payload payload, long timeoutNanoseconds, out ulong id)
        where T : unmanaged => Call(kind, MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in body)), payload, default, timeoutNanoseconds, out id);

    /// <summary>Ends a call that somebody else has answered; its caller goes on before this returns. A reply that comes later is dropped.</summary>
    /// <param name="id">The call; what is not under way any more is left alone.</param>
    /// <param name="status">How it ends.</param>
    public void EndCall(ulong id, Errno status)
    {
        if (Pending(id) is not { } call)
        {
            return;
        }

        if (call == _arrivingCall || call.Frame > _connection.FramesSent)
        {
            Close("a call was answered by somebody else while its bytes were under way");
            return;
        }

        _callsPending--;
        End(call, status);
    }

    private ValueTask<RpcReply> Call(
        ushort kind, ReadOnlySpan<byte> body, in Payload payload, Memory<byte> into, long timeoutNanoseconds, out ulong id)
    {
        id = ulong.MaxValue;
        if (_callsPending >= Math.Min(_limits.CallsInFlightMax, 1 << SlotBits))
        {
            payload.Release();
            return new ValueTask<RpcReply>(new RpcReply { Status = Errno.EAGAIN });
        }

        if (!_freeCalls.TryPop(out RpcCall? call))
        {
            call = new RpcCall(this, _calls.Count);
            _calls.Add(call);
        }

        call.Generation++;
        var header = new FrameHeader { Kind = kind, Id = (call.Generation << SlotBits) | (uint)call.Slot };
        Errno error = _connection.Send(header, body, payload);
        if (error != Errnos.Ok)
        {
            payload.Release();
            _freeCalls.Push(call);
            return new ValueTask<RpcReply>(new RpcReply { Status = error });
        }

        id = header.Id;
        _callsPending++;
        call.Frame = _connection.FramesQueued;
        ValueTask<RpcReply> task = call.Begin(_loop.NowNanoseconds + timeoutNanoseconds, into);
        if (!_ticking)
        {
            _ticking = true;
            _loop.PostAt(_loop.NowNanoseconds + _limits.DeadlineTickNanoseconds, s_tick, this);
        }

        return task;
    }

    /// <summary>A call's result was taken.</summary>
    internal void Recycle(RpcCall call) => _freeCalls.Push(call);

    private Memory<byte> ReplyHead(in FrameHeader header, ReadOnlySpan<byte> body)
    {
        if (Pending(header.Id) is not { } call)
        {
            // The call has ended at its deadline, or the network has delivered the reply before.
            return default;
        }

        bool tooLong = body.Length > ReplyBody.BytesMax || (!call.Into.IsEmpty && header.PayloadBytes > call.Into.Length);
        if (tooLong)
        {
            Close($"a reply of kind {header.Kind} with {body.Length} + {header.PayloadBytes} bytes is longer than what was asked for");
            return default;
        }

        Memory<byte> payload = call.Into;
        if (header.PayloadBytes > 0 && payload.IsEmpty)
        {
            _arrivingBuffer = _pool.TryRent((int)header.PayloadBytes);
            payload = _arrivingBuffer?.Memory ?? default;
        }

        _callsPending--;
        _arrivingCall = call;
        call.Reply.Status = header.PayloadBytes > 0 && payload.IsEmpty ? Errno.ENOBUFS : header.Error;
        call.Reply.BodyBytes = body.Length;
        call.Reply.PayloadBytes = (int)header.PayloadBytes;
        body.CopyTo(call.Reply.Body);
        return header.PayloadBytes > 0 ? payload[..(int)header.PayloadBytes] : default;
    }

    /// <summary>A call under way; null if it has ended.</summary>
    private RpcCall? Pending(ulong id)
    {
        int slot = (int)(id & ((1 << SlotBits) - 1));
        return slot < _calls.Count && _calls[slot] is { IsPending: true } call && call.Generation == id >> SlotBits ? call : null;
    }

    private void Tick()
    {
        _ticking = false;
        long now = _loop.NowNanoseconds;
        for (int i = 0; i < _calls.Count; i++)
        {
            RpcCall call = _calls[i];
            if (!call.IsPending || call.DeadlineNanoseconds > now)
            {
                continue;
            }

            if (call == _arrivingCall || call.Frame > _connection.FramesSent)
            {
                Close("a call ended at its deadline while its bytes were under way");
                return;
            }

            _callsPending--;
            End(call, Errno.ETIMEDOUT);
        }

        if (_callsPending > 0)
        {
            _ticking = true;
            _loop.PostAt(now + _limits.DeadlineTickNanoseconds, s_tick, this);
        }
    }

    private void FailCalls()
    {
        for (int i = 0; i < _calls.Count; i++)
        {
            if (_calls[i].IsPending)
            {
                End(_calls[i], Errno.ENOTCONN);
            }
        }

        _callsPending = 0;
    }

    private static void End(RpcCall call, Errno status)
    {
        call.Reply = new RpcReply { Status = status };
        call.Complete();
    }
}
