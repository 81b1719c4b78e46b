using Harness.Cluster.Chunks;
using Harness.Cluster.Metadata.Master;
using Harness.Cluster.Metadata.Server;
using Harness.Cluster.Net;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.Runtime;
using Mono.Unix.Native;

namespace Harness.Cluster.Metadata.Rpc;

/// <summary>A metadata server's side of its clients' connections.</summary>
internal sealed class MetadataEndpoint : IRpcHandler
{
    /// <summary>How long a client may take to give up a lease; it has dirty data to write first. After that its session has to end.</summary>
    private const long RecallNanoseconds = 30_000_000_000;

    private readonly MetadataServer _server;
    private readonly ChunkMaster? _master;
    private readonly PayloadPool _pool;

    /// <summary>Serves a server's clients, and the chunk servers, on its loop.</summary>
    public MetadataEndpoint(MetadataServer server, PayloadPool pool, ChunkMaster? master = null) => (_server, _pool, _master) = (server, pool, master);

    /// <summary>Begins to talk with whoever has connected.</summary>
    public void Accept(ILoop loop, IConnection connection, in Hello hello)
    {
        var peer = new RpcPeer(loop, connection, hello, this, _pool);
        peer.Tag = new Link(peer, _pool);
    }

    /// <inheritdoc/>
    public void OnRequest(RpcRequest request)
    {
        if (_master is not null && request.Header.Kind is (ChunkKind.Register or ChunkKind.Heartbeat or ChunkKind.ReplicaFailed))
        {
            _master.OnRequest(request);
        }
        else if (request.Header.Kind != MetadataMessages.Request)
        {
            request.Reply(Errno.ENOSYS);
        }
        else if (MetadataMessages.TryRead(MetadataRequest.Parser, request.PayloadBytes.Span) is { } message)
        {
            Serve(request, message, (Link)request.Peer.Tag!).Watch();
        }
        else
        {
            request.Reply(Errno.EBADMSG);
            request.Peer.Close("a metadata request is malformed");
        }
    }

    /// <inheritdoc/>
    public void OnDisconnected(RpcPeer peer, string reason)
    {
        _server.Disconnected((Link)peer.Tag!);
        _master?.Disconnected(peer);
    }

    private async Task Serve(RpcRequest request, MetadataRequest message, Link link)
    {
        MetadataReply reply = await _server.Handle(message, link);
        if (MetadataMessages.TryWrite(reply, _pool, out Payload payload))
        {
            request.Reply(Errnos.Ok, default, payload);
        }
        else
        {
            request.Reply(Errno.EAGAIN);
        }
    }

    private sealed class Link(RpcPeer peer, PayloadPool pool) : IClientLink
    {
        public void Close(string reason) => peer.Close(reason);

        public async ValueTask<RecallReply?> Recall(Recall recall)
        {
            while (MetadataMessages.TryWrite(recall, pool, out Payload payload))
            {
                RpcReply reply = await peer.Call(MetadataMessages.Recall, default, payload, default, RecallNanoseconds);
                RecallReply? read = reply.IsOk
                    ? MetadataMessages.TryRead(RecallReply.Parser, reply.Buffer is null ? default : reply.Buffer.Memory.Span)
                    : null;
                reply.Buffer?.Release();
                if (reply.Status != Errno.EAGAIN)
                {
                    return read;
                }
            }

            return null;
        }
    }
}
