using System.Runtime.InteropServices;
using Harness.Cluster.Chunks;
using Harness.Cluster.Metadata.Server;
using Harness.Cluster.Net;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.Runtime;
using Mono.Unix.Native;

namespace Harness.Cluster.Metadata.Master;

/// <summary>
/// The leader's side of the chunk servers: who is there, where new chunks go, and that each chunk has its replicas. What a chunk's chain is,
/// the log says; who of it is there, serves and is whole, is known here and learned anew after a change of the leader.
/// </summary>
/// <remarks>
/// For the metadata server's loop. A chain changes only by a command in the log, flushed before any server hears of it, and never before the
/// lease of a server that falls out has ended.
/// </remarks>
internal sealed partial class ChunkMaster : IChunkServers
{
    private readonly ILoop _loop;
    private readonly ChunkMasterOptions _options;
    private readonly PlantedFaults _faults;
    private readonly SortedDictionary<uint, ChunkServerState> _servers = [];
    private readonly Dictionary<uint, ulong> _registering = [];
    private readonly long _startedAt;
    private CommandPipeline _pipeline = null!;
    private int _turn;

    /// <summary>A master that knows nobody yet.</summary>
    public ChunkMaster(ILoop loop, ChunkMasterOptions options, PlantedFaults? faults = null) =>
        (_loop, _options, _faults, _startedAt) = (loop, options, faults ?? PlantedFaults.None, loop.NowNanoseconds);

    /// <inheritdoc/>
    public (ulong Bytes, ulong Free) Space
    {
        get
        {
            (ulong bytes, ulong free) = (0, 0);
            foreach (ChunkServerState server in _servers.Values.Where(static server => server.IsThere))
            {
                bytes += server.Report.TotalBytes;
                free += server.Report.FreeBytes;
            }

            return (bytes, free);
        }
    }

    private MetadataState State => _pipeline.State;

    /// <summary>Begins, once the log has been read.</summary>
    public void Start(CommandPipeline pipeline)
    {
        _pipeline = pipeline;
        QueueAll(static _ => true);
        Tick();
    }

    /// <summary>Serves a chunk server's request.</summary>
    public void OnRequest(RpcRequest request)
    {
        if (_pipeline is null)
        {
            request.Reply(Errno.EAGAIN);
            return;
        }

        switch (request.Header.Kind)
        {
            case ChunkKind.Register when request.TryRead(out ServerReport report):
                Register(request, report).Watch();
                break;
            case ChunkKind.Heartbeat when request.TryRead(out ServerReport report):
                Heartbeat(request, report);
                break;
            case ChunkKind.ReplicaFailed when request.TryRead(out ChunkRequest failed):
                Failed(request, failed.Chunk, failed.Length);
                break;
            default:
                request.Reply(Errno.EBADMSG);
                break;
        }
    }

    /// <summary>A connection has ended. Its server's lease goes on until it is over.</summary>
    public void Disconnected(RpcPeer peer)
    {
        foreach (ChunkServerState server in _servers.Values.Where(server => server.Peer == peer))
        {
            server.Peer = null;
        }
    }

    /// <inheritdoc/>
    public Errno Place(ICollection<uint> chain)
    {
        if (TryPlace(chain, [], _options.Replicas))
        {
            return Errnos.Ok;
        }

        int there = _servers.Values.Count(server => server.IsThere && IsActive(server.Id));
        return there < _options.ReplicasMin ? Errno.EAGAIN : Errno.ENOSPC;
    }

    /// <inheritdoc/>
    public void Dropped(ulong chunk, ChunkRecord record)
    {
        foreach (ChunkServerState server in _servers.Values)
        {
            server.Behind.Remove(chunk);
            if (server.Serving.Remove(chunk) | server.Stale.Remove(chunk) | server.Missing.Remove(chunk) | record.Servers.Contains(server.Id))
            {
                DeleteSoon(server, chunk);
            }
        }
    }

    /// <summary>
    /// Chooses servers for a chunk: of different hosts as far as there are any, those with the most free space for what was already placed,
    /// and the next ones in turn for the next chunk, so that the replicas of any server's chunks lie on all others.
    /// </summary>
    private bool TryPlace(ICollection<uint> chosen, IEnumerable<uint> present, int count)
    {
        ulong chunkBytes = State.Limits.ChunkBytes;
        HashSet<string> hosts = [.. present.Select(HostOf)];
        List<ChunkServerState> candidates =
        [
            .. _servers.Values.Where(server => server.IsThere && !present.Contains(server.Id) && IsActive(server.Id) &&
                server.Report.FreeBytes > _options.ReserveBytes + Math.Min(chunkBytes, 64 << 10)),
        ];
        _turn++;
        int turn = _turn;
        foreach (ChunkServerState server in candidates.OrderBy(Fill).ThenBy(server => (server.Id * 2_654_435_761u) ^ ((uint)turn * 40_503u)))
        {
            if (chosen.Count < count && (hosts.Add(HostOf(server.Id)) || candidates.Count + hosts.Count <= count))
            {
                chosen.Add(server.Id);
                server.PlacedSinceReport++;
            }
        }

        // Fewer hosts than replicas: then several on one host, rather than too few.
        foreach (ChunkServerState server in candidates.OrderBy(Fill))
        {
            if (chosen.Count < count && !chosen.Contains(server.Id))
            {
                chosen.Add(server.Id);
                server.PlacedSinceReport++;
            }
        }

        return chosen.Count + present.Count() >= Math.Min(count, _options.ReplicasMin);
    }

    /// <summary>How full a server is, in steps of a twentieth, so that equals take turns.</summary>
    private static long Fill(ChunkServerState server)
    {
        double used = 1 - (server.Report.FreeBytes / (double)Math.Max(1, server.Report.TotalBytes));
        return (long)(used * 20) + (server.PlacedSinceReport / 64);
    }

    private string HostOf(uint server) => State.Servers.TryGetValue(server, out ServerRecord? record) ? record.Host : string.Empty;

    private bool IsActive(uint server) => State.Servers.TryGetValue(server, out ServerRecord? record) && record.State == ServerState.Active;

    private async Task Register(RpcRequest request, ServerReport report)
    {
        ReplicaReport[] replicas = MemoryMarshal.Cast<byte, ReplicaReport>(request.PayloadBytes.Span).ToArray();
        RpcPeer peer = request.Peer;
        uint id = (uint)report.Server;
        var address = new NodeAddress(peer.Remote.Host, (int)report.Port);
        ulong identity = report.Identity != 0 ? report.Identity : report.Server;
        bool stayed = State.Servers.TryGetValue(id, out ServerRecord? known) && known.Identity == identity &&
            (known.Incarnation == report.Incarnation || _faults.ForgetsRejoinBump) && report.JournalDamaged == 0;
        Errno refusal = report.Server is 0 or > uint.MaxValue || known is { State: ServerState.Removed } ? Errno.EPERM : RefusalOf(id, report);
        refusal = refusal == Errnos.Ok && known?.Incarnation > report.Incarnation ? Errno.ESTALE : refusal;
        if (refusal != Errnos.Ok)
        {
            request.Reply(refusal);
            return;
        }

        var command = new RegisterServer
        {
            Server = id,
            Identity = identity,
            Incarnation = report.Incarnation,
            Address = address.ToString(),
            Host = address.Host,
            Rack = string.Empty,
        };
        _registering[id] = report.Identity;
        Outcome outcome = await _pipeline.Submit(new Command { RegisterServer = command }, durable: true);
        _registering.Remove(id);
        if (outcome.Errno != 0)
        {
            request.Reply((Errno)outcome.Errno);
            return;
        }

        if (!_servers.TryGetValue(id, out ChunkServerState? server))
        {
            _servers.Add(id, server = new ChunkServerState(id));
        }

        if (server.Peer is { } before && before != peer)
        {
            // Nobody waits for what was asked there.
            before.Close("the server has registered by another connection");
        }

        (server.Peer, server.Incarnation, server.Address) = (peer, report.Incarnation, address);
        server.Registrations++;
        server.Serving.Clear();
        server.Stale.Clear();
        server.Behind.Clear();
        server.Missing.Clear();
        Renew(server, report);
        _options.Log.Write(
            report.JournalDamaged != 0, report.JournalDamaged != 0 ? "chunk server registers; its journal was damaged" : "chunk server registers",
            ("server", id), ("address", server.Address), ("replicas", replicas.Length));
        request.Reply(new LeaseReply { LeaseNanoseconds = (ulong)_options.LeaseNanoseconds });
        TakeReplicas(server, replicas, stayed);
    }

    /// <summary>
    /// Two directories that were given one number would take each other's place for ever: while the one is there, the other is refused. Once it has
    /// gone, its number may go on with another directory, as after the loss of a disk.
    /// </summary>
    /// <returns>ENOTUNIQ; EAGAIN while the one is just registering.</returns>
    private Errno RefusalOf(uint id, in ServerReport report)
    {
        if (_registering.TryGetValue(id, out ulong registering) && registering != report.Identity)
        {
            return Errno.EAGAIN;
        }

        bool isAnothers = _servers.TryGetValue(id, out ChunkServerState? there) && there.LeaseUntil > _loop.NowNanoseconds &&
            there.Report.Identity != 0 && report.Identity != 0 && there.Report.Identity != report.Identity;
        if (isAnothers)
        {
            _options.Log.Write(true, "chunk server refused: another directory is served by its number", ("server", id), ("address", there!.Address));
        }

        return isAnothers ? Errno.ENOTUNIQ : Errnos.Ok;
    }

    /// <summary>Sorts a server's replicas into those that may serve again, those that have to catch up, and those that nobody needs.</summary>
    private void TakeReplicas(ChunkServerState server, ReplicaReport[] replicas, bool stayed)
    {
        foreach (ReplicaReport replica in replicas)
        {
            if (!State.TryGetChunk(replica.Chunk, out ChunkRecord record))
            {
                // Nobody else can get the number again, so what is not known now never will be.
                DeleteSoon(server, replica.Chunk);
                continue;
            }

            bool isWhole = stayed && record.Version == replica.Version && record.Servers.Contains(server.Id) && record.Target != server.Id;
            if (!isWhole)
            {
                server.Stale.Add(replica.Chunk);
                if (stayed && replica.Version != 0)
                {
                    server.Behind.Add(replica.Chunk);
                }
            }
        }

        // What it should have and does not was never made there, or went with the power: it has no claim to being whole.
        HashSet<ulong> reported = [.. replicas.Select(static replica => replica.Chunk)];
        foreach (ulong chunk in State.ChunkIds)
        {
            if (!reported.Contains(chunk) && State.TryGetChunk(chunk, out ChunkRecord record) && record.Servers.Contains(server.Id))
            {
                server.Missing.Add(chunk);
            }
        }

        QueueAll(record => record.Servers.Contains(server.Id));
        // What lacks a replica can have one here, whether or not this server ever had it.
        foreach (ulong chunk in server.Stale.Concat(_degradedSince.Keys.Order()))
        {
            Queue(chunk);
        }
    }

    private void Heartbeat(RpcRequest request, in ServerReport report)
    {
        if (!_servers.TryGetValue((uint)report.Server, out ChunkServerState? server) || server.Peer != request.Peer ||
            server.Incarnation != report.Incarnation || server.LeaseUntil < _loop.NowNanoseconds)
        {
            // It has to register, so that what it missed is known.
            request.Reply(Errno.ESTALE);
            return;
        }

        Renew(server, report);
        request.Reply(new LeaseReply { LeaseNanoseconds = (ulong)_options.LeaseNanoseconds });
    }

    private void Renew(ChunkServerState server, in ServerReport report)
    {
        server.Report = report;
        server.PlacedSinceReport = 0;
        server.LeaseUntil = _loop.NowNanoseconds + _options.LeaseEndNanoseconds;
    }

    private void Failed(RpcRequest request, ulong chunk, uint error)
    {
        foreach (ChunkServerState server in _servers.Values.Where(server => server.Peer == request.Peer))
        {
            server.Serving.Remove(chunk);
            if (State.TryGetChunk(chunk, out _))
            {
                server.Stale.Add(chunk);
            }
        }

        _options.Log.Write(true, "replica fails", ("chunk", chunk), ("error", (Errno)error));
        request.Reply(Errnos.Ok);
        Queue(chunk);
    }
}
