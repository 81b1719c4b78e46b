using Harness.Cluster.Disk;
using Harness.Cluster.Log;
using Harness.Cluster.Metadata.Master;
using Harness.Cluster.Metadata.Server;
using Harness.Cluster.Net;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.Runtime;
using Mono.Unix.Native;

namespace Harness.Cluster.Hosting;

/// <summary>How a process runs a metadata server.</summary>
internal sealed record MetadataHostOptions
{
    /// <summary>Where its log and snapshots are; made if it is not there.</summary>
    public required string Directory { get; init; }

    /// <summary>Where it listens; port 0 takes any.</summary>
    public required NodeAddress Listen { get; init; }

    /// <summary>Whether only processes of this host shall reach it, and it opens no port. Default false.</summary>
    public bool IsLocal { get; init; }

    /// <summary>For how long its loop looks for the next request before it sleeps. Default 20 µs; 0 sleeps at once.</summary>
    public long SpinNanoseconds { get; init; } = 20_000;

    /// <summary>How it treats clients.</summary>
    public MetadataServerOptions Server { get; init; } = new();

    /// <summary>How it treats chunk servers.</summary>
    public ChunkMasterOptions Master { get; init; } = new();
}

/// <summary>A metadata server as a process runs it: a loop of its own, a thread for the log, sockets.</summary>
internal sealed class MetadataHost : IDisposable
{
    private const int DiskThreads = 2;

    private readonly EventLoop _loop;
    private readonly DiskWorkers _workers;
    private readonly WriteAheadLog _log;
    private readonly MetadataNode _node;

    private readonly OwnedDirectory _directory;

    private MetadataHost(EventLoop loop, DiskWorkers workers, WriteAheadLog log, MetadataNode node, OwnedDirectory directory) =>
        (_loop, _workers, _log, _node, _directory) = (loop, workers, log, node, directory);

    /// <summary>Where it listens.</summary>
    public NodeAddress Address => _node.Address;

    /// <summary>The cluster's id, which was made with its log.</summary>
    public ulong Cluster => _node.Server.State.Cluster;

    /// <summary>Starts a metadata server.</summary>
    /// <param name="options">How.</param>
    /// <param name="onFault">Told of a bug that ended a callback; null to let it end the process.</param>
    /// <returns>
    /// EADDRINUSE, EACCES and their like; EUCLEAN: the directory is another server's; EBUSY: another process serves it; EBADMSG: its log is damaged.
    /// </returns>
    public static async Task<Result<MetadataHost>> Start(MetadataHostOptions options, Action<Exception>? onFault = null)
    {
        Result<OwnedDirectory.Owner?> owner = OwnedDirectory.OwnerOf(options.Directory);
        MetadataServerOptions server = owner is { IsOk: true, Value: { } known } && known.Cluster.Low != 0
            ? options.Server with { NewCluster = known.Cluster.Low }
            : options.Server;

        // Number 0 is no chunk server's, so that the two never share a directory.
        Result<OwnedDirectory> claim = OwnedDirectory.Claim(options.Directory, 0, (0, server.NewCluster));
        if (!claim.IsOk)
        {
            return claim.Error;
        }

        var loop = new EventLoop("mds", onFault, options.SpinNanoseconds);
        var workers = new DiskWorkers(DiskThreads);
        WriteAheadLog? log = null;
        Result<MetadataNode> node = await OnLoop(loop, async () =>
        {
            log = new WriteAheadLog(new RealDisk(loop, options.Directory, workers));
            ulong incarnation = (ulong)loop.Time.GetUtcNow().UtcTicks;
            return await MetadataNode.Start(loop, new SocketNetwork(isLocal: options.IsLocal), log, options.Listen, server, options.Master, incarnation);
        });
        if (node.IsOk)
        {
            return new MetadataHost(loop, workers, log!, node.Value, claim.Value);
        }

        loop.Dispose();
        workers.Dispose();
        log?.Dispose();
        claim.Value.Dispose();
        return node.Error;
    }

    /// <summary>What the cluster is like now.</summary>
    public Task<ClusterStatus> Status() => OnLoop(_loop, async () =>
    {
        MetadataReply reply = await _node.Server.Handle(new MetadataRequest { Status = new Empty() }, NoClient.Instance);
        return reply.ClusterStatus;
    });

    /// <summary>Looks at the server, on its loop.</summary>
    public Task<T> Look<T>(Func<MetadataServer, T> look) => OnLoop(_loop, () => Task.FromResult(look(_node.Server)));

    /// <summary>Checks metadata against what chunk servers have; one line for each finding.</summary>
    public Task<IReadOnlyList<string>> Check() => OnLoop(_loop, () => Task.FromResult(_node.Master.Check()));

    /// <summary>Brings the log to the disk.</summary>
    public Task<Errno> Stop() => OnLoop(_loop, async () =>
    {
        _node.Dispose();
        return await _node.Server.Pipeline.Sync();
    });

    /// <summary>Ends at once, as kill -9 would; call <see cref="Stop"/> before for a clean end.</summary>
    public void Dispose()
    {
        _loop.Dispose();
        _workers.Dispose();
        _log.Dispose();
        _directory.Dispose();
    }

    /// <summary>Runs something on a loop and tells its end elsewhere.</summary>
    internal static Task<T> OnLoop<T>(ILoop loop, Func<Task<T>> body)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Post(_ => _ = Run(), null);
        return done.Task;

        async Task Run()
        {
            try
            {
                done.SetResult(await body());
            }
#pragma warning disable CA1031 // It belongs to whoever waits, and is thrown there.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                done.SetException(exception);
            }
        }
    }

    private sealed class NoClient : IClientLink
    {
        public static NoClient Instance { get; } = new();

        public ValueTask<RecallReply?> Recall(Recall recall) => default;

        public void Close(string reason)
        {
        }
    }
}
