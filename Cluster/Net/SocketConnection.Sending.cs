using Harness.FuseProtocol;
using Harness.Runtime.Native;
using Mono.Unix.Native;

namespace Harness.Cluster.Net;

/// <content>Sending.</content>
internal sealed partial class SocketConnection
{
    private static readonly Action<object?> s_flush = static state => ((SocketConnection)state!).FlushPosted();

    private readonly Queue<Outgoing> _queue = new();
    private readonly Stack<byte[]> _heads = new();
    private readonly ReadOnlyMemory<byte>[] _parts = new ReadOnlyMemory<byte>[StreamSocket.PartsMax];
    private long _bytesQueued;
    private int _sentOfFirst;
    private bool _flushPosted;
    private bool _blocked;

    /// <inheritdoc/>
    public long FramesQueued { get; private set; }

    /// <inheritdoc/>
    public long FramesSent { get; private set; }

    /// <inheritdoc/>
    public Errno Send(in FrameHeader header, ReadOnlySpan<byte> body, in Payload payload)
    {
        if (!IsOpen)
        {
            return Errno.ENOTCONN;
        }

        if (_queue.Count >= _limits.FramesQueuedMax || (_bytesQueued > 0 && _bytesQueued + payload.Bytes.Length > _limits.BytesQueuedMax))
        {
            return Errno.EAGAIN;
        }

        if (!_heads.TryPop(out byte[]? head))
        {
            head = GC.AllocateUninitializedArray<byte>(HeadBytes, pinned: true);
        }

        if (FrameHeader.HeaderBytes + body.Length > head.Length)
        {
            head = GC.AllocateUninitializedArray<byte>(FrameHeader.HeaderBytes + FrameHeader.BodyBytesMax, pinned: true);
        }

        int headBytes = FrameCodec.Write(header, body, payload, head);
        _queue.Enqueue(new Outgoing(head, headBytes, payload));
        _bytesQueued += payload.Bytes.Length;
        FramesQueued++;
        if (!_blocked && payload.Bytes.Length >= AtOnceBytes)
        {
            // What comes next takes as long as this does on its way: the other side can begin with it meanwhile.
            Flush();
        }
        else if (!_flushPosted && !_blocked)
        {
            _flushPosted = true;
            _loop.Post(s_flush, this);
        }

        return Errnos.Ok;
    }

    private const int HeadBytes = 256;

    /// <summary>A payload of so much is not kept until the round's end: what one call less saves is nothing beside it.</summary>
    private const int AtOnceBytes = 32 << 10;

    private void FlushPosted()
    {
        _flushPosted = false;
        if (IsOpen)
        {
            Flush();
        }
    }

    private void Flush()
    {
        while (_queue.Count > 0 && !_blocked)
        {
            int count = Gather(out int offered);
            nint sent = _socket.Send(_parts.AsSpan(0, count));
            if (sent < 0)
            {
                Errno error = Libc.LastErrno;
                if (error == Errno.EAGAIN)
                {
                    _blocked = true;
                    WatchWritable(true);
                }
                else if (error != Errno.EINTR)
                {
                    Fail(error);
                }

                return;
            }

            TakeOff((int)sent);
            _blocked = sent < offered;
            if (_blocked)
            {
                WatchWritable(true);
            }
        }
    }

    /// <summary>Puts the parts of the first frames together, from where the last send ended.</summary>
    private int Gather(out int offered)
    {
        int count = 0;
        int skip = _sentOfFirst;
        offered = 0;
        foreach (Outgoing frame in _queue)
        {
            if (count > StreamSocket.PartsMax - 2)
            {
                break;
            }

            if (skip < frame.HeadBytes)
            {
                _parts[count++] = frame.Head.AsMemory(skip, frame.HeadBytes - skip);
                skip = 0;
            }
            else
            {
                skip -= frame.HeadBytes;
            }

            if (frame.Payload.Bytes.Length > skip)
            {
                _parts[count++] = frame.Payload.Bytes[skip..];
            }

            skip = 0;
        }

        for (int i = 0; i < count; i++)
        {
            offered += _parts[i].Length;
        }

        return count;
    }

    private void TakeOff(int sent)
    {
        _sentOfFirst += sent;
        while (_queue.TryPeek(out Outgoing first) && _sentOfFirst >= first.Bytes)
        {
            _sentOfFirst -= first.Bytes;
            _bytesQueued -= first.Payload.Bytes.Length;
            FramesSent++;
            _queue.Dequeue();
            Recycle(first);
        }
    }

    private void DropQueued()
    {
        while (_queue.TryDequeue(out Outgoing frame))
        {
            Recycle(frame);
        }

        _bytesQueued = 0;
    }

    private void Recycle(in Outgoing frame)
    {
        if (frame.Head.Length == HeadBytes)
        {
            _heads.Push(frame.Head);
        }

        frame.Payload.Release();
    }

    private readonly record struct Outgoing(byte[] Head, int HeadBytes, Payload Payload)
    {
        public int Bytes => HeadBytes + Payload.Bytes.Length;
    }
}
