using Harness.Cluster.Chunks.Server;
using Harness.Cluster.Chunks.Store;
using Harness.Cluster.Client;
using Harness.Cluster.Disk;
using Harness.Cluster.Hosting;
using Harness.Cluster.Log;
using Harness.Cluster.Metadata.Master;
using Harness.Cluster.Metadata.Server;
using Harness.Cluster.Net;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.Simulation.Scheduling;
using Harness.Tests.Experiments.Backends;
using Mono.Unix.Native;

namespace Harness.Tests.Cluster.Metadata;

/// <summary>Metadata server, chunk servers and clients together, in a simulated world: nothing in it stands for anything else.</summary>
public sealed class WholeClusterTests
{
    private const ulong Root = FileSystemClient.Root;

    [Fact]
    public void WhatIsWrittenIsOnThreeServersAndReadBack()
    {
        var world = new World(servers: 4);
        ulong file = world.Fs.Create(Root, "file").Ok().Entry.Nodeid;
        byte[] data = new byte[3_000_000];
        new Random(1).NextBytes(data);
        world.Fs.Write(file, 0, data).Ok();
        Assert.Equal(Errnos.Ok, world.Client.Fsync(file));
        Assert.Equal(data, world.Fs.Read(file, 0, data.Length).Ok());
        ClusterStatus status = world.Status();
        Assert.Equal((3ul, 3ul), (status.Chunks, status.Healthy));
    }

    [Fact]
    public void AServerThatIsKilledIsDoneWithoutAndCatchesUpWhenItComesBack()
    {
        var world = new World(servers: 3);
        ulong file = world.Fs.Create(Root, "file").Ok().Entry.Nodeid;
        world.Fs.Write(file, 0, "before").Ok();
        Assert.Equal(Errnos.Ok, world.Client.Fsync(file));
        world.Servers[1].Kill();
        world.Fs.Write(file, 0, "during").Ok();
        Assert.Equal(Errnos.Ok, world.Client.Fsync(file));
        Assert.Equal(1ul, world.Status().Urgent);
        world.Servers[1].Start();
        world.RunFor(20);
        Assert.Equal(1ul, world.Status().Healthy);
        world.Servers[0].Kill();
        world.Servers[2].Kill();
        world.RunFor(20);
        Assert.Equal("during", world.Fs.ReadText(file));
    }

    [Fact]
    public void AChunkMadeWhileAServerIsAwayGetsItsReplicaWhenItIsBack()
    {
        var world = new World(servers: 3);
        world.Servers[1].Kill();
        world.RunFor(5);
        ulong file = world.Fs.Create(Root, "file").Ok().Entry.Nodeid;
        world.Fs.Write(file, 0, "text").Ok();
        Assert.Equal(Errnos.Ok, world.Client.Fsync(file));
        Assert.Equal(1ul, world.Status().Urgent);
        world.Servers[1].Start();
        world.RunFor(5);
        Assert.Equal(1ul, world.Status().Healthy);
    }

    [Fact]
    public void ManyChunksAreWholeAgainSecondsAfterAServerIsBack()
    {
        var world = new World(servers: 3);
        const ulong Files = 500;
        for (ulong i = 0; i < Files; i++)
        {
            ulong file = world.Fs.Create(Root, $"f{i}").Ok().Entry.Nodeid;
            world.Fs.Write(file, 0, "text").Ok();
        }

        world.RunFor(2);
        Assert.Equal(Files, world.Status().Healthy);
        world.Servers[1].Kill();
        world.RunFor(5);
        Assert.Equal(Files, world.Status().Urgent);
        world.Servers[1].Start();
        world.RunFor(5);
        Assert.Equal(Files, world.Status().Healthy);
    }

    [Fact]
    public void ANewChunkWaitsForServersThatAreAway()
    {
        var world = new World(servers: 3);
        world.RunFor(1);
        foreach (Machine server in world.Servers)
        {
            server.Kill();
        }

        ulong file = world.Fs.Create(Root, "file").Ok().Entry.Nodeid;
        world.Fs.Write(file, 0, "text").Ok();
        world.RunFor(5);
        foreach (Machine server in world.Servers)
        {
            server.Start();
        }

        Assert.Equal(Errnos.Ok, world.Client.Fsync(file));
        Assert.Equal("text", world.Fs.ReadText(file));
    }

    [Fact]
    public void AServerThatDoesNotComeBackIsReplacedOnTheOthers()
    {
        var world = new World(servers: 5);
        for (int i = 0; i < 10; i++)
        {
            ulong file = world.Fs.Create(Root, $"f{i}").Ok().Entry.Nodeid;
            world.Fs.Write(file, 0, $"text {i}").Ok();
            Assert.Equal(Errnos.Ok, world.Client.Fsync(file));
        }

        world.Servers[0].Kill();
        world.RunFor(90);
        Assert.Equal(10ul, world.Status().Healthy);
    }

    [Fact]
    public void OfTwoDirectoriesWithOneNumberTheSecondIsRefusedWhileTheFirstIsThere()
    {
        var world = new World(servers: 3);
        ulong file = world.Fs.Create(Root, "file").Ok().Entry.Nodeid;
        world.Fs.Write(file, 0, "text").Ok();
        Assert.Equal(Errnos.Ok, world.Client.Fsync(file));
        Machine second = world.AddServer(serverId: 1);
        world.RunFor(20);
        Assert.InRange(second.Refusals, 1, int.MaxValue);
        Assert.Equal(1ul, world.Status().Healthy);
        Assert.Equal(0, world.Servers[0].Refusals);

        // As after the loss of a disk: the number goes on with another directory, and gets its replica.
        world.Servers[0].Kill();
        world.RunFor(60);
        Assert.Equal(1ul, world.Status().Healthy);
        int refusals = second.Refusals;
        world.Servers[0].Start();
        world.RunFor(20);
        Assert.Equal(refusals, second.Refusals);
        Assert.InRange(world.Servers[0].Refusals, 1, int.MaxValue);
        Assert.Equal("text", world.Fs.ReadText(file));
    }

    [Fact]
    public void AllServersRestartAndNothingIsLost()
    {
        var world = new World(servers: 3);
        ulong file = world.Fs.Create(Root, "file").Ok().Entry.Nodeid;
        world.Fs.Write(file, 0, "text").Ok();
        Assert.Equal(Errnos.Ok, world.Client.Fsync(file));
        world.RestartMetadata();
        foreach (Machine server in world.Servers)
        {
            server.Kill();
            server.Start();
        }

        Assert.Equal("text", world.Fs.ReadText(file));
        world.Fs.Write(file, 4, " and more").Ok();
        Assert.Equal(Errnos.Ok, world.Client.Fsync(file));
        world.RunFor(20);
        Assert.Equal(1ul, world.Status().Healthy);
        Assert.Equal("text and more", world.Fs.ReadText(file));
    }

    private sealed class World
    {
        private readonly SimScheduler _world = new(new SimSchedulerOptions { Seed = 5 });
        private readonly SimNetwork _network;
        private readonly SimulatedLogStorage _log = new();
        private SimProcess _mds;
        private MetadataNode _node = null!;

        public World(int servers)
        {
            _network = new SimNetwork(_world);
            _mds = _world.StartProcess("mds");
            StartMetadata();
            Servers = [.. Enumerable.Range(1, servers).Select(id => new Machine(_world, _network, (ulong)id, (ulong)id))];
            foreach (Machine server in Servers)
            {
                server.Start();
            }

            RunFor(2);
            Client = AddClient();
        }

        public Machine[] Servers { get; }

        public WorldClient Client { get; }

        public FileSystemClient Fs => Client.Fs;

        public void RunFor(int seconds) => _world.RunUntil(_world.NowNanoseconds + (seconds * ClusterWorld.Second));

        public ClusterStatus Status()
        {
            var status = new ClusterStatus { Chunks = (ulong)_node.Server.State.ChunkCount };
            _node.Master.Describe(status);
            return status;
        }

        /// <summary>A chunk server with a directory of its own that is started by the number of another.</summary>
        public Machine AddServer(ulong serverId)
        {
            var server = new Machine(_world, _network, 100 + serverId, serverId);
            server.Start();
            return server;
        }

        public void RestartMetadata()
        {
            _mds = _mds.Restart();
            StartMetadata();
        }

        private void StartMetadata()
        {
            SimLoop loop = _mds.StartLoop("mds");
            var server = new MetadataServerOptions { Limits = new() { ChunkBytes = 1 << 20 } };
            Result<MetadataNode> node = Run(loop, async () => await MetadataNode.Start(
                loop, _network.Attach(_mds, "mds"), new SimulatedLog(loop, _log), new NodeAddress("mds", 7000), server,
                new ChunkMasterOptions { ReserveBytes = 0 }, (ulong)_mds.Incarnation));
            Assert.Equal(Errnos.Ok, node.Error);
            _node = node.Value;
        }

        private WorldClient AddClient()
        {
            SimProcess process = _world.StartProcess("client");
            SimLoop loop = process.StartLoop("client");
            SimHost host = _network.Attach(process, "client");
            var pool = new PayloadPool(64 << 20);
            var client = new ClusterClient(
                loop, host, new ClusterChunkData(loop, host, 42, pool), ClusterWorld.ClientOptions, process.StartLoop("client kernel"), pool);
            Assert.Equal(Errnos.Ok, Run(loop, async () => await client.Open()));
            var fileSystem = new ClusterFileSystem(loop, client);
            IFileSystem pumped = PumpedFileSystem.Of(fileSystem, _world);
            return new WorldClient("client", process, loop, client, pumped, new FileSystemClient(pumped));
        }

        private T Run<T>(SimLoop loop, Func<Task<T>> body)
        {
            Task<T>? task = null;
            loop.Post(_ => task = body(), null);
            _world.RunUntil(() => task is { IsCompleted: true }, "the end of a call", _world.NowNanoseconds + (300 * ClusterWorld.Second));
            return task!.Result;
        }
    }

    /// <summary>A chunk server's host: its disk stays, its processes come and go.</summary>
    private sealed class Machine(SimScheduler world, SimNetwork network, ulong id, ulong serverId)
    {
        private readonly SimDisk _disk = new(world, $"cs{id}");
        private SimProcess? _process;

        /// <summary>How often the metadata server has refused it for another directory.</summary>
        public int Refusals { get; private set; }

        public void Start()
        {
            _process = _process is null ? world.StartProcess($"cs{id}") : _process.Restart();
            SimProcess process = _process;
            SimLoop loop = process.StartLoop($"cs{id}");
            IDisk disk = _disk.Attach(loop);
            var options = new ChunkServerOptions
            {
                ServerId = serverId,
                Identity = 1000 + id,
                OnRefused = error =>
                {
                    Assert.Equal(Errno.ENOTUNIQ, error);
                    Refusals++;
                },
                Listen = new NodeAddress($"cs{id}", 1),
                Metadata = [new NodeAddress("mds", 7000)],
                Incarnation = (ulong)process.Incarnation,
                Store = new ChunkStoreOptions { ChunkBytesMax = 1 << 20, SegmentBytes = 2 << 20, ApplyAtBytes = 64 << 10, PendingBytesMax = 1 << 20, ReserveBytes = 0 },
            };
            loop.Post(
                async _ =>
                {
                    Result<ChunkServer> started = await ChunkServer.Start(loop, network.Attach(process, $"cs{id}"), disk, disk, options);
                    Assert.Equal(Errnos.Ok, started.Error);
                },
                null);
        }

        public void Kill() => _process!.Crash();
    }
}
