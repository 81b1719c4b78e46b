using Harness.Cluster.Chunks;
using Harness.Cluster.Chunks.Client;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Harness.Simulation.Chance;

namespace Harness.Tests.Cluster.Chunks;

/// <summary>Small writes that the tail answers.</summary>
public sealed class TailAnswerTests
{
    private const int Block = 4096;
    private const long Delay = 1_000_000;

    private static SimNetworkOptions SlowNetwork => new() { DelayNanoseconds = Delay, JitterNanoseconds = 0 };

    [Fact]
    public void AWriteIsBackAfterFourMessagesAndNotSix()
    {
        var world = new SimChunkWorld(1, network: SlowNetwork);
        world.Run(async () =>
        {
            await world.StartAll();
            ChunkHandle chunk = await world.Create(7, 0, 1, 2);
            await ConnectToAll(world, chunk);
            long before = world.World.NowNanoseconds;
            Assert.Equal(Errnos.Ok, await world.Client.Write(chunk, 0, ChainTests.Bytes(1, Block)));
            Assert.InRange(world.World.NowNanoseconds - before, 4 * Delay, (5 * Delay) - 1);
            before = world.World.NowNanoseconds;
            Assert.Equal(Errnos.Ok, await world.Client.Write(chunk, 0, ChainTests.Bytes(1, Block), ChunkWriteFlags.Durable));
            Assert.InRange(world.World.NowNanoseconds - before, 6 * Delay, long.MaxValue);
        });
    }

    /// <summary>Whatever the tail has said is on every other replica by then: each of them alone has it after all processes were killed at once.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void EachReplicaHasWhatWasAnsweredAfterAllAreKilledAtThatMoment(ulong seed)
    {
        var world = new SimChunkWorld(seed);
        world.Run(async () =>
        {
            await world.StartAll();
            ChunkHandle chunk = await world.Create(7, 0, 1, 2);
            await ConnectToAll(world, chunk);
            // Whoever is before the tail takes longer to write than two messages take.
            world.Servers[0].Disk.Options.CachedNanoseconds = 10_000_000;
            world.Servers[1].Disk.Options.CachedNanoseconds = 5_000_000;
            byte[] data = ChainTests.Bytes(seed, 8 * Block);
            for (int block = 0; block < 8; block++)
            {
                long before = world.World.NowNanoseconds;
                Assert.Equal(Errnos.Ok, await world.Client.Write(chunk, block * Block, data.AsMemory(block * Block, Block)));
                Assert.InRange(world.World.NowNanoseconds - before, 15_000_000, long.MaxValue);
            }

            foreach (SimChunkServer server in world.Servers)
            {
                server.Kill();
            }

            await world.StartAll();
            foreach (int server in (int[])[0, 1, 2])
            {
                await world.SetChain(chunk, (ulong)server + 2, joins: false, server);
                Assert.Equal(data, await ChainTests.ReadFrom(world, chunk, server, 0, data.Length));
            }
        });
    }

    /// <summary>Found by ./harness check, seed 2382: a small write, which is applied at once, overtook a large one before it.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void SmallAndLargeWritesOfTheSameBlocksAreInTheSameOrderEverywhere(ulong seed)
    {
        var world = new SimChunkWorld(seed);
        var random = new SimRandom(seed);
        world.Run(async () =>
        {
            await world.StartAll();
            ChunkHandle chunk = await world.Create(7, 0, 1, 2);
            await ConnectToAll(world, chunk);
            for (int round = 0; round < 40; round++)
            {
                var writes = new List<Task<Mono.Unix.Native.Errno>>();
                for (int i = 0; i < 6; i++)
                {
                    int bytes = random.Chance(0.5) ? Block : 6 * Block;
                    writes.Add(world.Client.Write(chunk, 0, ChainTests.Bytes((ulong)((round * 10) + i), bytes)).AsTask());
                }

                Assert.All(await Task.WhenAll(writes), error => Assert.Equal(Errnos.Ok, error));
                byte[] head = await ChainTests.ReadFrom(world, chunk, 0, 0, 6 * Block);
                foreach (int server in (int[])[1, 2])
                {
                    byte[] other = await ChainTests.ReadFrom(world, chunk, server, 0, 6 * Block);
                    Assert.True(head.SequenceEqual(other), $"seed {seed}, round {round}: replica {server} differs from the head");
                }
            }
        });
    }

    [Fact]
    public void AWriteWhoseAnswerIsLostWithTheTailsConnectionIsDoneOnceAndAnsweredByTheHead()
    {
        var world = new SimChunkWorld(1, network: SlowNetwork);
        world.Run(async () =>
        {
            await world.StartAll();
            ChunkHandle chunk = await world.Create(7, 0, 1, 2);
            await ConnectToAll(world, chunk);
            byte[] first = ChainTests.Bytes(1, Block);
            byte[] second = ChainTests.Bytes(2, Block);
            world.Network.Cut("client", "cs3");
            Task<Mono.Unix.Native.Errno> write = world.Client.Write(chunk, 0, first).AsTask();
            Assert.Equal(Errnos.Ok, await write);
            world.Network.Heal("client", "cs3");
            Assert.Equal(Errnos.Ok, await world.Client.Write(chunk, 0, second));
            foreach (int server in (int[])[0, 1, 2])
            {
                Assert.Equal(second, await ChainTests.ReadFrom(world, chunk, server, 0, Block));
            }

            Assert.True(world.Client.Retries > 0);
        });
    }

    /// <summary>The first write of a chunk makes the connection to its tail for those after it.</summary>
    private static async Task ConnectToAll(SimChunkWorld world, ChunkHandle chunk)
    {
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(Errnos.Ok, await world.Client.Write(chunk, 0, new byte[Block]));
        }
    }
}
