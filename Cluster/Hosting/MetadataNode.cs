using Harness.Cluster.Log;
using Harness.Cluster.Metadata.Master;
using Harness.Cluster.Metadata.Rpc;
using Harness.Cluster.Metadata.Server;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Harness.Runtime;
using Mono.Unix.Native;

namespace Harness.Cluster.Hosting;

/// <summary>A metadata server with everything it needs, in either world: state, log, master of chunk servers, and its listener.</summary>
internal sealed class MetadataNode : IDisposable
{
    private const long PayloadBytesMax = 256L << 20;

    private readonly IListener _listener;

    private MetadataNode(MetadataServer server, ChunkMaster master, IListener listener) => (Server, Master, _listener) = (server, master, listener);

    /// <summary>The server.</summary>
    public MetadataServer Server { get; }

    /// <summary>Its side of the chunk servers.</summary>
    public ChunkMaster Master { get; }

    /// <summary>Where it listens.</summary>
    public NodeAddress Address => _listener.Address;

    /// <summary>Starts one, on its loop.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="network">Its network.</param>
    /// <param name="log">Its log.</param>
    /// <param name="listen">Where to listen.</param>
    /// <param name="server">How it treats clients.</param>
    /// <param name="master">How it treats chunk servers.</param>
    /// <param name="incarnation">Which of its lives this is.</param>
    /// <returns>EADDRINUSE and its like; EBADMSG if the log is damaged.</returns>
    public static async ValueTask<Result<MetadataNode>> Start(
        ILoop loop, INetwork network, IMetadataLog log, NodeAddress listen, MetadataServerOptions server, ChunkMasterOptions master, ulong incarnation)
    {
        var chunks = new ChunkMaster(loop, master);
        var metadata = new MetadataServer(loop, log, server, chunks);
        var endpoint = new MetadataEndpoint(metadata, new PayloadPool(PayloadBytesMax), chunks);

        // The log, once it has been read, says which cluster's this is; until then anybody may talk, and hears that it is too early.
        Result<IListener> listener = network.Listen(
            loop, listen, connection => endpoint.Accept(loop, connection, Hello.Of(NodeRole.Metadata, 1, incarnation, 0, metadata.State.Cluster)));
        if (!listener.IsOk)
        {
            return listener.Error;
        }

        Errno error = await metadata.Start();
        if (error != Errnos.Ok)
        {
            listener.Value.Dispose();
            return error;
        }

        chunks.Start(metadata.Pipeline);
        return new MetadataNode(metadata, chunks, listener.Value);
    }

    /// <summary>Accepts nobody any more.</summary>
    public void Dispose() => _listener.Dispose();
}
