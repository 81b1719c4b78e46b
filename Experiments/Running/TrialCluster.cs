using Harness.Cluster.Net;
using Harness.Experiments.Clusters;
using Harness.Experiments.Commands;
using Harness.Experiments.Plan;
using Harness.Transport;

namespace Harness.Experiments.Running;

/// <summary>A cluster of real processes for one trial, in a directory of its own; nothing is left of it when it is disposed.</summary>
internal sealed class TrialCluster : IAsyncDisposable
{
    private static readonly TimeSpan s_startMax = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_lookAgain = TimeSpan.FromMilliseconds(20);

    private readonly string _directory = Directory.CreateTempSubdirectory("harness-cluster-").FullName;
    private readonly List<ServerChild> _children = [];

    private TrialCluster()
    {
    }

    /// <summary>Where its metadata server listens.</summary>
    public NodeAddress Metadata { get; private set; }

    /// <summary>Starts one and waits until it can be used.</summary>
    /// <exception cref="FuseTransportException">A server could not start.</exception>
    /// <exception cref="OperationCanceledException">It was given up; nothing is left.</exception>
    public static async Task<TrialCluster> Start(ClusterShape shape, CancellationToken cancellationToken)
    {
        var cluster = new TrialCluster();
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(s_startMax);
            await cluster.StartAll(shape, limit.Token).ConfigureAwait(false);
            return cluster;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            await cluster.DisposeAsync().ConfigureAwait(false);
            throw new FuseTransportException($"The cluster of the trial could not be used within {s_startMax.TotalSeconds} s.");
        }
        catch
        {
            await cluster.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_children.Select(static child => child.DisposeAsync().AsTask())).ConfigureAwait(false);
        if (Directory.Exists(_directory))
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    private async Task StartAll(ClusterShape shape, CancellationToken cancellationToken)
    {
        string replicas = ReplicaCount.Of(shape.Replicas).ToString();
        await StartOne(
            [MetadataServerCommand.Name, "--dir", Path.Combine(_directory, "mds"), "--listen", "127.0.0.1:0", "--replicas", replicas], cancellationToken)
            .ConfigureAwait(false);
        string said = _children[0].FirstLine;
        Metadata = Addresses.Read("--listen", said[(said.LastIndexOf(' ') + 1)..]);
        await Task.WhenAll(Enumerable.Range(1, shape.ChunkServers).Select(number => StartOne(
            [ChunkServerCommand.Name, "--dir", Path.Combine(_directory, $"cs{number}"), "--mds", $"{Metadata}", "--id", $"{number}"], cancellationToken)))
            .ConfigureAwait(false);
        while ((await ClusterState.Of(Metadata).ConfigureAwait(false)).Status?.Servers.Count(static server => server.State == "active") != shape.ChunkServers)
        {
            await Task.Delay(s_lookAgain, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task StartOne(IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        ServerChild child = ServerChild.Start(arguments);
        lock (_children)
        {
            _children.Add(child);
        }

        await child.AwaitReady(cancellationToken).ConfigureAwait(false);
    }
}
