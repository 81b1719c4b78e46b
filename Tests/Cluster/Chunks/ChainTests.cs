using Harness.Cluster;
using Harness.Cluster.Chunks;
using Harness.Cluster.Chunks.Client;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Harness.Simulation.Chance;
using Mono.Unix.Native;

namespace Harness.Tests.Cluster.Chunks;

/// <summary>Chains of replicas, in virtual time.</summary>
public sealed class ChainTests
{
    [Fact]
    public void WhatIsWrittenIsReadFromEveryReplica()
    {
        var world = new SimChunkWorld(1);
        world.Run(async () =>
        {
            await world.StartAll();
            ChunkHandle chunk = await world.Create(7, 0, 1, 2);
            byte[] data = Bytes(1, 300_000);
            Assert.Equal(Errnos.Ok, await world.Client.Write(chunk, 4096, data));
            foreach (int server in (int[])[0, 1, 2])
            {
                Assert.Equal(data, await ReadFrom(world, chunk, server, 4096, data.Length));
            }
        });
    }

    [Fact]
    public void AMutationThatComesBehindItsRetryAndTheNextOneIsNotCarriedOut()
    {
        var world = new SimChunkWorld(1);
        world.Run(async () =>
        {
            await world.StartAll();
            ChunkHandle chunk = await world.Create(7, 0, 1, 2);
            SimNetworkOptions network = world.Network.Options;

            // The first is held up in the network, and its connection breaks: it is done by another, and comes again when the next has been done too.
            network.LossChance = 1;
            Task<Errno> first = world.Client.Write(chunk, 0, Bytes(1, 4096)).AsTask();
            await LoopYield.Delay(world.ClientLoop, 1_000_000);
            (network.LossChance, network.ResetChance) = (0, 1);
            Task<Errno> beside = world.Client.Write(chunk, 8192, Bytes(2, 4096)).AsTask();
            await LoopYield.Delay(world.ClientLoop, 500_000);
            network.ResetChance = 0;
            Assert.Equal((Errnos.Ok, Errnos.Ok), (await first, await beside));
            byte[] data = Bytes(3, 4096);
            Assert.Equal(Errnos.Ok, await world.Client.Write(chunk, 0, data));
            Assert.True(world.World.NowNanoseconds < network.RetransmitNanoseconds);
            await LoopYield.Delay(world.ClientLoop, 2 * network.RetransmitNanoseconds);
            foreach (int server in (int[])[0, 1, 2])
            {
                Assert.Equal(data, await ReadFrom(world, chunk, server, 0, data.Length));
            }
        });
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void RandomWritesPunchesAndReadsMatchAModelOverABadNetwork(ulong seed)
    {
        var world = new SimChunkWorld(seed);
        var random = new SimRandom(seed);
        var model = new byte[1 << 20];
        world.Run(async () =>
        {
            await world.StartAll();
            ChunkHandle chunk = await world.Create(7, 0, 1, 2);
            SimNetworkOptions network = world.Network.Options;
            (network.DuplicateChance, network.ReorderChance, network.LossChance, network.ResetChance) = (0.02, 0.02, 0.002, 0.002);
            for (int i = 0; i < 150; i++)
            {
                int offset = random.Next(model.Length);
                int length = 1 + random.Next(Math.Min(model.Length - offset, 1 << random.Next(18)));
                if (random.Chance(0.5))
                {
                    (offset, length) = (offset & ~4095, Math.Min((length + 4095) & ~4095, model.Length - (offset & ~4095)));
                }

                if (random.Chance(0.15))
                {
                    Assert.Equal(Errnos.Ok, await world.Client.Punch(chunk, offset, length));
                    model.AsSpan(offset, length).Clear();
                }
                else if (random.Chance(0.5))
                {
                    byte[] data = Bytes((ulong)i + (seed * 1000), length);
                    Assert.Equal(Errnos.Ok, await world.Client.Write(chunk, offset, data));
                    data.CopyTo(model, offset);
                }
                else
                {
                    var read = new byte[length];
                    Assert.Equal(Errnos.Ok, await world.Client.Read(chunk, offset, read));
                    Assert.True(model.AsSpan(offset, length).SequenceEqual(read), $"seed {seed}, step {i}: bytes {offset}+{length} differ");
                }
            }

            (network.DuplicateChance, network.ReorderChance, network.LossChance, network.ResetChance) = (0, 0, 0, 0);
            foreach (int server in (int[])[0, 1, 2])
            {
                byte[] replica = await ReadFrom(world, chunk, server, 0, model.Length);
                Assert.True(model.AsSpan().SequenceEqual(replica), $"seed {seed}: replica {server} differs");
            }
        });
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void ALostServerCostsNoAcknowledgedWriteAndCatchesUpWhenItReturns(int lost)
    {
        var world = new SimChunkWorld((ulong)(10 + lost));
        int[] rest = [.. Enumerable.Range(0, 3).Where(i => i != lost)];
        world.Run(async () =>
        {
            await world.StartAll();
            ChunkHandle chunk = await world.Create(7, 0, 1, 2);
            byte[] first = Bytes(1, 200_000);
            Assert.Equal(Errnos.Ok, await world.Client.Write(chunk, 100, first));
            world.Servers[lost].Kill();
            byte[] second = Bytes(2, 50_000);
            Task<Errno> during = world.Client.Write(chunk, 300_001, second).AsTask();
            await global::Harness.Cluster.LoopYield.Delay(world.ClientLoop, SimChunkWorld.Second);
            Assert.False(during.IsCompleted, "a write was acknowledged although a member of its chain was dead");
            await world.SetChain(chunk, 2, joins: false, rest);
            Assert.Equal(Errnos.Ok, await during);
            byte[] third = Bytes(3, 4096);
            Assert.Equal(Errnos.Ok, await world.Client.Write(chunk, 8192, third));

            await world.Servers[lost].Start();
            Task<Errno> beside = world.Client.Write(chunk, 500_000, second).AsTask();
            await world.Join(chunk, 3, [.. rest, lost]);
            Assert.Equal(Errnos.Ok, await beside);
            byte[] expected = new byte[1 << 20];
            first.CopyTo(expected, 100);
            second.CopyTo(expected, 300_001);
            third.CopyTo(expected, 8192);
            second.CopyTo(expected, 500_000);
            for (int server = 0; server < 3; server++)
            {
                byte[] replica = await ReadFrom(world, chunk, server, 0, expected.Length);
                Assert.True(expected.AsSpan().SequenceEqual(replica), $"replica {server} differs");
            }
        });
    }

    [Fact]
    public void ARequestOfAnOldVersionIsRefused()
    {
        var world = new SimChunkWorld(1);
        world.Run(async () =>
        {
            await world.StartAll();
            ChunkHandle chunk = await world.Create(7, 0, 1, 2);
            await world.SetChain(chunk, 2, joins: false, 0, 1);
            RpcReply reply = await world.Tell(0, ChunkKind.Read, new ChunkRequest { Chunk = 7, Version = 1, Length = 4096 });
            Assert.Equal(Errno.ESTALE, reply.Status);
            reply = await world.Tell(0, ChunkKind.Read, new ChunkRequest { Chunk = 7, Version = 2, Length = 4096 });
            Assert.Equal(Errnos.Ok, reply.Status);
        });
    }

    [Fact]
    public void AMutationThatIsSentAgainIsNotCarriedOutAgain()
    {
        var world = new SimChunkWorld(1);
        world.Run(async () =>
        {
            await world.StartAll();
            ChunkHandle chunk = await world.Create(7, 0, 1, 2);
            byte[] old = Bytes(1, 4096);
            var write = new ChunkRequest { Chunk = 7, Version = 1, Client = 5, Mutation = 1, DoneBelow = 1, Length = 4096, Crc = Crc32C.Compute(old) };
            Assert.Equal(Errnos.Ok, (await world.Tell(0, ChunkKind.Write, write, old)).Status);
            byte[] fresh = Bytes(2, 4096);
            Assert.Equal(Errnos.Ok, await world.Client.Write(chunk, 0, fresh));
            Assert.Equal(Errnos.Ok, (await world.Tell(0, ChunkKind.Write, write, old)).Status);
            Assert.Equal(fresh, await ReadFrom(world, chunk, 2, 0, 4096));

            // The next head knows it too, and so does a server that was killed and has replayed its journal.
            world.Servers[0].Kill();
            await world.SetChain(chunk, 2, joins: false, 1, 2);
            write.Version = 2;
            Assert.Equal(Errnos.Ok, (await world.Tell(1, ChunkKind.Write, write, old)).Status);
            world.Servers[1].Kill();
            await world.Servers[1].Start();
            await world.SetChain(chunk, 3, joins: false, 1, 2);
            write.Version = 3;
            Assert.Equal(Errnos.Ok, (await world.Tell(1, ChunkKind.Write, write, old)).Status);
            Assert.Equal(fresh, await ReadFrom(world, chunk, 1, 0, 4096));
        });
    }

    [Fact]
    public void ABlockThatHasRottedIsRepairedFromAnotherReplicaWhenItIsRead()
    {
        var world = new SimChunkWorld(3);
        world.Run(async () =>
        {
            await world.StartAll();
            ChunkHandle chunk = await world.Create(7, 0, 1, 2);
            byte[] data = Bytes(1, 65_536);
            Assert.Equal(Errnos.Ok, await world.Client.Write(chunk, 0, data));
            var rotten = new TaskCompletionSource();
            world.Servers[1].Loop.Post(
                async _ =>
                {
                    await world.Servers[1].Server!.Store.Checkpoint();
                    Assert.True(world.Servers[1].Disk.Rot("chunks/slots-28.data", 5000, 3));
                    rotten.SetResult();
                },
                null);
            await rotten.Task;
            Assert.Equal(data, await ReadFrom(world, chunk, 1, 0, data.Length));
            RpcReply scrub = await world.Tell(1, ChunkKind.Scrub, new ChunkRequest { Chunk = 7 });
            Assert.Equal((16u, 0u), (scrub.Read<ScrubReply>().Blocks, scrub.Read<ScrubReply>().Damaged));
        });
    }

    [Fact]
    public void TheSameSeedGivesTheSameTrace()
    {
        Assert.Equal(Trace(), Trace());

        static ulong Trace()
        {
            var world = new SimChunkWorld(5);
            world.Run(async () =>
            {
                await world.StartAll();
                ChunkHandle chunk = await world.Create(7, 0, 1, 2);
                for (int i = 0; i < 20; i++)
                {
                    Assert.Equal(Errnos.Ok, await world.Client.Write(chunk, i * 5000, Bytes((ulong)i, 6000)));
                }
            });
            return world.World.TraceHash;
        }
    }

    internal static byte[] Bytes(ulong seed, int length)
    {
        var bytes = new byte[length];
        new SimRandom(seed).NextBytes(bytes);
        return bytes;
    }

    internal static async Task<byte[]> ReadFrom(SimChunkWorld world, ChunkHandle chunk, int server, int offset, int length)
    {
        var all = new byte[length];
        ulong version = world.Servers[server].Server!.Store.Chunks.Single(summary => summary.Id == chunk.Id).Version;
        for (int done = 0; done < length; done += 65_536)
        {
            int count = Math.Min(65_536, length - done);
            var message = new ChunkRequest { Chunk = chunk.Id.Value, Version = version, Offset = (ulong)(offset + done), Length = (uint)count };
            RpcReply reply = await world.Tell(server, ChunkKind.Read, message);
            Assert.Equal(Errnos.Ok, reply.Status);
            reply.Buffer!.Memory.CopyTo(all.AsMemory(done));
            reply.Buffer.Release();
        }

        return all;
    }
}
