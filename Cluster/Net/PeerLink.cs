using Harness.FuseProtocol;
using Harness.Runtime;
using Mono.Unix.Native;

namespace Harness.Cluster.Net;

/// <summary>A connection to one address, made when it is needed and made anew when it has ended. For one loop.</summary>
internal sealed class PeerLink(ILoop loop, INetwork network, NodeAddress address, Hello hello, IRpcHandler handler, PayloadPool pool, RpcLimits? limits = null)
{
    private const long BackoffNanoseconds = 20_000_000;

    private readonly LoopGate _gate = new();
    private RpcPeer? _peer;
    private long _failedUntil;
    private bool _closed;

    /// <summary>Where it leads.</summary>
    public NodeAddress Address => address;

    /// <summary>The connection, if there is one now.</summary>
    public RpcPeer? Peer => _peer is { IsOpen: true } ? _peer : null;

    /// <summary>The connection, made if need be; null if it cannot be made now, which is remembered for 20 ms.</summary>
    public ValueTask<RpcPeer?> Get() => Peer is { } open ? new ValueTask<RpcPeer?>(open) : Connect();

    /// <summary>Ends the connection, for good.</summary>
    public void Close()
    {
        _closed = true;
        _peer?.Close("this node is going down");
    }

    private async ValueTask<RpcPeer?> Connect()
    {
        await _gate.Enter();
        if (Peer is null && !_closed && loop.NowNanoseconds >= _failedUntil)
        {
            Result<IConnection> connection = await network.Connect(loop, address);
            if (connection.IsOk)
            {
                _peer = new RpcPeer(loop, connection.Value, hello, handler, pool, limits);
            }
            else
            {
                _failedUntil = loop.NowNanoseconds + BackoffNanoseconds;
            }
        }

        _gate.Leave();
        return Peer;
    }
}

/// <summary>Serves nothing: for connections that only ask.</summary>
internal sealed class NoRequests : IRpcHandler
{
    /// <summary>The only one.</summary>
    public static NoRequests Instance { get; } = new();

    /// <inheritdoc/>
    public void OnRequest(RpcRequest request) => request.Reply(Errno.ENOSYS);

    /// <inheritdoc/>
    public void OnDisconnected(RpcPeer peer, string reason)
    {
    }
}
