using Harness.Cluster.Chunks;
using Harness.Cluster.Chunks.Client;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Harness.Simulation.Chance;
using Mono.Unix.Native;

namespace Harness.Tests.Cluster.Chunks;

/// <summary>A replica that comes back while writes go on.</summary>
public sealed class JoiningReplicaTests
{
    private const int ChunkBytes = 256 << 10;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void WritesAndPunchesOfPartsOfBlocksReachAReplicaThatIsCatchingUp(ulong seed)
    {
        var world = new SimChunkWorld(seed);
        var random = new SimRandom(seed);
        var model = new byte[ChunkBytes];
        world.Run(async () =>
        {
            await world.StartAll();
            ChunkHandle chunk = await world.Create(7, 0, 1, 2);
            await Change(world, chunk, random, model, 30);
            world.Servers[2].Kill();
            await world.SetChain(chunk, 2, joins: false, 0, 1);
            await Change(world, chunk, random, model, 10);
            await world.Servers[2].Start();
            // The predecessor is slow to do itself what it has sent on.
            world.Servers[1].Disk.Options.CachedNanoseconds = 3_000_000;
            await world.SetChain(chunk, 3, joins: true, 0, 1, 2);
            Task changes = Change(world, chunk, random, model, 25);
            RpcReply caughtUp = await world.Tell(2, ChunkKind.CatchUp, new ChunkRequest { Chunk = 7, Version = 3 });
            Assert.Equal(Errnos.Ok, caughtUp.Status);
            await world.SetChain(chunk, 4, joins: false, 0, 1, 2);
            await changes;
            for (int server = 0; server < 3; server++)
            {
                byte[] replica = await ChainTests.ReadFrom(world, chunk, server, 0, ChunkBytes);
                int differs = model.AsSpan().CommonPrefixLength(replica);
                Assert.True(differs == ChunkBytes, $"seed {seed}: replica {server} differs at byte {differs}");
            }
        });
    }

    [Fact]
    public void AMutationThatWasDoneBeforeAReplicaJoinedIsNotDoneAgainByIt()
    {
        var world = new SimChunkWorld(1);
        world.Run(async () =>
        {
            await world.StartAll();
            ChunkHandle chunk = await world.Create(7, 0, 1, 2);
            world.Servers[2].Kill();
            await world.SetChain(chunk, 2, joins: false, 0, 1);
            (ChunkRequest write, byte[] old) = Mutation(version: 2);
            Assert.Equal(Errnos.Ok, (await world.Tell(0, ChunkKind.Write, write, old)).Status);
            byte[] fresh = ChainTests.Bytes(2, 4096);
            Assert.Equal(Errnos.Ok, await world.Client.Write(chunk, 0, fresh));
            await world.Servers[2].Start();
            await world.Join(chunk, 3, 0, 1, 2);
            world.Servers[0].Kill();
            world.Servers[1].Kill();
            await world.SetChain(chunk, 5, joins: false, 2);
            write.Version = 5;
            Assert.Equal(Errnos.Ok, (await world.Tell(2, ChunkKind.Write, write, old)).Status);
            Assert.Equal(fresh, await ChainTests.ReadFrom(world, chunk, 2, 0, 4096));
        });
    }

    [Fact]
    public void AMutationThatAReplicaHasGivenUpIsDoneWhenItIsSentAgain()
    {
        var world = new SimChunkWorld(1);
        world.Run(async () =>
        {
            await world.StartAll();
            ChunkHandle chunk = await world.Create(7, 0, 1, 2);
            world.Network.Cut("cs1", "cs2");
            (ChunkRequest write, byte[] data) = Mutation(version: 1);
            Task<RpcReply> first = world.Tell(0, ChunkKind.Write, write, data);
            await global::Harness.Cluster.LoopYield.Delay(world.ClientLoop, SimChunkWorld.Second);
            await world.SetChain(chunk, 2, joins: false, 1, 2);
            world.Network.Heal();
            await world.Join(chunk, 3, 1, 2, 0);
            Assert.Equal(Errno.ESTALE, (await first).Status);
            world.Servers[1].Kill();
            world.Servers[2].Kill();
            await world.SetChain(chunk, 5, joins: false, 0);
            write.Version = 5;
            Assert.Equal(Errnos.Ok, (await world.Tell(0, ChunkKind.Write, write, data)).Status);
            Assert.Equal(data, await ChainTests.ReadFrom(world, chunk, 0, 0, 4096));
        });
    }

    [Fact]
    public void AMutationIsRememberedThroughSeveralRestarts()
    {
        var world = new SimChunkWorld(1);
        world.Run(async () =>
        {
            await world.StartAll();
            ChunkHandle chunk = await world.Create(7, 0);
            (ChunkRequest write, byte[] old) = Mutation(version: 1);
            Assert.Equal(Errnos.Ok, (await world.Tell(0, ChunkKind.Write, write, old)).Status);
            byte[] fresh = ChainTests.Bytes(2, 4096);
            Assert.Equal(Errnos.Ok, await world.Client.Write(chunk, 0, fresh));
            for (ulong version = 2; version < 5; version++)
            {
                world.Servers[0].Kill();
                await world.Servers[0].Start();
                await world.SetChain(chunk, version, joins: false, 0);
                write.Version = version;
                Assert.Equal(Errnos.Ok, (await world.Tell(0, ChunkKind.Write, write, old)).Status);
                Assert.Equal(fresh, await ChainTests.ReadFrom(world, chunk, 0, 0, 4096));
            }
        });
    }

    private static (ChunkRequest Request, byte[] Data) Mutation(ulong version)
    {
        byte[] data = ChainTests.Bytes(1, 4096);
        return (new ChunkRequest { Chunk = 7, Version = version, Client = 5, Mutation = 1, DoneBelow = 1, Length = 4096, Crc = Crc32C.Compute(data) }, data);
    }

    private static async Task Change(SimChunkWorld world, ChunkHandle chunk, SimRandom random, byte[] model, int times)
    {
        for (int i = 0; i < times; i++)
        {
            int offset = random.Next(ChunkBytes);
            int length = 1 + random.Next(Math.Min(ChunkBytes - offset, 1 << random.Next(17)));
            if (random.Chance(0.4))
            {
                Assert.Equal(Errnos.Ok, await world.Client.Punch(chunk, offset, length));
                model.AsSpan(offset, length).Clear();
            }
            else
            {
                byte[] data = ChainTests.Bytes(random.NextBits(), length);
                Assert.Equal(Errnos.Ok, await world.Client.Write(chunk, offset, data));
                data.CopyTo(model, offset);
            }
        }
    }
}
