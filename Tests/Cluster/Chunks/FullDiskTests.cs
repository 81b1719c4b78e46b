using Harness.Cluster.Chunks;
using Harness.Cluster.Chunks.Store;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Tests.Cluster.Chunks;

/// <summary>
/// A store whose disk has no room, or no inodes, for what is in the journal already: nothing new is taken in, nothing is lost, and it goes on by itself
/// when there is room.
/// </summary>
public sealed class FullDiskTests
{
    private const int BlockBytes = BlockSum.BlockBytes;
    private const int ChunkBlocks = 3;

    private static readonly ChunkStoreOptions s_options = new()
    {
        ChunkBytesMax = 1 << 20,
        SegmentBytes = 512 << 10,
        ApplyAtBytes = 16 << 10,
        PendingBytesMax = 256 << 10,
        SlotBlocks = [1],
        ReserveBytes = 0,
        ReserveFiles = 0,
    };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WithoutRoomItTakesInNothingNewAndGoesOnWhenThereAreSome(bool bytes)
    {
        var world = new StoreWorld(1, s_options);
        ulong made = 0;
        world.OnStore(async store =>
        {
            made = await FillUp(world, store, bytes);
            Assert.Equal(Errno.ENOSPC, await store.Create(new ChunkId(1000), 1));
            Assert.False(store.HasRoom(BlockBytes));
            Assert.Equal(0, store.Space().Value.FreeBytes);
            await CheckAll(store, made);

            MakeRoom(world);
            await world.Wait(5);
            Assert.False(store.IsFull);
            Assert.Equal(Errnos.Ok, store.Failure);
            await Make(world, store, ++made);
            Assert.Equal(Errnos.Ok, await store.Checkpoint());
            await CheckAll(store, made);
        });
        world.EndLife(power: true);
        world.OnStore(store => CheckAll(store, made));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void WhatWasSyncedIsThereAfterACrashOnAFullDisk(bool bytes, bool power)
    {
        var world = new StoreWorld(2, s_options);
        ulong made = 0;
        world.OnStore(async store =>
        {
            made = await FillUp(world, store, bytes);
            for (ulong id = 1; id <= made; id++)
            {
                Assert.Equal(Errnos.Ok, await store.Sync((await store.Get(new ChunkId(id))).Value));
            }
        });
        world.EndLife(power);
        MakeRoom(world);
        world.OnStore(store => CheckAll(store, made));
    }

    [Fact]
    public void WhileTheJournalIsFullTooChunksCanBeRemovedAndThatMakesRoom()
    {
        var world = new StoreWorld(3, s_options);
        world.OnStore(async store =>
        {
            ulong made = await FillUp(world, store, bytes: false);
            StoredChunk last = (await store.Get(new ChunkId(made))).Value;
            ulong sequence = 2;
            while (await world.TryWrite(store, last, new BlockStamp(1, sequence), 0, ChunkBlocks * BlockBytes, 9) == Errnos.Ok)
            {
                Assert.InRange(++sequence, 0ul, 1_000ul);
            }

            for (ulong id = 1; id <= 4; id++)
            {
                Assert.Equal(Errnos.Ok, await store.Delete(new ChunkId(id)));
            }

            await world.Wait(5);
            Assert.False(store.IsFull);
            await world.Write(store, last, new BlockStamp(1, sequence), 0, ChunkBlocks * BlockBytes, 7);
            Assert.Equal(7, (await StoreWorld.ReadBlock(store, made, 0))![0]);
            Assert.Equal(5, (await StoreWorld.ReadBlock(store, 5, 0))![0]);
        });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ALargeWriteThatWasTakenInGoesToTheJournalWhereNoFileCanBeWritten(bool bytes)
    {
        var world = new StoreWorld(6, s_options);
        world.OnStore(async store =>
        {
            Assert.Equal(Errnos.Ok, await store.Create(new ChunkId(1), 1));
            StoredChunk chunk = (await store.Get(new ChunkId(1))).Value;
            world.Disk.Options.FilesMax = bytes ? int.MaxValue : world.Disk.Files.Count;
            world.Disk.Options.CapacityBytes = bytes ? world.Disk.BytesUsed + (2 * BlockBytes) : 1L << 40;
            await world.Write(store, chunk, new BlockStamp(1, 1), 0, 64 << 10, 8);
            Assert.True(store.IsFull);
            Assert.Equal(8, (await StoreWorld.ReadBlock(store, 1, 15))![0]);
        });
        world.EndLife(power: false);
        MakeRoom(world);
        world.OnStore(async store => Assert.Equal(8, (await StoreWorld.ReadBlock(store, 1, 15))![0]));
    }

    [Fact]
    public void NewChunksLeaveInodesForThoseThatAreInTheJournal()
    {
        var world = new StoreWorld(4, s_options with { ReserveFiles = 20 });
        world.OnStore(async store =>
        {
            world.Disk.Options.FilesMax = world.Disk.Files.Count + 24;
            ulong made = 0;
            while (await store.Create(new ChunkId(made + 1), 1) == Errnos.Ok)
            {
                await Fill(world, store, ++made);
                Assert.Equal(Errnos.Ok, await store.Checkpoint());
                await world.Wait(1);
            }

            Assert.InRange(made, 2ul, 4ul);
            Assert.False(store.IsFull);
            await CheckAll(store, made);
        });
    }

    [Fact]
    public void AChunkThatCannotGrowStaysWhereItWasUntilItCan()
    {
        var world = new StoreWorld(5, s_options);
        world.OnStore(async store =>
        {
            Assert.Equal(Errnos.Ok, await store.Create(new ChunkId(1), 1));
            StoredChunk chunk = (await store.Get(new ChunkId(1))).Value;
            await world.Write(store, chunk, new BlockStamp(1, 1), 0, BlockBytes, 1);
            Assert.Equal(Errnos.Ok, await store.Checkpoint());
            var slot = Assert.IsType<Slot>(chunk.Home);
            world.Disk.Options.FilesMax = world.Disk.Files.Count + 1;
            int files = world.Disk.Files.Count;
            await world.Write(store, chunk, new BlockStamp(1, 2), BlockBytes, BlockBytes, 2);
            Assert.Equal(Errno.ENOSPC, await store.Checkpoint());
            Assert.Same(slot, chunk.Home);
            Assert.Equal(files, world.Disk.Files.Count);
            MakeRoom(world);
            await world.Wait(5);
            Assert.IsType<OwnFiles>(chunk.Home);
            Assert.Equal(1, (await StoreWorld.ReadBlock(store, 1, 0))![0]);
            Assert.Equal(2, (await StoreWorld.ReadBlock(store, 1, 1))![0]);
        });
        world.EndLife(power: false);
        world.OnStore(async store =>
        {
            Assert.Equal(1, (await StoreWorld.ReadBlock(store, 1, 0))![0]);
            Assert.Equal(2, (await StoreWorld.ReadBlock(store, 1, 1))![0]);
        });
    }

    /// <summary>Makes chunks until the disk has no room for one in the journal.</summary>
    /// <returns>How many there are, from 1 on; the bytes of each are its number.</returns>
    private static async Task<ulong> FillUp(StoreWorld world, ChunkStore store, bool bytes)
    {
        if (bytes)
        {
            world.Disk.Options.CapacityBytes = world.Disk.BytesUsed + (50 * BlockBytes);
        }
        else
        {
            world.Disk.Options.FilesMax = world.Disk.Files.Count + 9;
        }

        ulong made = 0;
        while (!store.IsFull)
        {
            // The room that is left is asked for once in a while alone, so it is known here before each.
            await world.Wait(1);
            if (store.IsFull || (bytes && !store.HasRoom(0)))
            {
                break;
            }

            Assert.InRange(made, 0ul, 100ul);
            await Make(world, store, ++made);
        }

        await world.Wait(1);
        if (!store.IsFull)
        {
            Assert.Equal(Errno.ENOSPC, await store.Checkpoint());
        }

        Assert.True(store.IsFull);
        Assert.Equal(Errnos.Ok, store.Failure);
        return made;
    }

    private static void MakeRoom(StoreWorld world) => (world.Disk.Options.FilesMax, world.Disk.Options.CapacityBytes) = (int.MaxValue, 1L << 40);

    private static async Task Make(StoreWorld world, ChunkStore store, ulong id)
    {
        Assert.Equal(Errnos.Ok, await store.Create(new ChunkId(id), 1));
        await Fill(world, store, id);
    }

    private static async Task Fill(StoreWorld world, ChunkStore store, ulong id) =>
        await world.Write(store, (await store.Get(new ChunkId(id))).Value, new BlockStamp(1, 1), 0, ChunkBlocks * BlockBytes, (byte)id);

    private static async Task CheckAll(ChunkStore store, ulong made)
    {
        for (ulong id = 1; id <= made; id++)
        {
            Assert.Equal((byte)id, (await StoreWorld.ReadBlock(store, id, ChunkBlocks - 1))![0]);
        }
    }
}
