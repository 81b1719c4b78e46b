using System.Globalization;
using Harness.Cluster.Chunks.Server;
using Harness.Cluster.Chunks.Store;
using Harness.Cluster.Client;
using Harness.Cluster.Disk;
using Harness.Cluster.Metadata.Master;
using Harness.Cluster.Metadata.Server;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Hosting;

/// <summary>A whole cluster in one process.</summary>
internal sealed record EmbeddedClusterOptions
{
    /// <summary>Where everything is: <c>mds</c> and <c>cs1</c>, <c>cs2</c>, … below it.</summary>
    public required string Directory { get; init; }

    /// <summary>Chunk servers (default 3).</summary>
    public int ChunkServers { get; init; } = 3;

    /// <summary>Replicas of a chunk (default 3), and the least number (default 2).</summary>
    public int Replicas { get; init; } = 3;

    /// <summary>See <see cref="Replicas"/>.</summary>
    public int ReplicasMin { get; init; } = 2;

    /// <summary>Where its metadata server listens, for whoever asks how it is (default: any number of 127.0.0.1; no port is opened for it).</summary>
    public NodeAddress Listen { get; init; } = new("127.0.0.1", 0);

    /// <summary>Told which directory it was that could not be used.</summary>
    public Action<string>? OnRefused { get; init; }

    /// <summary>How the client behaves; its metadata server is the embedded one.</summary>
    public ClusterClientOptions? Client { get; init; }

    /// <summary>How the metadata server treats clients.</summary>
    public MetadataServerOptions Server { get; init; } = new();

    /// <summary>How chunks are stored.</summary>
    public ChunkStoreOptions Store { get; init; } = new();
}

/// <summary>One metadata server, some chunk servers and a client in this process, over Unix sockets: no port is opened.</summary>
internal sealed class EmbeddedCluster : IDisposable
{
    private readonly List<ChunkServerHost> _chunkServers = [];
    private MetadataHost? _metadata;
    private ClientHost? _client;

    private EmbeddedCluster()
    {
    }

    /// <summary>The chunk servers, the first one first.</summary>
    internal IReadOnlyList<ChunkServerHost> Servers => _chunkServers;

    /// <summary>The file system.</summary>
    public ClusterFileSystem FileSystem => _client!.FileSystem;

    /// <summary>The metadata server.</summary>
    public MetadataHost Metadata => _metadata!;

    /// <summary>Starts all of it.</summary>
    /// <returns>What <see cref="MetadataHost.Start"/>, <see cref="ChunkServerHost.Start"/> or <see cref="ClientHost.Start"/> says.</returns>
    public static async Task<Result<EmbeddedCluster>> Start(EmbeddedClusterOptions options, Action<Exception>? onFault = null)
    {
        var cluster = new EmbeddedCluster();
        Errno error = await cluster.StartAll(options, onFault);
        if (error == Errnos.Ok)
        {
            return cluster;
        }

        cluster.Dispose();
        return error;
    }

    /// <summary>Another client of the same cluster.</summary>
    public Task<Result<ClientHost>> Connect(string name) =>
        ClientHost.Start(new ClusterClientOptions { MetadataServers = [Metadata.Address], Name = name });

    /// <summary>Writes what is dirty and brings everything to the disk.</summary>
    /// <returns>Why something of it could not be written.</returns>
    public async Task<Errno> Stop()
    {
        Errno error = await _client!.Stop();
        foreach (ChunkServerHost server in _chunkServers)
        {
            Errno stopped = await server.Stop();
            error = error == Errnos.Ok ? stopped : error;
        }

        Errno last = await _metadata!.Stop();
        return error == Errnos.Ok ? last : error;
    }

    /// <summary>Ends at once; call <see cref="Stop"/> before for a clean end.</summary>
    public void Dispose()
    {
        _client?.Dispose();
        foreach (ChunkServerHost server in _chunkServers)
        {
            server.Dispose();
        }

        _metadata?.Dispose();
    }

    private async Task<Errno> StartAll(EmbeddedClusterOptions options, Action<Exception>? onFault)
    {
        var loopback = new NodeAddress("127.0.0.1", 0);
        Result<MetadataHost> metadata = await MetadataHost.Start(
            new MetadataHostOptions
            {
                Directory = Path.Combine(options.Directory, "mds"),
                Listen = options.Listen,
                IsLocal = true,
                Server = options.Server with { Replicas = options.Replicas, ReplicasMin = options.ReplicasMin },
                Master = new ChunkMasterOptions { Replicas = options.Replicas, ReplicasMin = options.ReplicasMin },
            },
            onFault);
        if (!metadata.IsOk)
        {
            options.OnRefused?.Invoke(Path.Combine(options.Directory, "mds"));
            return metadata.Error;
        }

        _metadata = metadata.Value;
        for (int i = 1; i <= options.ChunkServers; i++)
        {
            string directory = Path.Combine(options.Directory, string.Create(CultureInfo.InvariantCulture, $"cs{i}"));
            Result<OwnedDirectory.Owner?> owner = OwnedDirectory.OwnerOf(directory);
            var server = new ChunkServerOptions
            {
                ServerId = owner is { IsOk: true, Value: { } known } ? known.ServerId : (ulong)i,
                Cluster = (0, _metadata.Cluster),
                Listen = loopback,
                IsLocal = true,
                Metadata = [_metadata.Address],
                Incarnation = (ulong)TimeProvider.System.GetUtcNow().UtcTicks,
                Store = options.Store with { ChunkBytesMax = (int)options.Server.Limits.ChunkBytes },
            };
            Result<ChunkServerHost> started = await ChunkServerHost.Start(directory, null, server, onFault);
            if (!started.IsOk)
            {
                options.OnRefused?.Invoke(directory);
                return started.Error;
            }

            _chunkServers.Add(started.Value);
        }

        ClusterClientOptions wanted = options.Client ?? new ClusterClientOptions { MetadataServers = [], Name = "embedded" };
        Result<ClientHost> client = await ClientHost.Start(wanted with { MetadataServers = [_metadata.Address] }, onFault);
        _client = client.IsOk ? client.Value : null;
        return client.Error;
    }
}
