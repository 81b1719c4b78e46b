using System.Runtime.ExceptionServices;
using Harness.Cluster.Chunks;
using Harness.Cluster.Chunks.Client;
using Harness.Cluster.Chunks.Server;
using Harness.Cluster.Chunks.Store;
using Harness.Cluster.Disk;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Harness.Simulation.Scheduling;

namespace Harness.Tests.Cluster.Chunks;

/// <summary>Chunk servers, a client and whoever sets the chains, in virtual time.</summary>
internal sealed class SimChunkWorld : IChainSource
{
    public const long Second = 1_000_000_000;

    private readonly Dictionary<ChunkId, Chain> _chains = [];
    private readonly Dictionary<NodeAddress, PeerLink> _links = [];
    private readonly SimHost _controlHost;
    private readonly PlantedFaults _faults;
    private readonly ChunkStoreOptions _store;

    public SimChunkWorld(ulong seed, int servers = 3, PlantedFaults? faults = null, SimNetworkOptions? network = null, ChunkStoreOptions? store = null)
    {
        World = new SimScheduler(new SimSchedulerOptions { Seed = seed, Ties = TieBreak.Seed });
        Network = new SimNetwork(World, network);
        _faults = faults ?? PlantedFaults.None;
        _store = store ?? new ChunkStoreOptions { ChunkBytesMax = 1 << 20, SegmentBytes = 2 << 20, ApplyAtBytes = 64 << 10, PendingBytesMax = 1 << 20 };
        SimProcess control = World.StartProcess("control");
        ControlLoop = control.StartLoop("control");
        _controlHost = Network.Attach(control, "control");
        Servers = [.. Enumerable.Range(1, servers).Select(i => new SimChunkServer(this, (ulong)i))];
        Client = NewClient("client", 100);
    }

    public SimScheduler World { get; }

    public SimNetwork Network { get; }

    public SimChunkServer[] Servers { get; }

    public ChunkClient Client { get; }

    public SimLoop ControlLoop { get; }

    public SimLoop ClientLoop { get; private set; } = null!;

    public ChunkClient NewClient(string name, ulong id)
    {
        SimProcess process = World.StartProcess(name);
        SimLoop loop = process.StartLoop(name);
        ClientLoop = loop;
        var options = new ChunkClientOptions { PieceBytes = 32 << 10 };
        return new ChunkClient(loop, Network.Attach(process, name), this, Hello.Of(NodeRole.Client, id, 1), new PayloadPool(64 << 20), options);
    }

    public ValueTask<bool> Refresh(ChunkHandle chunk)
    {
        chunk.Chain = _chains[chunk.Id];
        return new ValueTask<bool>(true);
    }

    /// <summary>Runs a body on the client's loop until it has ended.</summary>
    public void Run(Func<Task> body, long limitSeconds = 600)
    {
        bool ended = false;
        Exception? failure = null;
        ClientLoop.Post(
            async _ =>
            {
                try
                {
                    await body();
                }
#pragma warning disable CA1031 // Whatever the body throws is the test's failure, told where the test runs.
                catch (Exception exception)
#pragma warning restore CA1031
                {
                    failure = exception;
                }

                ended = true;
            },
            null);
        World.RunUntil(() => ended, "the test's body", World.NowNanoseconds + (limitSeconds * Second));
        if (failure is not null)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    public async Task StartAll()
    {
        foreach (SimChunkServer server in Servers)
        {
            await server.Start();
        }
    }

    /// <summary>Makes a chunk with replicas on these servers, in the order of the chain.</summary>
    public async Task<ChunkHandle> Create(ulong id, params int[] servers)
    {
        var chunk = new ChunkId(id);
        foreach (int server in servers)
        {
            Assert.Equal(Errnos.Ok, (await Tell(server, ChunkKind.Create, new ChunkRequest { Chunk = id, Version = 1 })).Status);
        }

        var handle = new ChunkHandle(chunk, null!);
        await SetChain(handle, 1, joins: false, servers);
        return handle;
    }

    public async Task SetChain(ChunkHandle chunk, ulong version, bool joins, params int[] servers)
    {
        var chain = new Chain(version, [.. servers.Select(i => new ChainMember((ulong)i + 1, Servers[i].Address))], joins);
        _chains[chunk.Id] = chain;
        // The tail first, so that nobody is sent what he does not know of yet; any order is right.
        foreach (int server in servers.Reverse())
        {
            RpcReply reply = await Tell(server, ChunkKind.SetChain, new ChunkRequest { Chunk = chunk.Id.Value, Version = version }, chain.ToPayload());
            Assert.Equal(Errnos.Ok, reply.Status);
        }

        chunk.Chain ??= chain;
    }

    /// <summary>Brings a server back as the last of a chain.</summary>
    public async Task Join(ChunkHandle chunk, ulong version, params int[] servers)
    {
        await SetChain(chunk, version, joins: true, servers);
        RpcReply reply = await Tell(servers[^1], ChunkKind.CatchUp, new ChunkRequest { Chunk = chunk.Id.Value, Version = version });
        Assert.Equal(Errnos.Ok, reply.Status);
        await SetChain(chunk, version + 1, joins: false, servers);
    }

    public async Task<RpcReply> Tell(int server, ushort kind, ChunkRequest message, byte[]? payload = null)
    {
        NodeAddress address = Servers[server].Address;
        if (!_links.TryGetValue(address, out PeerLink? link))
        {
            Hello hello = Hello.Of(NodeRole.Metadata, 1, 1);
            _links[address] = link = new PeerLink(ControlLoop, _controlHost, address, hello, NoRequests.Instance, new PayloadPool(1 << 20));
        }

        var done = new TaskCompletionSource<RpcReply>();
        Loops.OnLoop(ControlLoop, async () =>
        {
            RpcPeer? peer = null;
            for (int tries = 0; tries < 100 && peer is null; tries++)
            {
                peer = await link.Get();
                await global::Harness.Cluster.LoopYield.Delay(ControlLoop, 1_000_000);
            }

            RpcReply reply = await peer!.Call(kind, message, new Payload(payload), default, 60 * Second);
            done.SetResult(reply);
        });
        return await done.Task;
    }

    internal ChunkServerOptions OptionsOf(ulong id) => new() { ServerId = id, Listen = new NodeAddress($"cs{id}", 1), Store = _store };

    internal PlantedFaults Faults => _faults;
}

/// <summary>A chunk server's host: its disk stays, its processes come and go.</summary>
internal sealed class SimChunkServer(SimChunkWorld world, ulong id)
{
    private SimProcess? _process;

    public SimDisk Disk { get; } = new(world.World, $"cs{id}");

    public NodeAddress Address { get; } = new($"cs{id}", 1);

    public ChunkServer? Server { get; private set; }

    public SimLoop Loop { get; private set; } = null!;

    public Task Start()
    {
        _process = _process is null ? world.World.StartProcess($"cs{id}") : _process.Restart();
        Loop = _process.StartLoop($"cs{id}");
        SimHost host = world.Network.Attach(_process, $"cs{id}");
        IDisk disk = Disk.Attach(Loop);
        var started = new TaskCompletionSource();
        Loop.Post(
            async _ =>
            {
                Result<ChunkServer> result = await ChunkServer.Start(Loop, host, disk, disk, world.OptionsOf(id), world.Faults);
                Assert.Equal(Errnos.Ok, result.Error);
                Server = result.Value;
                started.SetResult();
            },
            null);
        return started.Task;
    }

    public void Kill() => _process!.Crash();

    public void PowerLoss()
    {
        Kill();
        Disk.PowerLoss();
    }
}
