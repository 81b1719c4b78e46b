using Harness.Cluster.Disk;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Harness.Runtime;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Server;

/// <summary>A chunk server as a process runs it: a loop of its own, threads for the disk, sockets.</summary>
internal sealed class ChunkServerHost : IDisposable
{
    private const int DiskThreads = 4;

    private readonly EventLoop _loop;
    private readonly DiskWorkers _workers;
    private readonly ChunkServer _server;

    private readonly List<OwnedDirectory> _directories;
    private readonly IdleWatch _idle;
    private readonly TaskCompletionSource<Errno> _refused;

    private ChunkServerHost(
        EventLoop loop, DiskWorkers workers, ChunkServer server, List<OwnedDirectory> directories, TaskCompletionSource<Errno> refused)
    {
        (_loop, _workers, _server, _directories, _refused) = (loop, workers, server, directories, refused);
        _idle = new IdleWatch(loop, () => server.Counters.All, Rest);
        Loops.OnLoop(loop, _idle.Start);
    }

    /// <summary>Ends if the metadata server refuses this directory for good: ENOTUNIQ, another one is served by the same number.</summary>
    public Task<Errno> Refused => _refused.Task;

    /// <summary>Where it listens.</summary>
    public NodeAddress Address => _server.Address;

    /// <summary>Starts a chunk server.</summary>
    /// <param name="directory">Where its chunks are; made if it is not there.</param>
    /// <param name="journalDirectory">Where its journal is; null for the same directory.</param>
    /// <param name="options">The rest.</param>
    /// <param name="onFault">Told of a bug that ended a callback; null to let it end the process.</param>
    /// <returns>
    /// EADDRINUSE, EACCES, ENOSPC and their like. EUCLEAN: the directory belongs to another server or cluster. EBUSY: another process serves it.
    /// </returns>
    public static async Task<Result<ChunkServerHost>> Start(
        string directory, string? journalDirectory, ChunkServerOptions options, Action<Exception>? onFault = null)
    {
        string[] directories = journalDirectory is null ? [directory] : [directory, journalDirectory];
        List<OwnedDirectory> claims = [];
        foreach (string path in directories)
        {
            Result<OwnedDirectory> claim = OwnedDirectory.Claim(path, options.ServerId, options.Cluster);
            if (!claim.IsOk)
            {
                claims.ForEach(static each => each.Dispose());
                return claim.Error;
            }

            claims.Add(claim.Value);
        }

        var refused = new TaskCompletionSource<Errno>(TaskCreationOptions.RunContinuationsAsynchronously);
        options = options with
        {
            // After a clock that was set back the metadata server would take it for an earlier life of itself.
            Incarnation = Math.Max(options.Incarnation, claims[0].Life),
            Identity = claims[0].Identity,
            OnRefused = error => refused.TrySetResult(error),
        };
        var loop = new EventLoop($"cs {options.ServerId}", onFault, options.SpinNanoseconds);
        var workers = new DiskWorkers(DiskThreads);
        var started = new TaskCompletionSource<Result<ChunkServer>>(TaskCreationOptions.RunContinuationsAsynchronously);
        Loops.OnLoop(loop, async () =>
        {
            var disk = new RealDisk(loop, directory, workers);
            IDisk journalDisk = journalDirectory is null ? disk : new RealDisk(loop, journalDirectory, workers);
            started.SetResult(await ChunkServer.Start(loop, new SocketNetwork(isLocal: options.IsLocal), disk, journalDisk, options));
        });
        Result<ChunkServer> server = await started.Task;
        if (server.IsOk)
        {
            return new ChunkServerHost(loop, workers, server.Value, claims, refused);
        }

        loop.Dispose();
        workers.Dispose();
        claims.ForEach(static each => each.Dispose());
        return server.Error;
    }

    /// <summary>Runs something on the server's loop.</summary>
    public Task<T> Run<T>(Func<ChunkServer, Task<T>> action)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Loops.OnLoop(_loop, async () => done.SetResult(await action(_server)));
        return done.Task;
    }

    /// <summary>Brings everything to the disk and ends.</summary>
    public Task<Errno> Stop() => Run(server =>
    {
        _idle.Stop();
        return server.Stop();
    });

    /// <summary>Ends at once, as kill -9 would; call <see cref="Stop"/> before for a clean end.</summary>
    public void Dispose()
    {
        _loop.Dispose();
        _workers.Dispose();
        _directories.ForEach(static each => each.Dispose());
    }

    /// <summary>
    /// Gives memory back to the system. Buffers, and what was garbage when the load ended, would otherwise stay with the process until something is
    /// allocated, which at rest nothing is.
    /// </summary>
    private async Task Rest()
    {
        await _server.Rest();
        // 30 to 60 ms in which the server does not answer, once after each load.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }
}
