using Harness.Transport;

namespace Harness.Experiments.Clusters;

/// <summary>A cluster of real processes that lives as long as a command: three chunk servers, three replicas, mounted; its data go with it.</summary>
internal sealed class OwnCluster : IAsyncDisposable
{
    private readonly string _root;
    private readonly ClusterDirectory _directory;
    private readonly ClusterConfig _config;

    private OwnCluster(string root, ClusterDirectory directory, ClusterConfig config)
    {
        _root = root;
        _directory = directory;
        _config = config;
    }

    /// <summary>Where it is mounted.</summary>
    public string MountPoint => _config.MountPoint!;

    /// <summary>Starts it.</summary>
    /// <param name="root">A directory that is made for it, and removed with it; the file system it is on is the servers' disk.</param>
    /// <param name="words">Words of the mount's <c>-o</c>.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="Commands.BadArgumentsException">The words or the directory cannot be used.</exception>
    /// <exception cref="FuseTransportException">A server cannot start; the message is its own.</exception>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    public static async Task<OwnCluster> Start(string root, IReadOnlyList<string> words, CancellationToken cancellationToken)
    {
        string mountPoint = Path.Combine(Path.GetFullPath(root), "mnt");
        ClusterConfig config = new ClusterWishes(null, null, null, mountPoint, words, InProcess: false).Over(null, running: false, isMounted: false);
        ClusterDirectory directory = ClusterDirectory.Create(Path.Combine(root, "cluster"));
        Directory.CreateDirectory(mountPoint);
        config.Write(directory.ConfigPath);
        var cluster = new OwnCluster(root, directory, config);
        try
        {
            using IDisposable taken = directory.Lock();
            await new ClusterStarter(directory, config).Run(null, cancellationToken).ConfigureAwait(false);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    /// <remarks>What is still open on the mount gets errors: nobody else was told of it.</remarks>
    public async ValueTask DisposeAsync()
    {
        using (IDisposable taken = _directory.Lock())
        {
            await new ClusterStopper(_directory, _config).Run(force: true).ConfigureAwait(false);
        }

        Directory.Delete(_root, recursive: true);
    }
}
