using Harness.Cluster.Chunks;
using Harness.Cluster.Chunks.Client;
using Harness.Cluster.Client;
using Harness.Cluster.Net;
using Harness.Simulation.Scheduling;

namespace Harness.Cluster.Checking;

/// <summary>A client of the cluster: its file system, and beside it a way straight to the chunk servers that no lease protects.</summary>
internal sealed class CheckedClient : IChainSource
{
    private readonly Dictionary<ulong, ChunkHandle> _handles = [];
    private readonly SimProcess _process;

    /// <summary>A client that has no session yet.</summary>
    public CheckedClient(SimScheduler world, SimNetwork network, int number, NodeAddress metadata)
    {
        Host = $"client{number}";
        SimProcess process = _process = world.StartProcess(Host);
        Loop = process.StartLoop(Host);
        SimHost host = network.Attach(process, Host);
        var pool = new PayloadPool(16 << 20);
        ulong identity = 1000 + (ulong)number;
        var options = new ClusterClientOptions { MetadataServers = [metadata], Name = Host };
        Client = new ClusterClient(Loop, host, new ClusterChunkData(Loop, host, identity, pool), options, process.StartLoop(Host + " kernel"), pool);
        FileSystem = new ClusterFileSystem(Loop, Client);
        var straight = new ChunkClientOptions { AttemptNanoseconds = 700_000_000, ReadTurn = number };
        Chunks = new ChunkClient(Loop, host, this, Hello.Of(NodeRole.Client, identity + 1000, 1), pool, straight);
    }

    /// <summary>Its host.</summary>
    public string Host { get; }

    /// <summary>Whether it has died, and with it all that waits in it and whoever waits for it.</summary>
    public bool IsDead => _process.IsCrashed;

    /// <summary>Its loop.</summary>
    public SimLoop Loop { get; }

    /// <summary>Its side of the cluster.</summary>
    public ClusterClient Client { get; }

    /// <summary>Its file system.</summary>
    public ClusterFileSystem FileSystem { get; }

    /// <summary>Reads and writes chunks without asking for a lease.</summary>
    public ChunkClient Chunks { get; }

    /// <summary>The file that a lane on this client has made or found last.</summary>
    public ulong LastFile { get; set; }

    /// <summary>It dies, and does not come back.</summary>
    public void Die() => _process.Crash();

    /// <summary>A chunk as this client knows it.</summary>
    public async ValueTask<ChunkHandle?> HandleOf(ulong chunk)
    {
        if (_handles.TryGetValue(chunk, out ChunkHandle? known))
        {
            return known;
        }

        var handle = new ChunkHandle(new ChunkId(chunk), null!);
        if (!await Refresh(handle) || handle.Chain is null)
        {
            return null;
        }

        return _handles[chunk] = handle;
    }

    /// <inheritdoc/>
    public ValueTask<bool> Refresh(ChunkHandle chunk) => Client.Refresh(chunk);
}
