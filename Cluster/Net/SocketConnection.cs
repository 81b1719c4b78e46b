using Harness.FuseProtocol;
using Harness.Runtime;
using Harness.Runtime.Native;
using Mono.Unix.Native;

namespace Harness.Cluster.Net;

/// <summary>The real side of <see cref="IConnection"/>: a TCP socket in its loop's epoll.</summary>
/// <remarks>
/// A request of 4 KiB costs one recvmsg and one sendmsg: what one round of the loop sends on a connection goes out together at the round's
/// end, and what arrives is received by one call, payload bytes that are still missing straight into their place. Nothing is allocated
/// for a frame.
/// </remarks>
internal sealed partial class SocketConnection : IConnection, IReadinessHandler
{
    private static readonly Action<object?> s_closed = static state => ((SocketConnection)state!).TellClosed();

    private readonly EventLoop _loop;
    private readonly StreamSocket _socket;
    private readonly ConnectionLimits _limits;
    private IFrameSink? _sink;
    private string? _closeReason;
    private int _watch = -1;
    private bool _watchesWritable;

    public SocketConnection(EventLoop loop, StreamSocket socket, NodeAddress remote, ConnectionLimits limits)
    {
        _loop = loop;
        _socket = socket;
        _limits = limits;
        Remote = remote;
    }

    /// <inheritdoc/>
    public NodeAddress Remote { get; }

    /// <inheritdoc/>
    public bool IsOpen => _closeReason is null;

    /// <inheritdoc/>
    public void Start(IFrameSink sink)
    {
        _sink = sink;
        if (IsOpen)
        {
            _watch = _loop.Watch(_socket, this, _blocked);
            _watchesWritable = _blocked;
        }
    }

    /// <inheritdoc/>
    public void Close(string reason)
    {
        if (!IsOpen)
        {
            return;
        }

        _closeReason = reason;
        if (_watch >= 0)
        {
            _loop.Unwatch(_socket, _watch);
        }

        _socket.Dispose();
        DropQueued();
        // Later, so that whoever closes in the midst of its own work is not called back into it.
        _loop.Post(s_closed, this);
    }

    /// <inheritdoc/>
    public void OnReady(bool readable, bool writable)
    {
        if (writable && IsOpen)
        {
            bool waited = _blocked;
            _blocked = false;
            Flush();
            if (!waited && IsOpen)
            {
                WatchWritable(false);
            }
        }

        if (readable && IsOpen)
        {
            Receive();
        }
    }

    private void WatchWritable(bool writable)
    {
        if (_watch >= 0 && _watchesWritable != writable)
        {
            _watchesWritable = writable;
            _loop.WatchWritable(_socket, _watch, writable);
        }
    }

    private void Fail(Errno error) => Close(error == Errnos.Ok ? "the peer has closed the connection" : $"the connection failed: {error}");

    private void TellClosed() => _sink?.OnClosed(_closeReason!);
}
