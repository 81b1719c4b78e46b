using Harness.Cluster.Chunks.Store;
using Harness.Cluster.Disk;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Harness.Runtime;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Server;

/// <summary>
/// A chunk server's shard: its store, its replicas and its connections, all on one loop. A server that wants several CPUs runs several
/// shards, each with its own directory, address and id, in one failure domain.
/// </summary>
internal sealed partial class ChunkServer : IRpcHandler
{
    private readonly ILoop _loop;
    private readonly INetwork _network;
    private readonly ChunkServerOptions _options;
    private readonly PlantedFaults _faults;
    private readonly PayloadPool _pool;
    private readonly ChunkStore _store;
    private readonly ReplicaContext _context;
    private readonly SortedDictionary<ulong, ChunkReplica> _replicas = [];
    private readonly Dictionary<NodeAddress, PeerLink> _links = [];
    private readonly List<RpcPeer> _peers = [];
    private readonly Dictionary<ulong, RpcPeer> _clients = [];
    private readonly Hello _hello;
    private MetadataLink? _metadata;
    private int _left;
    private IListener? _listener;

    private ChunkServer(ILoop loop, INetwork network, ChunkStore store, PayloadPool pool, ChunkServerOptions options, PlantedFaults faults)
    {
        (_loop, _network, _store, _pool, _options, _faults) = (loop, network, store, pool, options, faults);
        _hello = Hello.Of(NodeRole.Chunks, options.ServerId, options.Incarnation, options.Cluster.High, options.Cluster.Low);
        _context = new ReplicaContext
        {
            ServerId = options.ServerId,
            Loop = loop,
            Faults = faults,
            LeaseHolds = () => HasLease,
            LinkTo = LinkTo,
            Apply = Apply,
            TellClient = TellClient,
            OnFailed = OnReplicaFailed,
        };
        foreach (ChunkSummary chunk in store.Chunks)
        {
            Add(chunk.Id).Restore(new BlockStamp(chunk.Version, chunk.Sequence));
        }

        foreach ((ChunkId chunk, MutationId mutation, BlockStamp stamp) in store.RecoveredMutations)
        {
            _replicas.GetValueOrDefault(chunk.Value)?.Window.Add(mutation, stamp.Sequence);
        }

        store.Mend = Mend;
        store.LiveMutations = () =>
            from replica in _replicas.Values
            from entry in replica.Window.Entries
            select (replica.Id, new MutationId(entry.Client, entry.Mutation), new BlockStamp(0, entry.Sequence));
    }

    /// <summary>Where it listens.</summary>
    public NodeAddress Address => _listener!.Address;

    /// <summary>What it was asked.</summary>
    public ChunkServerCounters Counters { get; } = new();

    /// <summary>Memory of payloads: in use, and kept to be used again.</summary>
    public (long Rented, long Free) PayloadBytes => (_pool.BytesRented, _pool.BytesFree);

    /// <summary>Its store.</summary>
    public ChunkStore Store => _store;

    /// <summary>Whether it may serve: it has a lease, or needs none.</summary>
    public bool HasLease => _metadata is null || _faults.ServesAfterLease || _metadata.LeaseHolds;

    /// <summary>
    /// Changes whenever what the metadata server has said before is void: the lease has ended, the server registers anew, or it is told to leave a chain.
    /// </summary>
    private int Epoch => _left + (_metadata?.Epoch ?? 0);

    /// <summary>Requests of other nodes under way.</summary>
    public int RequestsInFlight => _peers.Sum(peer => peer.RequestsInFlight);

    /// <summary>Opens the store, listens, and begins to report to the metadata servers. To be called on <paramref name="loop"/>.</summary>
    /// <param name="loop">The loop everything runs on.</param>
    /// <param name="network">Its network.</param>
    /// <param name="disk">Its directory.</param>
    /// <param name="journalDisk">The directory of its journal; may be the same.</param>
    /// <param name="options">The rest.</param>
    /// <param name="faults">By default none.</param>
    public static async Task<Result<ChunkServer>> Start(
        ILoop loop, INetwork network, IDisk disk, IDisk journalDisk, ChunkServerOptions options, PlantedFaults? faults = null)
    {
        faults ??= PlantedFaults.None;
        var pool = new PayloadPool(options.PayloadBytesMax);
        Result<ChunkStore> store = await ChunkStore.Open(loop, disk, journalDisk, pool, options.Store, faults);
        if (!store.IsOk)
        {
            return store.Error;
        }

        var server = new ChunkServer(loop, network, store.Value, pool, options, faults);
        Result<IListener> listener = network.Listen(loop, options.Listen, server.Accept);
        if (!listener.IsOk)
        {
            await store.Value.Close();
            return listener.Error;
        }

        server._listener = listener.Value;
        options.Log.Write(
            server._store.Recovery.IsDamaged, server._store.Recovery.IsDamaged ? "store opens; its journal was damaged" : "store opens",
            ("server", options.ServerId), ("replicas", server._replicas.Count), ("address", listener.Value.Address));
        if (options.Metadata.Count > 0)
        {
            server._metadata = new MetadataLink(server, loop, network, options, server._hello, pool);
            server._metadata.Start();
        }

        return server;
    }

    /// <summary>Refuses new requests, brings everything to the disk, and ends.</summary>
    public async Task<Errno> Stop()
    {
        _listener?.Dispose();
        _metadata?.Stop();
        foreach (RpcPeer peer in _peers.ToArray())
        {
            peer.Close("the chunk server is going down");
        }

        foreach (PeerLink link in _links.Values)
        {
            link.Close();
        }

        return await _store.Close();
    }

    /// <summary>After load, once nobody asks for anything: brings everything to its place and lets go of what only load needs.</summary>
    public async Task Rest()
    {
        Errno error = await _store.Rest();
        _pool.Trim();
        _context.FreeWrites.Clear();
        _freeSums.Clear();
        _options.Log.Write(error != Errnos.Ok, "rests", ("error", error));
    }

    /// <inheritdoc/>
    public void OnRequest(RpcRequest request)
    {
        if (!request.TryRead(out ChunkRequest message))
        {
            request.Reply(Errno.EBADMSG);
            return;
        }

        Counters.Count(request.Header.Kind, message);
        switch (request.Header.Kind)
        {
            case ChunkKind.Read:
                Read(request, message);
                break;
            case ChunkKind.Write or ChunkKind.Punch or ChunkKind.ForwardWrite or ChunkKind.ForwardPunch:
                Mutate(request, message);
                break;
            case ChunkKind.Sync:
                Sync(request, message);
                break;
            default:
                OnControl(request, message);
                break;
        }
    }

    /// <inheritdoc/>
    public void OnDisconnected(RpcPeer peer, string reason)
    {
        _peers.Remove(peer);
        if (_clients.TryGetValue(peer.RemoteHello.NodeId, out RpcPeer? known) && known == peer)
        {
            _clients.Remove(peer.RemoteHello.NodeId);
        }
    }

    /// <summary>The lease is over: whatever was known of chains is void until the metadata server tells it again.</summary>
    internal void Fence()
    {
        foreach (ChunkReplica replica in _faults.ServesAfterLease ? [] : _replicas.Values.ToArray())
        {
            replica.LeaveChain();
        }

        CloseClients();
    }

    /// <summary>
    /// What it has of chunks. A replica belongs to the version that it has served in this life of the server: before a restart it may have lost what was
    /// not on the disk, and of what it gave up or could not write it knows itself.
    /// </summary>
    internal ReplicaReport[] ReportReplicas() =>
    [
        .. _store.Chunks.Select(chunk => new ReplicaReport
        {
            Chunk = chunk.Id.Value,
            Version = _faults.ForgetsRejoinBump ? chunk.Version
                : _replicas.TryGetValue(chunk.Id.Value, out ChunkReplica? replica) && !replica.NeedsCatchUp && !replica.HasFailed ? replica.ServedVersion : 0,
            Sequence = chunk.Sequence,
        }),
    ];

    internal ServerReport Report()
    {
        Result<DiskSpace> space = _store.Space();
        return new ServerReport
        {
            Server = _options.ServerId,
            Incarnation = _options.Incarnation,
            TotalBytes = space.IsOk ? (ulong)space.Value.TotalBytes : 0,
            FreeBytes = space.IsOk ? (ulong)space.Value.FreeBytes : 0,
            Replicas = (uint)_replicas.Count,
            RequestsInFlight = (uint)RequestsInFlight,
            Port = (uint)Address.Port,
            JournalDamaged = _store.Recovery.IsDamaged ? 1u : 0,
            Identity = _options.Identity,
        };
    }

    private void Accept(IConnection connection) => _peers.Add(new RpcPeer(_loop, connection, _hello, this, _pool, _options.Limits));

    private ChunkReplica Add(ChunkId id) => _replicas[id.Value] = new ChunkReplica(id, _context);

    private PeerLink LinkTo(NodeAddress address)
    {
        if (!_links.TryGetValue(address, out PeerLink? link))
        {
            _links[address] = link = new PeerLink(_loop, _network, address, _hello, NoRequests.Instance, _pool, _options.Limits);
        }

        return link;
    }

    private void OnReplicaFailed(ChunkReplica replica, Errno error) =>
        _metadata?.Tell(ChunkKind.ReplicaFailed, new ChunkRequest { Chunk = replica.Id.Value, Version = replica.Chain?.Version ?? 0, Length = (uint)error });
}
