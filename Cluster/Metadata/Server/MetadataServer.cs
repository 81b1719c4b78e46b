using Harness.Cluster.Log;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.Runtime;
using Mono.Unix.Native;
using Body = Harness.Cluster.Wire.MetadataRequest.BodyOneofCase;

namespace Harness.Cluster.Metadata.Server;

/// <summary>
/// The metadata server that leads: serves clients' requests from the state, brings their changes into the log, and sees to it by leases that
/// what a client caches is true.
/// </summary>
/// <remarks>
/// Belongs to one loop. A change passes in this order: gates (so that changes of one thing follow each other), recalls (so that nobody else
/// caches what is about to change), log, state, reply. While a change is under way, no reply lets anybody cache what it changes.
/// </remarks>
internal sealed partial class MetadataServer
{
    private readonly ILoop _loop;
    private readonly MetadataServerOptions _options;
    private readonly CommandPipeline _pipeline;
    private readonly LeaseTable _leases = new();
    private readonly Gates _gates;
    private readonly IChunkServers _chunkServers;
    private bool _started;

    /// <summary>A server that has not read its log yet.</summary>
    public MetadataServer(ILoop loop, IMetadataLog log, MetadataServerOptions options, IChunkServers chunkServers)
    {
        (_loop, _options, _chunkServers, _gates) = (loop, options, chunkServers, new Gates(loop));
        State = new MetadataState(options.Limits);
        _pipeline = new CommandPipeline(loop, log, State, options.Pipeline);
    }

    /// <summary>The metadata.</summary>
    public MetadataState State { get; }

    /// <summary>Requests served since the start.</summary>
    public long Requests { get; private set; }

    /// <summary>Those of them that changed something.</summary>
    public long Mutations { get; private set; }

    /// <summary>Leases that clients hold.</summary>
    public int Leases => _leases.Count;

    /// <summary>The way into the log, for the cluster's own commands.</summary>
    public CommandPipeline Pipeline => _pipeline;

    /// <summary>Reads the log and begins a term; clients of the last one have the length of a session to come back.</summary>
    /// <returns>Why it cannot serve.</returns>
    public async ValueTask<Errno> Start()
    {
        Errno error = await _pipeline.Open();
        if (error != Errnos.Ok)
        {
            return error;
        }

        _appliedAtStart = _pipeline.AppliedIndex;
        var start = new StartTerm
        {
            Term = State.Term + 1,
            Cluster = State.Cluster == 0 ? _options.NewCluster : State.Cluster,
            RootMode = _options.RootMode,
        };
        Outcome outcome = await _pipeline.Submit(new Command { StartTerm = start }, durable: true);
        if (outcome.Errno != 0)
        {
            return (Errno)outcome.Errno;
        }

        State.ChunkDropped = _chunkServers.Dropped;
        BeginRecovery();
        _options.Log.Write(
            false, "term begins", ("term", State.Term), ("cluster", $"{State.Cluster:x16}"), ("inodes", State.InodeCount), ("chunks", State.ChunkCount),
            ("sessions_awaited", _missing.Count));
        _started = true;
        Tick();
        return Errnos.Ok;
    }

    /// <summary>Serves one request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="link">The way to who asks.</param>
    public async ValueTask<MetadataReply> Handle(MetadataRequest request, IClientLink link)
    {
        Requests++;
        Mutations += request.BodyCase == Body.Mutate ? 1 : 0;
        if (!_started)
        {
            return Refused(Errno.EAGAIN);
        }

        if (request.BodyCase == Body.Attach)
        {
            return await Attach(request.Attach, link);
        }

        if (request.BodyCase == Body.Status)
        {
            return Status();
        }

        if (request.BodyCase == Body.NewServer)
        {
            return await NewServer(request.NewServer);
        }

        if (request.BodyCase == Body.ListChunks)
        {
            return ListChunks(request.ListChunks);
        }

        if (!Touch(request.Session, link))
        {
            return Refused(Errno.ENOTCONN);
        }

        if (request.BodyCase == Body.Renew)
        {
            // Also while sessions of the last term are awaited: that can take longer than those that are back would last otherwise.
            return new MetadataReply { LeaseMillis = LeaseMillis, Index = _pipeline.AppliedIndex };
        }

        await Recovered;
        MetadataReply reply = request.BodyCase switch
        {
            Body.Mutate => await Mutate(request.Session, request.Mutate),
            Body.LookUp => await LookUp(request.Session, request.LookUp),
            Body.GetAttributes => await GetAttributes(request.Session, request.GetAttributes),
            Body.ListNames => List(request.Session, request.ListNames),
            Body.GetXattr => Value(State.GetXattr(request.GetXattr.Inode, request.GetXattr.Name.Span, out var value), value),
            Body.ListXattrs => Value(State.ListXattrs(request.ListXattrs, out var names), names),
            Body.ReadLink => Value(State.ReadLink(request.ReadLink, out var target), target),
            Body.Locate => Locate(request.Session, request.Locate),
            Body.LocateChunk => LocateChunk(request.LocateChunk),
            Body.TestLock => TestLock(request.Session, request.TestLock),
            Body.WaitLock => await WaitLock(request.Session, request.WaitLock),
            Body.CancelWait => CancelWait(request.Session, request.CancelWait),
            Body.Statfs => Statfs(),
            Body.Sync => Refused(await _pipeline.Sync()),
            Body.Acquire => await Acquire(request.Session, request.Acquire),
            Body.GiveBack => GiveBack(request.Session, request.GiveBack),
            Body.Detach => await Detach(request.Session),
            _ => Refused(Errno.ENOSYS),
        };
        if (request.Durable && reply.Errno == 0 && await _pipeline.Sync() is var error && error != Errnos.Ok)
        {
            reply = Refused(error);
        }

        reply.Index = _pipeline.AppliedIndex;
        return reply;
    }

    private static MetadataReply Refused(Errno error) => new() { Errno = (uint)error };

    private static MetadataReply Value(Errno error, Google.Protobuf.ByteString value) => new() { Errno = (uint)error, Value = value };

    /// <summary>A number for a chunk server that has none yet. Asked again with the same identity, it is the same one.</summary>
    private async ValueTask<MetadataReply> NewServer(ulong identity)
    {
        Outcome outcome = await _pipeline.Submit(new Command { RegisterServer = new RegisterServer { Identity = identity } }, durable: true);
        return new MetadataReply { Errno = outcome.Errno, Outcome = outcome, Cluster = State.Cluster };
    }

    private MetadataReply Statfs()
    {
        (ulong bytes, ulong free) = _chunkServers.Space;
        ulong replicas = (ulong)_options.Replicas;
        return new MetadataReply
        {
            Space = new Space
            {
                Bytes = bytes / replicas,
                FreeBytes = free / replicas,
                Inodes = (ulong)_options.Limits.InodesMax,
                FreeInodes = (ulong)(_options.Limits.InodesMax - State.InodeCount),
            },
        };
    }
}
