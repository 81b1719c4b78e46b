using Harness.Cluster.Metadata.Rpc;
using Harness.Cluster.Net;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.Runtime;
using Mono.Unix.Native;

namespace Harness.Cluster.Hosting;

/// <summary>Asks a metadata server what needs no session: how the cluster is, and for a new chunk server's number.</summary>
internal static class MetadataQuery
{
    private const long PayloadBytesMax = 16 << 20;

    /// <summary>Asks once.</summary>
    /// <param name="address">The metadata server.</param>
    /// <param name="request">What for.</param>
    /// <param name="timeout">How long to wait for the reply.</param>
    /// <returns>ECONNREFUSED, ETIMEDOUT or ENOTCONN if nobody answers; EPROTO if it is no metadata server, or of another release.</returns>
    public static async Task<Result<MetadataReply>> Ask(NodeAddress address, MetadataRequest request, TimeSpan timeout)
    {
        using var loop = new EventLoop("query");
        return await MetadataHost.OnLoop(loop, async () =>
        {
            Result<IConnection> connection = await new SocketNetwork().Connect(loop, address);
            if (!connection.IsOk)
            {
                return connection.Error;
            }

            var pool = new PayloadPool(PayloadBytesMax);
            var peer = new RpcPeer(loop, connection.Value, Hello.Of(NodeRole.Client, 0, 1), NoRequests.Instance, pool);
            Result<MetadataReply> reply = await Send(peer, pool, request, (long)timeout.TotalNanoseconds);
            peer.Close("all is said");
            return reply;
        });
    }

    private static async ValueTask<Result<MetadataReply>> Send(RpcPeer peer, PayloadPool pool, MetadataRequest request, long timeoutNanoseconds)
    {
        if (!MetadataMessages.TryWrite(request, pool, out Payload payload))
        {
            return Errno.EINVAL;
        }

        RpcReply reply = await peer.Call(MetadataMessages.Request, default, payload, default, timeoutNanoseconds);
        MetadataReply? read = reply.IsOk && reply.Buffer is not null ? MetadataMessages.TryRead(MetadataReply.Parser, reply.Buffer.Memory.Span) : null;
        reply.Buffer?.Release();
        return !reply.IsOk ? reply.Status : read is null ? Errno.EPROTO : read.Errno != 0 ? (Errno)read.Errno : read;
    }
}
