using Harness.Runtime.Native;
using Mono.Unix.Native;

namespace Harness.Cluster.Net;

/// <content>Receiving.</content>
internal sealed partial class SocketConnection
{
    private const int BufferBytes = 64 << 10;

    /// <summary>
    /// Behind a large payload the next often is one too: so little is received besides its head, that nearly all of it goes straight to its place.
    /// </summary>
    private const int RoomBehindLarge = 1 << 10;

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(BufferBytes, pinned: true);
    private int _start;
    private int _end;
    private Memory<byte> _target;
    private int _payloadMissing;
    private bool _lastWasLarge;

    private void Receive()
    {
        while (IsOpen)
        {
            if (_start == _end)
            {
                _start = _end = 0;
            }
            else if (_end > BufferBytes / 2)
            {
                _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                _end -= _start;
                _start = 0;
            }

            // While a payload is missing the buffer is empty, and what comes goes to its place, the next heads behind it into the buffer.
            Span<byte> room = _lastWasLarge ? _buffer.AsSpan(_end, Math.Min(RoomBehindLarge, BufferBytes - _end)) : _buffer.AsSpan(_end);
            Span<byte> target = _target.Span;
            nint received = _socket.Receive(target, room);
            if (received <= 0)
            {
                Errno error = received < 0 ? Libc.LastErrno : 0;
                if (error != Errno.EAGAIN && error != Errno.EINTR)
                {
                    Fail(error);
                }

                return;
            }

            bool drained = received < target.Length + room.Length;
            int direct = Math.Min((int)received, target.Length);
            _end += (int)received - direct;
            if (direct > 0)
            {
                TakePayload(direct);
            }

            Parse();
            if (drained)
            {
                // A short read from a stream means that there is no more (epoll(7)); asking again would only tell EAGAIN.
                return;
            }
        }
    }

    private void TakePayload(int count)
    {
        _payloadMissing -= count;
        _target = _target.IsEmpty ? _target : _target[count..];
        if (_payloadMissing == 0)
        {
            _target = default;
            _sink!.OnFrame();
        }
    }

    private void Parse()
    {
        while (IsOpen && _start < _end)
        {
            if (_payloadMissing > 0)
            {
                int count = Math.Min(_payloadMissing, _end - _start);
                if (!_target.IsEmpty)
                {
                    _buffer.AsSpan(_start, count).CopyTo(_target.Span);
                }

                _start += count;
                TakePayload(count);
                continue;
            }

            string? wrong = FrameCodec.TryRead(_buffer.AsSpan(_start, _end - _start), out FrameHeader header, out int taken);
            if (wrong is not null)
            {
                Close(wrong);
                return;
            }

            if (taken == 0)
            {
                return;
            }

            ReadOnlySpan<byte> body = _buffer.AsSpan(_start + FrameHeader.HeaderBytes, header.BodyBytes);
            _start += taken;
            _payloadMissing = (int)header.PayloadBytes;
            _lastWasLarge = _payloadMissing >= AtOnceBytes;
            _target = _sink!.OnHead(header, body);
            if (!_target.IsEmpty)
            {
                _target = _target[.._payloadMissing];
            }

            if (_payloadMissing == 0)
            {
                _target = default;
                _sink.OnFrame();
            }
        }
    }
}
