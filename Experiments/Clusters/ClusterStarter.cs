using Harness.Cluster.Net;
using Harness.Cluster.Wire;
using Harness.Experiments.Commands;
using Harness.Experiments.Observing;
using Harness.Experiments.Plan;
using Harness.Transport;
using Harness.Transport.Mounting;

namespace Harness.Experiments.Clusters;

/// <summary>Starts what does not run of a cluster on this host, and waits until it can be used.</summary>
internal sealed class ClusterStarter(ClusterDirectory directory, ClusterConfig config)
{
    private static readonly TimeSpan s_startMax = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_repairMax = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_lookAgain = TimeSpan.FromMilliseconds(50);

    private readonly List<ServerHandle> _started = [];

    private NodeAddress Listen => Addresses.Read("listen", config.Listen);

    private IEnumerable<int> Numbers => Enumerable.Range(1, config.ChunkServers);

    /// <summary>The names of what was started.</summary>
    public IEnumerable<string> Started => _started.Select(static handle => handle.Name);

    /// <summary>Brings everything up. What was started is stopped again if that does not come to its end.</summary>
    /// <param name="only">The one server to start; null for all.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="FuseTransportException">A server cannot start; the message is its own.</exception>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    public async Task Run(string? only, CancellationToken cancellationToken)
    {
        try
        {
            if (!config.InProcess)
            {
                await StartServers(only, cancellationToken).ConfigureAwait(false);
            }

            if (config.MountPoint is string mountPoint && only is null or ClusterDirectory.MountName)
            {
                await Mount(mountPoint, cancellationToken).ConfigureAwait(false);
            }
        }
        catch
        {
            foreach (ServerHandle handle in _started.AsEnumerable().Reverse())
            {
                if (!await handle.Stop(s_startMax).ConfigureAwait(false))
                {
                    await handle.Kill().ConfigureAwait(false);
                }
            }

            throw;
        }
    }

    private async Task StartServers(string? only, CancellationToken cancellationToken)
    {
        string metadata = ClusterDirectory.MetadataName;
        if (only is null || only == metadata)
        {
            Start(metadata, [
                MetadataServerCommand.Name, MountCommand.Detached, "--dir", directory.DataOf(metadata), "--listen", config.Listen, "--replicas",
                config.Replicas, .. MetricsOf(metadata),
            ]);
        }

        await Await($"the metadata server at {config.Listen}", s_startMax, async () => await Status().ConfigureAwait(false) is not null, cancellationToken)
            .ConfigureAwait(false);
        int[] numbers = [.. Numbers.Where(number => only is null || only == ClusterDirectory.ChunkServerName(number))];
        foreach (int number in numbers)
        {
            string name = ClusterDirectory.ChunkServerName(number);
            Start(name, [
                ChunkServerCommand.Name, MountCommand.Detached, "--dir", directory.DataOf(name), "--mds", config.Listen, "--id", $"{number}",
                .. MetricsOf(name),
            ]);
        }

        await Await(
            "all chunk servers",
            s_startMax,
            async () => await Status().ConfigureAwait(false) is { } status && numbers.All(number => IsRegistered(status, number)),
            cancellationToken).ConfigureAwait(false);
        string[] down = [.. Numbers.Select(ClusterDirectory.ChunkServerName).Where(name => directory.Handle(name).Pid is null)];
        if (down.Length > 0)
        {
            // Who starts one server after the other is not kept waiting for chunks that only the others have.
            await Console.Error.WriteLineAsync(
                $"harness: {string.Join(", ", down)} {(down.Length == 1 ? "does" : "do")} not run; writes to some chunks may wait until they do " +
                $"(./harness cluster up --dir {directory.Path} starts all).").ConfigureAwait(false);
            return;
        }

        await AwaitChunks(cancellationToken).ConfigureAwait(false);
    }

    private async Task AwaitChunks(CancellationToken cancellationToken)
    {
        try
        {
            await Await(
                "all chunks", s_repairMax, async () => await Status().ConfigureAwait(false) is { Offline: 0, Blocked: 0 }, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            await Console.Error.WriteLineAsync(
                $"harness: not all chunks can be read and written yet; ./harness cluster status --dir {directory.Path} tells more.").ConfigureAwait(false);
        }
    }

    private IEnumerable<string> MetricsOf(string name)
    {
        string path = directory.MetricsOf(name);
        return path.Length <= MetricsServer.UnixPathMax ? ["--metrics", $"unix:{path}"] : [];
    }

    private void Start(string name, IEnumerable<string> arguments)
    {
        ServerHandle handle = directory.Handle(name);
        if (handle.Pid is null)
        {
            handle.Start(arguments);
            _started.Add(handle);
        }
    }

    private async Task Mount(string mountPoint, CancellationToken cancellationToken)
    {
        ServerHandle handle = directory.Handle(ClusterDirectory.MountName);
        MountEntry? entry = MountTable.Find(mountPoint);
        string backend = config.InProcess ? $"{Backend.Cluster}:{directory.Path}" : $"{Backend.Cluster}:{config.Listen}";
        if (entry is not null && handle.Pid is not null)
        {
            return;
        }

        if (entry is not null && entry.Source == backend)
        {
            // What a killed daemon has left.
            FuseMount.Unmount(mountPoint);
        }

        await handle.AwaitEnd(s_startMax).ConfigureAwait(false);
        Start(ClusterDirectory.MountName, [
            "mount", MountCommand.Detached, "--backend", backend, .. MetricsOf(ClusterDirectory.MountName),
            .. config.MountWords.SelectMany(static words => (string[])["-o", words]), mountPoint,
        ]);

        // The kernel holds the first question back until INIT is over.
        await Await($"the mount on {mountPoint}", s_startMax, () => Task.FromResult(MountTable.Find(mountPoint) is not null), cancellationToken)
            .ConfigureAwait(false);
        Task<bool> exists = Task.Run(() => Directory.Exists(mountPoint), CancellationToken.None);
        await Await($"an answer of the mount on {mountPoint}", s_startMax, () => Task.FromResult(exists.IsCompleted), cancellationToken).ConfigureAwait(false);
    }

    private async Task<ClusterStatus?> Status()
    {
        // Until it is seen to be this cluster's, whoever answers there may be another's.
        ClusterState state = await ClusterState.Of(Listen).ConfigureAwait(false);
        ulong cluster = ServerIdentity.ClusterOf(directory.DataOf(ClusterDirectory.MetadataName));
        return cluster != 0 && state.Status?.Cluster == cluster ? state.Status : null;
    }

    /// <summary>Whether the process that runs now is the one that the metadata server knows.</summary>
    private bool IsRegistered(ClusterStatus status, int number) =>
        directory.Handle(ClusterDirectory.ChunkServerName(number)).StartedAt is { } startedAt &&
        status.Servers.Any(server => server.Server == (uint)number && server.State != "offline" && server.Incarnation >= (ulong)startedAt.UtcTicks);

    private async Task Await(string what, TimeSpan patience, Func<Task<bool>> isReady, CancellationToken cancellationToken)
    {
        long started = TimeProvider.System.GetTimestamp();
        while (!await isReady().ConfigureAwait(false))
        {
            if (_started.Select(static handle => handle.Failure()).FirstOrDefault(static failure => failure is not null) is string failure)
            {
                throw new FuseTransportException(failure);
            }

            if (TimeProvider.System.GetElapsedTime(started) > patience)
            {
                string text = $"{what} did not come within {patience.TotalSeconds} s. See the logs: {Path.GetDirectoryName(directory.LogOf("mds"))}";
                throw patience == s_repairMax ? new TimeoutException(text) : new FuseTransportException(text);
            }

            await Task.Delay(s_lookAgain, cancellationToken).ConfigureAwait(false);
        }
    }
}
