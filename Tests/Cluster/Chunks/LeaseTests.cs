using Harness.Cluster.Chunks;
using Harness.Cluster.Chunks.Server;
using Harness.Cluster.Disk;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Harness.Simulation.Scheduling;
using Mono.Unix.Native;

namespace Harness.Tests.Cluster.Chunks;

/// <summary>A chunk server and its lease.</summary>
public sealed class LeaseTests
{
    private const long Second = 1_000_000_000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AServerWhoseLeaseIsGoneAnswersNobodyUntilItIsToldOfItsChainAgain(bool planted)
    {
        var world = new SimScheduler(new SimSchedulerOptions { Seed = 1 });
        var network = new SimNetwork(world);
        SimProcess mds = world.StartProcess("mds");
        var metadata = new Grantor(mds.StartLoop("mds"), network.Attach(mds, "mds"));
        SimProcess process = world.StartProcess("cs");
        SimLoop loop = process.StartLoop("cs");
        IDisk disk = new SimDisk(world, "cs").Attach(loop);
        var options = new ChunkServerOptions { ServerId = 1, Listen = new NodeAddress("cs", 1), Metadata = [metadata.Address] };
        SimHost host = network.Attach(process, "cs");
        ChunkServer? server = null;
        var faults = new PlantedFaults { ServesAfterLease = planted };
        loop.Post(async _ => server = (await ChunkServer.Start(loop, host, disk, disk, options, faults)).Value, null);
        world.RunUntil(() => metadata.Registrations == 1, "registration", 10 * Second);
        Assert.Equal(Errnos.Ok, metadata.Ask(world, ChunkKind.Create, null));
        var chain = new Chain(1, [new ChainMember(1, server!.Address)]);
        Assert.Equal(Errnos.Ok, metadata.Ask(world, ChunkKind.SetChain, chain.ToPayload()));
        Assert.Equal(Errnos.Ok, metadata.Ask(world, ChunkKind.Read, null));

        // Heartbeats no longer reach the metadata server; its own messages still reach the chunk server.
        network.CutOneWay("cs", "mds");
        world.RunUntil(world.NowNanoseconds + (4 * Second));
        Assert.Equal(planted, server.HasLease);
        network.Heal();
        world.RunUntil(() => metadata.Registrations >= 2, "registration", world.NowNanoseconds + (30 * Second));
        world.RunUntil(world.NowNanoseconds + Second);
        Assert.Equal(planted ? Errnos.Ok : Errno.ESTALE, metadata.Ask(world, ChunkKind.Read, null));
        Assert.Equal(Errnos.Ok, metadata.Ask(world, ChunkKind.SetChain, (chain with { Version = 2 }).ToPayload(), version: 2));
        Assert.Equal(Errnos.Ok, metadata.Ask(world, ChunkKind.Read, null, version: 2));
    }

    /// <summary>Grants leases of two seconds to whoever registers.</summary>
    private sealed class Grantor : IRpcHandler
    {
        private readonly SimLoop _loop;
        private RpcPeer? _peer;

        public Grantor(SimLoop loop, SimHost host)
        {
            _loop = loop;
            Address = new NodeAddress("mds", 1);
            var pool = new PayloadPool(1 << 20);
            Assert.True(host.Listen(loop, Address, connection => _ = new RpcPeer(loop, connection, Hello.Of(NodeRole.Metadata, 1, 1), this, pool)).IsOk);
        }

        public NodeAddress Address { get; }

        public int Registrations { get; private set; }

        public void OnRequest(RpcRequest request)
        {
            if (request.Header.Kind == ChunkKind.Register)
            {
                Registrations++;
                _peer = request.Peer;
            }

            request.Reply(new LeaseReply { LeaseNanoseconds = (ulong)(2 * Second) });
        }

        public void OnDisconnected(RpcPeer peer, string reason)
        {
        }

        public Errno Ask(SimScheduler world, ushort kind, byte[]? payload, ulong version = 1)
        {
            RpcReply? reply = null;
            var message = new ChunkRequest { Chunk = 9, Version = version, Length = 4096 };
            _loop.Post(async _ => reply = await _peer!.Call(kind, message, new Payload(payload), default, 5 * Second), null);
            world.RunUntil(() => reply is not null, "an answer", world.NowNanoseconds + (10 * Second));
            return reply!.Value.Status;
        }
    }
}
