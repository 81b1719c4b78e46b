using System.Runtime.InteropServices;
using Harness.Cluster.Chunks;
using Harness.Cluster.Metadata.Rpc;
using Harness.Cluster.Net;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.Runtime;
using Mono.Unix.Native;

namespace Harness.Cluster.Hosting;

/// <summary>Checks what the metadata say of chunks against what chunk servers have, from outside and while the cluster is in use.</summary>
/// <remarks>
/// Metadata and replicas are read one after the other, and both change meanwhile. What looks wrong is therefore looked at again a little later,
/// and counts if it is still so.
/// </remarks>
internal sealed partial class ClusterCheck
{
    private const long PayloadBytesMax = 64 << 20;
    private const long CallNanoseconds = 10_000_000_000;
    private const long ScrubNanoseconds = 600_000_000_000;
    private const long SecondLookNanoseconds = 1_500_000_000;
    private const uint PageCount = 4096;
    private const int ChunksAtOnce = 16;

    private readonly ILoop _loop;
    private readonly INetwork _network;
    private readonly PayloadPool _pool = new(PayloadBytesMax);
    private readonly SortedDictionary<ulong, ChunkLocation> _chunks = [];
    private readonly SortedDictionary<uint, ServerView> _servers = [];
    private readonly List<CheckFinding> _findings = [];
    private PeerLink _metadata = null!;
    private ClusterStatus _status = null!;
    private long _scrubbed;
    private long _repaired;

    private ClusterCheck(ILoop loop, INetwork network) => (_loop, _network) = (loop, network);

    /// <summary>Checks a cluster.</summary>
    /// <param name="metadata">Its metadata server.</param>
    /// <param name="scrub">Whether every block is read and compared with its checksum, and repaired where another replica has it whole.</param>
    /// <returns>ENOTCONN, ETIMEDOUT or their like if the metadata server does not answer.</returns>
    public static async Task<Result<CheckReport>> Run(NodeAddress metadata, bool scrub)
    {
        using var loop = new EventLoop("check");
        return await MetadataHost.OnLoop(loop, () => new ClusterCheck(loop, new SocketNetwork()).Run(loop, metadata, scrub));
    }

    private static Hello Greeting => Hello.Of(NodeRole.Client, 0, 1);

    private async Task<Result<CheckReport>> Run(ILoop loop, NodeAddress metadata, bool scrub)
    {
        _metadata = new PeerLink(loop, _network, metadata, Greeting, NoRequests.Instance, _pool);
        Result<MetadataReply> status = await Ask(new MetadataRequest { Status = new Empty() });
        if (!status.IsOk)
        {
            return status.Error;
        }

        _status = status.Value.ClusterStatus;
        foreach (ServerStatus server in _status.Servers.Where(static each => each.State != "removed" && each.Address.Length > 0))
        {
            await Look(server);
        }

        for (ulong after = 0; ;)
        {
            Result<MetadataReply> page = await Ask(new MetadataRequest { ListChunks = new ListChunks { After = after, Count = PageCount } });
            if (!page.IsOk)
            {
                return page.Error;
            }

            if (page.Value.Chunks.Count == 0)
            {
                break;
            }

            foreach (ChunkLocation location in page.Value.Chunks)
            {
                _chunks[location.Chunk] = location;
                after = location.Chunk;
            }
        }

        await CheckAll(scrub);
        CloseAll();
        return new CheckReport
        {
            Cluster = _status.Cluster,
            Chunks = _chunks.Count,
            Replicas = _servers.Values.Sum(static server => server.Replicas.Count),
            ScrubbedBlocks = _scrubbed,
            RepairedBlocks = _repaired,
            Findings = _findings,
        };
    }

    private void CloseAll()
    {
        _metadata.Close();
        foreach (ServerView server in _servers.Values)
        {
            server.Link.Close();
        }
    }

    /// <summary>Reads what a server has.</summary>
    private async ValueTask Look(ServerStatus status)
    {
        // An address that is none leads nowhere, and then the server does not answer.
        NodeAddress address = NodeAddress.TryParse(status.Address, out NodeAddress parsed) ? parsed : default;
        var server = new ServerView(status.Server, new PeerLink(_loop, _network, address, Greeting, NoRequests.Instance, _pool));
        _servers.Add(server.Id, server);
        ulong after = 0;
        while (true)
        {
            List<ReplicaReport>? page = await List(server, after, PageCount);
            if (page is null)
            {
                server.Answers = false;
                _findings.Add(new CheckFinding(
                    FindingKind.Unreachable, 0, server.Id, $"chunk server {server.Id} at {status.Address} does not answer: its replicas were not looked at"));
                return;
            }

            if (page.Count == 0)
            {
                return;
            }

            foreach (ReplicaReport replica in page)
            {
                server.Replicas[replica.Chunk] = replica;
                after = replica.Chunk;
            }
        }
    }

    private static async ValueTask<List<ReplicaReport>?> List(ServerView server, ulong after, uint count)
    {
        RpcReply reply = await Ask(server, ChunkKind.List, new ChunkRequest { Chunk = after, Length = count }, CallNanoseconds);
        List<ReplicaReport>? page = reply.IsOk
            ? [.. MemoryMarshal.Cast<byte, ReplicaReport>(reply.Buffer is null ? default : reply.Buffer.Memory.Span)]
            : null;
        reply.Buffer?.Release();
        return page;
    }

    private static async ValueTask<RpcReply> Ask(ServerView server, ushort kind, ChunkRequest message, long timeoutNanoseconds) =>
        await server.Link.Get() is { } peer
            ? await peer.Call(kind, message, default, default, timeoutNanoseconds)
            : new RpcReply { Status = Errno.ENOTCONN };

    private async ValueTask<Result<MetadataReply>> Ask(MetadataRequest request)
    {
        if (await _metadata.Get() is not { } peer || !MetadataMessages.TryWrite(request, _pool, out Payload payload))
        {
            return Errno.ENOTCONN;
        }

        RpcReply reply = await peer.Call(MetadataMessages.Request, default, payload, default, CallNanoseconds);
        if (!reply.IsOk)
        {
            return reply.Status;
        }

        MetadataReply? read = MetadataMessages.TryRead(MetadataReply.Parser, reply.Buffer is null ? default : reply.Buffer.Memory.Span);
        reply.Buffer?.Release();
        return read is null ? Errno.EPROTO : read.Errno != 0 ? (Errno)read.Errno : read;
    }

    /// <summary>A chunk server as the check sees it.</summary>
    private sealed class ServerView(uint id, PeerLink link)
    {
        public uint Id { get; } = id;

        public PeerLink Link { get; } = link;

        public bool Answers { get; set; } = true;

        public SortedDictionary<ulong, ReplicaReport> Replicas { get; } = [];
    }
}
