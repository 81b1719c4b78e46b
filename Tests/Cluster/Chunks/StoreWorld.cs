using Harness.Cluster;
using Harness.Cluster.Chunks;
using Harness.Cluster.Chunks.Store;
using Harness.Cluster.Disk;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Harness.Simulation.Chance;
using Harness.Simulation.Scheduling;
using Mono.Unix.Native;

namespace Harness.Tests.Cluster.Chunks;

/// <summary>One chunk store on a simulated disk, through lives that end as with kill -9 or with the power.</summary>
internal sealed class StoreWorld
{
    private const long LimitNanoseconds = 100_000_000_000;

    private readonly SimScheduler _world;
    private readonly ChunkStoreOptions _options;
    private readonly PayloadPool _pool = new(16 << 20);
    private SimProcess _process;
    private SimLoop? _loop;

    public StoreWorld(ulong seed, ChunkStoreOptions options)
    {
        _world = new SimScheduler(new SimSchedulerOptions { Seed = seed });
        _options = options;
        Disk = new SimDisk(_world, "disk");
        Random = new SimRandom(seed).Split("work");
        _process = _world.StartProcess("cs");
    }

    /// <summary>The disk.</summary>
    public SimDisk Disk { get; }

    /// <summary>Chance.</summary>
    public SimRandom Random { get; }

    /// <summary>Opens the store and does something with it; what it leaves under way goes on until <see cref="EndLife"/>.</summary>
    public void OnStore(Func<ChunkStore, Task> body)
    {
        SimLoop loop = _loop = _process.StartLoop("cs");
        Task? done = null;
        loop.Post(_ => done = Run(), null);
        _world.RunUntil(() => done is { IsCompleted: true }, "the store's work", _world.NowNanoseconds + LimitNanoseconds);
        Assert.True(done!.IsCompletedSuccessfully, done.Exception?.ToString());

        async Task Run()
        {
            IDisk view = Disk.Attach(loop);
            Result<ChunkStore> store = await ChunkStore.Open(loop, view, view, _pool, _options);
            Assert.Equal(Errnos.Ok, store.Error);
            await body(store.Value);
        }
    }

    /// <summary>The process ends at once, and with it, if it is so, the power.</summary>
    public void EndLife(bool power)
    {
        _process = _process.Restart();
        if (power)
        {
            Disk.PowerLoss();
        }
    }

    /// <summary>Writes one value over part of a chunk.</summary>
    public async Task Write(ChunkStore store, StoredChunk chunk, BlockStamp stamp, int offset, int length, byte value) =>
        Assert.Equal(Errnos.Ok, await TryWrite(store, chunk, stamp, offset, length, value));

    /// <summary>Writes one value over part of a chunk, if the store can.</summary>
    public async Task<Errno> TryWrite(ChunkStore store, StoredChunk chunk, BlockStamp stamp, int offset, int length, byte value)
    {
        PayloadBuffer data = _pool.TryRent(length)!;
        data.Memory.Span.Fill(value);
        var sums = new uint[JournalRecord.BlocksMax];
        int whole = (offset | length) % BlockSum.BlockBytes == 0 ? length / BlockSum.BlockBytes : 0;
        if (whole > 0)
        {
            BlockSums.Compute(data.Memory.Span, sums);
        }

        Errno error = await store.Write(chunk, stamp, default, offset, data, sums.AsMemory(0, whole));
        data.Release();
        return error;
    }

    /// <summary>Lets time pass, within <see cref="OnStore"/>.</summary>
    public Task Wait(int seconds) => LoopYield.Delay(_loop!, seconds * 1_000_000_000L);

    /// <summary>Reads a block.</summary>
    /// <returns>Null if there is no such chunk.</returns>
    public static async Task<byte[]?> ReadBlock(ChunkStore store, ulong id, int block)
    {
        Result<StoredChunk> chunk = await store.Get(new ChunkId(id));
        if (!chunk.IsOk)
        {
            Assert.Equal(Errno.ENOENT, chunk.Error);
            return null;
        }

        var bytes = new byte[BlockSum.BlockBytes];
        Assert.Equal(Errnos.Ok, await store.ReadBlocks(chunk.Value, block, bytes, default));
        return bytes;
    }
}
