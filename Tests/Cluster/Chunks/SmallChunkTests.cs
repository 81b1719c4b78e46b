using Harness.Cluster.Chunks;
using Harness.Cluster.Chunks.Store;
using Harness.FuseProtocol;

namespace Harness.Tests.Cluster.Chunks;

/// <summary>
/// Small chunks in slots: they grow from one size to the next and out of them, go, and come back under the same name. A failure names its seed,
/// which is the test's argument.
/// </summary>
public sealed class SmallChunkTests
{
    private const int Names = 24;
    private const int BlockBytes = BlockSum.BlockBytes;
    private const int Blocks = 32;
    private const int Lives = 4;

    private static readonly ChunkStoreOptions s_options = new()
    {
        ChunkBytesMax = Blocks * BlockBytes,
        SegmentBytes = 256 << 10,
        ApplyAtBytes = 32 << 10,
        PendingBytesMax = 96 << 10,
        OpenChunksMax = 4,
        SlotBlocks = [1, 3, 6],
    };

    public static TheoryData<ulong, bool> Seeds()
    {
        var data = new TheoryData<ulong, bool>();
        for (ulong seed = 1; seed <= 60; seed++)
        {
            data.Add(seed, seed % 2 == 0);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void ThroughCrashesEachBlockIsOldOrNewAndWhatWasSyncedIsThere(ulong seed, bool power)
    {
        var world = new StoreWorld(seed, s_options);
        var chunks = new Dictionary<ulong, ExpectedChunk>();
        for (int life = 0; life < Lives; life++)
        {
            string when = $"seed {seed}, {(power ? "power" : "kill -9")}, life {life}";
            world.OnStore(async store =>
            {
                await Check(store, chunks, when);
                await Work(world, store, chunks, power);
            });
            world.EndLife(power);
        }

        world.OnStore(store => Check(store, chunks, $"seed {seed}, at the end"));
    }

    [Fact]
    public void ManySmallChunksAreFewFilesWhoseSpaceComesBack()
    {
        var world = new StoreWorld(7, s_options with { SegmentBytes = 1 << 20 });
        world.OnStore(async store =>
        {
            for (ulong id = 1; id <= 300; id++)
            {
                await Make(world, store, id);
            }

            Assert.Equal(Errnos.Ok, await store.Checkpoint());
            Assert.Equal(2, ChunkFiles());
            long used = world.Disk.BytesUsed;
            for (ulong id = 1; id <= 300; id++)
            {
                Assert.Equal(Errnos.Ok, await store.Delete(new ChunkId(id)));
            }

            Assert.Equal(Errnos.Ok, await store.Checkpoint());
            Assert.InRange(world.Disk.BytesUsed, 0, used - (300 * BlockBytes));
            await Make(world, store, 1000);
            Assert.Equal(Errnos.Ok, await store.Checkpoint());
            Assert.Equal(2, ChunkFiles());
        });

        int ChunkFiles() => world.Disk.Files.Count(static name => name.StartsWith("chunks/", StringComparison.Ordinal));
    }

    [Fact]
    public void AChunkThatGrowsOutOfItsSlotLeavesItToAnother()
    {
        var world = new StoreWorld(8, s_options);
        world.OnStore(async store =>
        {
            await Make(world, store, 1);
            Assert.Equal(Errnos.Ok, await store.Checkpoint());
            StoredChunk chunk = (await store.Get(new ChunkId(1))).Value;
            var slot = Assert.IsType<Slot>(chunk.Home);
            await world.Write(store, chunk, new BlockStamp(1, 2), 7 * BlockBytes, BlockBytes, 9);
            Assert.Equal(Errnos.Ok, await store.Checkpoint());
            Assert.IsType<OwnFiles>(chunk.Home);
            Assert.Equal(1, (await StoreWorld.ReadBlock(store, 1, 0))![0]);
            Assert.Equal(9, (await StoreWorld.ReadBlock(store, 1, 7))![0]);
            await Make(world, store, 2);
            Assert.Equal(Errnos.Ok, await store.Checkpoint());
            Assert.Equal(slot.Index, Assert.IsType<Slot>((await store.Get(new ChunkId(2))).Value.Home).Index);
        });
    }

    [Fact]
    public void ALargeWriteBehindASmallOneIsThereAfterKill9()
    {
        var world = new StoreWorld(9, s_options with { ChunkBytesMax = 1 << 20, ApplyAtBytes = 4 << 10 });
        world.OnStore(async store =>
        {
            await Make(world, store, 1);
            Assert.Equal(Errnos.Ok, await store.Checkpoint());
            StoredChunk chunk = (await store.Get(new ChunkId(1))).Value;
            // The first takes the chunk out of its slot, through the journal; the second goes straight to its file. No checkpoint comes behind.
            await world.Write(store, chunk, new BlockStamp(1, 2), 64 << 10, 16 << 10, 2);
            for (ulong other = 2; chunk.Home is Slot; other++)
            {
                await Make(world, store, other);
            }

            await world.Write(store, chunk, new BlockStamp(1, 3), 128 << 10, 64 << 10, 3);
            Assert.Equal(1, chunk.StraightWrites);
        });
        world.EndLife(power: false);
        world.OnStore(async store =>
        {
            foreach ((int block, byte value) in new[] { (0, (byte)1), (16, (byte)2), (19, (byte)2), (32, (byte)3), (47, (byte)3), (48, (byte)0) })
            {
                Assert.Equal(value, (await StoreWorld.ReadBlock(store, 1, block))![0]);
            }
        });
    }

    private static async Task Make(StoreWorld world, ChunkStore store, ulong id)
    {
        Assert.Equal(Errnos.Ok, await store.Create(new ChunkId(id), 1));
        await world.Write(store, (await store.Get(new ChunkId(id))).Value, new BlockStamp(1, 1), 0, 1000, 1);
    }

    private static async Task Work(StoreWorld world, ChunkStore store, Dictionary<ulong, ExpectedChunk> chunks, bool power)
    {
        int steps = 40 + world.Random.Next(160);
        for (int i = 0; i < steps; i++)
        {
            var id = new ChunkId(1 + (ulong)world.Random.Next(Names));
            if (!chunks.TryGetValue(id.Value, out ExpectedChunk? expected))
            {
                Assert.Equal(Errnos.Ok, await store.Create(id, 1));
                chunks[id.Value] = expected = new ExpectedChunk(mayBeAbsent: power);
            }

            StoredChunk chunk = (await store.Get(id)).Value;
            double dice = world.Random.NextDouble();
            if (dice < 0.08)
            {
                Assert.Equal(Errnos.Ok, await store.Delete(id));
                // Until it is synced that it is gone, it may come back; under a name of its own, so that nothing else is expected of it.
                Assert.Equal(Errnos.Ok, await store.Create(id, 1));
                StoredChunk again = (await store.Get(id)).Value;
                await world.Write(store, again, new BlockStamp(1, 1), 0, 1, 0);
                Assert.Equal(Errnos.Ok, await store.Sync(again));
                chunks[id.Value] = new ExpectedChunk(mayBeAbsent: false);
            }
            else if (dice < 0.2)
            {
                Assert.Equal(Errnos.Ok, await store.Sync(chunk));
                expected.Sync();
            }
            else
            {
                // Most are of one block or some, few of many: each slot is grown out of now and then.
                int first = world.Random.Next(1 << world.Random.Next(6));
                int count = 1 + world.Random.Next(world.Random.Chance(0.1) ? Blocks - first : Math.Min(2, Blocks - first));
                byte value = (byte)(1 + world.Random.Next(255));
                await world.Write(store, chunk, new BlockStamp(1, chunk.Sequence + 1), first * BlockBytes, count * BlockBytes, value);
                expected.Write(first, count, value, survives: !power);
            }
        }
    }

    private static async Task Check(ChunkStore store, Dictionary<ulong, ExpectedChunk> chunks, string when)
    {
        foreach ((ulong id, ExpectedChunk expected) in chunks.ToArray())
        {
            for (int block = 0; block < Blocks; block++)
            {
                byte[]? found = await StoreWorld.ReadBlock(store, id, block);
                if (found is null)
                {
                    Assert.True(expected.MayBeAbsent, $"{when}: chunk {id} is gone");
                    chunks.Remove(id);
                    break;
                }

                Assert.True(found.All(one => one == found[0]) && expected.Allows(block, found[0]), $"{when}: block {block} of chunk {id} is {found[0]}");
                expected.Settle(block, found[0]);
            }
        }

        Assert.Equal(chunks.Keys.Order(), store.Chunks.Select(static chunk => chunk.Id.Value).Order());
        foreach (ulong id in chunks.Keys)
        {
            Assert.Equal(Errnos.Ok, await store.Sync((await store.Get(new ChunkId(id))).Value));
            chunks[id].Sync();
        }
    }

    /// <summary>Of each block everything that it may be after a crash, the newest last.</summary>
    private sealed class ExpectedChunk(bool mayBeAbsent)
    {
        private readonly List<byte>[] _blocks = [.. Enumerable.Range(0, Blocks).Select(static _ => new List<byte> { 0 })];

        /// <summary>Whether nothing of it was synced, nor survives otherwise.</summary>
        public bool MayBeAbsent { get; private set; } = mayBeAbsent;

        public bool Allows(int block, byte value) => _blocks[block].Contains(value);

        public void Settle(int block, byte value) => _blocks[block] = [value];

        public void Write(int first, int count, byte value, bool survives)
        {
            for (int block = first; block < first + count; block++)
            {
                if (survives)
                {
                    _blocks[block].Clear();
                }

                _blocks[block].Add(value);
            }
        }

        public void Sync()
        {
            MayBeAbsent = false;
            foreach (List<byte> block in _blocks)
            {
                block.RemoveRange(0, block.Count - 1);
            }
        }
    }
}
