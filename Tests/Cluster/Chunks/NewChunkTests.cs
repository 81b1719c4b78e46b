using Harness.Cluster.Chunks;
using Harness.Cluster.Chunks.Store;
using Harness.Cluster.Disk;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Harness.Simulation.Chance;
using Harness.Simulation.Scheduling;
using Mono.Unix.Native;

namespace Harness.Tests.Cluster.Chunks;

/// <summary>
/// Many small chunks: a new one has no files before there is something to put in that is not in the journal, and a checkpoint flushes many at once.
/// A failure names its seed, which is the test's argument.
/// </summary>
public sealed class NewChunkTests
{
    private const int Chunks = 120;
    private const int ChunkBytes = 256 << 10;

    public static TheoryData<ulong, bool> Seeds()
    {
        var data = new TheoryData<ulong, bool>();
        for (ulong seed = 1; seed <= 16; seed++)
        {
            data.Add(seed, seed % 2 == 0);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void OfManyNewChunksEachIsThereThatWasSyncedAndAfterKill9All(ulong seed, bool power)
    {
        var world = new SimScheduler(new SimSchedulerOptions { Seed = seed });
        var disk = new SimDisk(world, "disk");
        var random = new SimRandom(seed).Split("work");
        var must = new Dictionary<ulong, byte[]>();
        var may = new Dictionary<ulong, byte[]>();
        SimProcess process = world.StartProcess("cs");
        OnStore(world, process, disk, async store => await Work(store, random, must, may));
        process = process.Restart();
        if (power)
        {
            disk.PowerLoss();
        }
        else
        {
            foreach ((ulong id, byte[] bytes) in may)
            {
                must[id] = bytes;
            }
        }

        OnStore(world, process, disk, async store =>
        {
            foreach ((ulong id, byte[] bytes) in must)
            {
                Assert.Equal(bytes, await ReadBlock(store, id));
            }

            foreach ((ulong id, byte[] bytes) in may)
            {
                // Not synced: it is there, or empty, or not at all.
                byte[]? found = await ReadBlock(store, id);
                Assert.True(found is null || found.AsSpan().IndexOfAnyExcept((byte)0) < 0 || found.AsSpan().SequenceEqual(bytes), $"chunk {id} is neither old nor new");
            }
        });
    }

    [Fact]
    public void AChunkThatIsRemovedBeforeACheckpointIsNeverAFile()
    {
        var world = new SimScheduler(new SimSchedulerOptions { Seed = 1 });
        var disk = new SimDisk(world, "disk");
        SimProcess process = world.StartProcess("cs");
        OnStore(world, process, disk, async store =>
        {
            await Write(store, 1, 1000, 7);
            Assert.DoesNotContain(disk.Files, static name => name.StartsWith("chunks/", StringComparison.Ordinal));
            Assert.Equal(Errnos.Ok, await store.Delete(new ChunkId(1)));
            Assert.Equal(Errnos.Ok, await store.Checkpoint());
            Assert.DoesNotContain(disk.Files, static name => name.StartsWith("chunks/", StringComparison.Ordinal));
        });
        process = process.Restart();
        OnStore(world, process, disk, async store => Assert.Null(await ReadBlock(store, 1)));
        Assert.DoesNotContain(disk.Files, static name => name.StartsWith("chunks/", StringComparison.Ordinal));
    }

    private static async Task Work(ChunkStore store, SimRandom random, Dictionary<ulong, byte[]> must, Dictionary<ulong, byte[]> may)
    {
        for (ulong id = 1; id <= Chunks; id++)
        {
            // Some large enough to go straight to their file.
            int length = random.Chance(0.3) ? 64 << 10 : 1 + random.Next(4000);
            byte[] block = await Write(store, id, length, random.Next(250) + 1);
            if (random.Chance(0.4))
            {
                Assert.Equal(Errnos.Ok, await store.Sync((await store.Get(new ChunkId(id))).Value));
                must[id] = block;
            }
            else if (random.Chance(0.2))
            {
                Assert.Equal(Errnos.Ok, await store.Delete(new ChunkId(id)));
            }
            else
            {
                may[id] = block;
            }
        }
    }

    /// <summary>Makes a chunk and writes so many bytes to its beginning; returns its first block.</summary>
    private static async Task<byte[]> Write(ChunkStore store, ulong id, int length, int value)
    {
        Assert.Equal(Errnos.Ok, await store.Create(new ChunkId(id), 1));
        StoredChunk chunk = (await store.Get(new ChunkId(id))).Value;
        PayloadBuffer data = new PayloadPool(1 << 20).TryRent(length)!;
        data.Memory.Span.Fill((byte)value);
        var sums = new uint[JournalRecord.BlocksMax];
        int whole = length % BlockSum.BlockBytes == 0 ? length / BlockSum.BlockBytes : 0;
        if (whole > 0)
        {
            BlockSums.Compute(data.Memory.Span, sums);
        }

        Assert.Equal(Errnos.Ok, await store.Write(chunk, new BlockStamp(1, 1), default, 0, data, sums.AsMemory(0, whole)));
        data.Release();
        var block = new byte[BlockSum.BlockBytes];
        block.AsSpan(0, Math.Min(length, block.Length)).Fill((byte)value);
        return block;
    }

    private static async Task<byte[]?> ReadBlock(ChunkStore store, ulong id)
    {
        Result<StoredChunk> chunk = await store.Get(new ChunkId(id));
        if (!chunk.IsOk)
        {
            Assert.Equal(Errno.ENOENT, chunk.Error);
            return null;
        }

        var block = new byte[BlockSum.BlockBytes];
        Assert.Equal(Errnos.Ok, await store.ReadBlocks(chunk.Value, 0, block, default));
        return block;
    }

    private static void OnStore(SimScheduler world, SimProcess process, SimDisk disk, Func<ChunkStore, Task> body)
    {
        SimLoop loop = process.StartLoop("cs");
        Task? done = null;
        loop.Post(_ => done = Run(), null);
        world.RunUntil(() => done is { IsCompleted: true }, "the store's work", world.NowNanoseconds + 100_000_000_000);
        Assert.True(done!.IsCompletedSuccessfully, done.Exception?.ToString());

        async Task Run()
        {
            // So small a journal that several checkpoints come in the midst, of more chunks than are flushed one by one, and held open.
            var options = new ChunkStoreOptions { ChunkBytesMax = ChunkBytes, SegmentBytes = 512 << 10, PendingBytesMax = 128 << 10, OpenChunksMax = 8 };
            IDisk view = disk.Attach(loop);
            Result<ChunkStore> store = await ChunkStore.Open(loop, view, view, new PayloadPool(16 << 20), options);
            Assert.Equal(Errnos.Ok, store.Error);
            await body(store.Value);
        }
    }
}
