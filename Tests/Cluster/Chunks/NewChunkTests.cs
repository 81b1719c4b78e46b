using Harness.Cluster.Chunks;
using Harness.Cluster.Chunks.Store;
using Harness.FuseProtocol;

namespace Harness.Tests.Cluster.Chunks;

/// <summary>
/// Many small chunks: a new one has no files before there is something to put in that is not in the journal, and a checkpoint flushes many at once.
/// A failure names its seed, which is the test's argument.
/// </summary>
public sealed class NewChunkTests
{
    private const int Chunks = 120;

    // So small a journal that several checkpoints come in the midst, of more chunks than are flushed one by one, and held open.
    private static readonly ChunkStoreOptions s_options = new() { ChunkBytesMax = 256 << 10, SegmentBytes = 512 << 10, PendingBytesMax = 128 << 10, OpenChunksMax = 8 };

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
        var world = new StoreWorld(seed, s_options);
        var must = new Dictionary<ulong, byte[]>();
        var may = new Dictionary<ulong, byte[]>();
        world.OnStore(store => Work(world, store, must, may));
        world.EndLife(power);
        if (!power)
        {
            foreach ((ulong id, byte[] bytes) in may)
            {
                must[id] = bytes;
            }
        }

        world.OnStore(async store =>
        {
            foreach ((ulong id, byte[] bytes) in must)
            {
                Assert.Equal(bytes, await StoreWorld.ReadBlock(store, id, 0));
            }

            foreach ((ulong id, byte[] bytes) in may)
            {
                // Not synced: it is there, or empty, or not at all.
                byte[]? found = await StoreWorld.ReadBlock(store, id, 0);
                Assert.True(found is null || found.AsSpan().IndexOfAnyExcept((byte)0) < 0 || found.AsSpan().SequenceEqual(bytes), $"chunk {id} is neither old nor new");
            }
        });
    }

    [Fact]
    public void AChunkThatIsRemovedBeforeACheckpointIsNeverAFile()
    {
        var world = new StoreWorld(1, s_options);
        world.OnStore(async store =>
        {
            await Write(world, store, 1, 1000, 7);
            Assert.DoesNotContain(world.Disk.Files, static name => name.StartsWith("chunks/", StringComparison.Ordinal));
            Assert.Equal(Errnos.Ok, await store.Delete(new ChunkId(1)));
            Assert.Equal(Errnos.Ok, await store.Checkpoint());
            Assert.DoesNotContain(world.Disk.Files, static name => name.StartsWith("chunks/", StringComparison.Ordinal));
        });
        world.EndLife(power: false);
        world.OnStore(async store => Assert.Null(await StoreWorld.ReadBlock(store, 1, 0)));
        Assert.DoesNotContain(world.Disk.Files, static name => name.EndsWith(OwnFiles.SumsSuffix, StringComparison.Ordinal));
    }

    private static async Task Work(StoreWorld world, ChunkStore store, Dictionary<ulong, byte[]> must, Dictionary<ulong, byte[]> may)
    {
        for (ulong id = 1; id <= Chunks; id++)
        {
            // Some large enough to go straight to their file.
            int length = world.Random.Chance(0.3) ? 64 << 10 : 1 + world.Random.Next(4000);
            byte[] block = await Write(world, store, id, length, world.Random.Next(250) + 1);
            if (world.Random.Chance(0.4))
            {
                Assert.Equal(Errnos.Ok, await store.Sync((await store.Get(new ChunkId(id))).Value));
                must[id] = block;
            }
            else if (world.Random.Chance(0.2))
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
    private static async Task<byte[]> Write(StoreWorld world, ChunkStore store, ulong id, int length, int value)
    {
        Assert.Equal(Errnos.Ok, await store.Create(new ChunkId(id), 1));
        await world.Write(store, (await store.Get(new ChunkId(id))).Value, new BlockStamp(1, 1), 0, length, (byte)value);
        var block = new byte[BlockSum.BlockBytes];
        block.AsSpan(0, Math.Min(length, block.Length)).Fill((byte)value);
        return block;
    }
}
