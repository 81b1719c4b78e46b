using Harness.Cluster.Chunks;
using Harness.Cluster.Chunks.Client;
using Harness.Cluster.Disk;
using Harness.FuseProtocol;
using Harness.Runtime;

namespace Harness.Tests.Cluster.Chunks;

/// <summary>Writes that say how they are to be carried out.</summary>
public sealed class DurableWriteTests
{
    private const int Blocks = 12;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void ADurableWriteAndAllThatWasAnsweredBeforeItSurviveAPowerCutOfAllServers(ulong seed)
    {
        var world = new SimChunkWorld(seed);
        world.Run(async () =>
        {
            await world.StartAll();
            ChunkHandle chunk = await world.Create(7, 0, 1, 2);
            byte[] data = ChainTests.Bytes(seed, Blocks * 4096);
            for (int block = 0; block < Blocks; block++)
            {
                ChunkWriteFlags flags = block == Blocks - 1 ? ChunkWriteFlags.Durable : ChunkWriteFlags.None;
                Assert.Equal(Errnos.Ok, await world.Client.Write(chunk, block * 4096, data.AsMemory(block * 4096, 4096), flags));
            }

            foreach (SimChunkServer server in world.Servers)
            {
                server.PowerLoss();
            }

            await world.StartAll();
            foreach (int server in (int[])[0, 1, 2])
            {
                await world.SetChain(chunk, (ulong)server + 2, joins: false, server);
                Assert.Equal(data, await ChainTests.ReadFrom(world, chunk, server, 0, data.Length));
            }
        });
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void ADurableWriteThatHadToBeSentAgainIsDurableToo(ulong seed)
    {
        var world = new SimChunkWorld(seed);
        world.Run(async () =>
        {
            await world.StartAll();
            ChunkHandle chunk = await world.Create(7, 0, 1, 2);
            Assert.Equal(Errnos.Ok, await world.Client.Write(chunk, 0, new byte[4096]));
            byte[] data = ChainTests.Bytes(seed, Blocks * 4096);
            world.Network.Options.ResetChance = 0.05;
            for (int block = 0; block < Blocks; block++)
            {
                Assert.Equal(Errnos.Ok, await world.Client.Write(chunk, block * 4096, data.AsMemory(block * 4096, 4096), ChunkWriteFlags.Durable));
            }

            world.Network.Options.ResetChance = 0;
            foreach (SimChunkServer server in world.Servers)
            {
                server.PowerLoss();
            }

            await world.StartAll();
            await world.SetChain(chunk, 2, joins: false, 2);
            Assert.Equal(data, await ChainTests.ReadFrom(world, chunk, 2, 0, data.Length));
        });
    }

    [Fact]
    public async Task WhatIsWrittenUncachedIsReadBackWherePagesAreSharedWithOthers()
    {
        string root = Directory.CreateTempSubdirectory("harness-disk").FullName;
        try
        {
            using var loop = new EventLoop("test");
            using var workers = new DiskWorkers(1);
            var done = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
            byte[] data = ChainTests.Bytes(9, 300_001);
            global::Harness.Cluster.Net.Loops.OnLoop(loop, async () =>
            {
                var disk = new RealDisk(loop, root, workers);
                using IDiskFile file = (await disk.Open("file", OpenMode.CreateNew)).Value;
                Assert.Equal(Errnos.Ok, await file.Write(0, data.AsMemory(0, 1000)));
                Assert.Equal(Errnos.Ok, await file.WriteUncached(1000, data.AsMemory(1000, 200_000)));
                Assert.Equal(Errnos.Ok, await file.Write(201_000, data.AsMemory(201_000)));
                Assert.Equal(Errnos.Ok, await file.Sync());
                var read = new byte[data.Length];
                Assert.Equal(read.Length, (await file.Read(0, read)).Value);
                done.SetResult(read);
            });
            Assert.Equal(data, await done.Task.WaitAsync(TimeSpan.FromSeconds(60)));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }
}
