using Harness.Cluster.Client;
using Harness.Cluster.Log;
using Harness.Cluster.Metadata.Rpc;
using Harness.Cluster.Metadata.Server;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Simulation.Scheduling;
using Harness.Tests.Experiments.Backends;
using Mono.Unix.Native;

namespace Harness.Tests.Cluster.Metadata;

/// <summary>A metadata server and clients in a simulated world; chunks lie in memory.</summary>
internal sealed class ClusterWorld
{
    public const long Millisecond = 1_000_000;
    public const long Second = 1_000_000_000;

    private static readonly NodeAddress s_address = new("mds", 7000);

    private readonly MetadataServerOptions _options;
    private SimProcess _process;
    private int _clients;

    public ClusterWorld(ulong seed = 1, MetadataServerOptions? options = null)
    {
        _options = options ?? new MetadataServerOptions { Limits = new() { ChunkBytes = 4096 } };
        Scheduler = new SimScheduler(new SimSchedulerOptions { Seed = seed });
        Network = new SimNetwork(Scheduler);
        _process = Scheduler.StartProcess("mds");
        StartServer();
    }

    public SimScheduler Scheduler { get; }

    public SimNetwork Network { get; }

    public SimulatedLogStorage Log { get; } = new();

    public MemoryChunks Chunks { get; } = new();

    public MetadataServer Server { get; private set; } = null!;

    /// <summary>Kills the metadata server and starts it again, on the same log.</summary>
    public void RestartServer(bool powerCut = false)
    {
        _process = _process.Restart();
        if (powerCut)
        {
            Log.LosePower(Scheduler.Random.Split("power", Scheduler.NowNanoseconds));
        }

        StartServer();
    }

    /// <summary>A client, as its kernel sees it.</summary>
    public WorldClient AddClient(ClusterClientOptions? options = null)
    {
        string name = $"client{++_clients}";
        SimProcess process = Scheduler.StartProcess(name);
        SimLoop loop = process.StartLoop(name);
        var client = new ClusterClient(
            loop, Network.Attach(process, name), Chunks.For(loop), options ?? new ClusterClientOptions { MetadataServers = [s_address], Name = name },
            process.StartLoop($"{name} kernel"), new PayloadPool(64 << 20));
        Errno error = OnLoop(loop, async () => await client.Open());
        Assert.Equal(Errnos.Ok, error);
        var fileSystem = new ClusterFileSystem(loop, client);
        IFileSystem pumped = PumpedFileSystem.Of(fileSystem, Scheduler);
        pumped.Start(MemoryBackend.Agreed(fileSystem.Capabilities));
        return new WorldClient(name, process, loop, client, pumped, new FileSystemClient(pumped));
    }

    public static ClusterClientOptions ClientOptions => new() { MetadataServers = [s_address] };

    public void RunFor(long nanoseconds) => Scheduler.RunUntil(Scheduler.NowNanoseconds + nanoseconds);

    public T OnLoop<T>(SimLoop loop, Func<Task<T>> body)
    {
        Task<T>? task = null;
        loop.Post(_ => task = body(), null);
        Scheduler.RunUntil(() => task is { IsCompleted: true }, "the end of a call", Scheduler.NowNanoseconds + (300 * Second));
        return task!.Result;
    }

    private void StartServer()
    {
        SimLoop loop = _process.StartLoop("mds");
        Server = new MetadataServer(loop, new SimulatedLog(loop, Log), _options, Chunks);
        var pool = new PayloadPool(64 << 20);
        var endpoint = new MetadataEndpoint(Server, pool);
        Hello hello = Hello.Of(NodeRole.Metadata, 1, (ulong)_process.Incarnation);
        Result<IListener> listener = Network.Attach(_process, "mds").Listen(loop, s_address, connection => endpoint.Accept(loop, connection, hello));
        Assert.Equal(Errnos.Ok, listener.Error);
        Assert.Equal(Errnos.Ok, OnLoop(loop, async () => await Server.Start()));
    }
}

/// <summary>A client of a <see cref="ClusterWorld"/>.</summary>
internal sealed record WorldClient(string Host, SimProcess Process, SimLoop Loop, ClusterClient Client, IFileSystem FileSystem, FileSystemClient Fs)
{
    /// <summary>Reads from a file's start without opening it: nothing else happens meanwhile.</summary>
    public int Read(ulong file, int length) =>
        FileSystem.Read(new RequestContext(0, 0), new NodeId(file), new ReadIn { Size = (uint)length }, new byte[length]).AsTask().Result.Value;

    public Errno Syncfs() => FileSystem.Syncfs(new RequestContext(0, 0), NodeId.Root).AsTask().Result;

    public Errno Fsync(ulong file) => FileSystem.Fsync(new RequestContext(0, 0), new NodeId(file), default).AsTask().Result;
}
