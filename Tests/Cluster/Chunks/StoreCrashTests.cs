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
/// What a store promises after a crash, on a simulated disk: what was synced is there, of the rest each block is old or new, and nothing is
/// silently wrong. A failure names its seed, which is the test's argument.
/// </summary>
public sealed class StoreCrashTests
{
    private const int ChunkBytes = 512 << 10;
    private const int BlockBytes = 4096;

    public static TheoryData<ulong, bool> Seeds()
    {
        var data = new TheoryData<ulong, bool>();
        for (ulong seed = 1; seed <= 40; seed++)
        {
            data.Add(seed, seed % 2 == 0);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void AfterACrashWhatWasSyncedIsThereAndTheRestIsOldOrNewPerBlock(ulong seed, bool power)
    {
        int violations = Run(seed, power, PlantedFaults.None, out string story);
        Assert.True(violations == 0, $"seed {seed}, {(power ? "power cut" : "kill -9")}: {story}");
    }

    [Theory]
    [InlineData("journal backwards")]
    [InlineData("last record dropped")]
    public void APlantedBugOfRecoveryIsFound(string which)
    {
        PlantedFaults faults = which == "journal backwards" ? new PlantedFaults { ReplaysBackwards = true } : new PlantedFaults { DropsLastRecord = true };
        Assert.Contains(Enumerable.Range(1, 30), seed => Run((ulong)seed, power: false, faults, out _) > 0);
    }

    private static int Run(ulong seed, bool power, PlantedFaults faults, out string story)
    {
        var world = new SimScheduler(new SimSchedulerOptions { Seed = seed });
        var disk = new SimDisk(world, "disk");
        var random = new SimRandom(seed).Split("work");
        // Of each block everything that it may be after a crash, the newest last.
        List<byte[]>[] blocks = [.. Enumerable.Range(0, ChunkBytes / BlockBytes).Select(_ => new List<byte[]> { new byte[BlockBytes] })];
        var found = new List<string>();
        SimProcess process = world.StartProcess("cs");
        for (int life = 0; life < 3; life++)
        {
            SimLoop loop = process.StartLoop("cs");
            bool finished = false;
            loop.Post(
                async _ =>
                {
                    ChunkStore store = await Open(loop, disk, faults, seed);
                    await Check(store, blocks, found, $"life {life}");
                    await Work(store, random, blocks, power);
                    finished = true;
                },
                null);
            world.RunUntil(() => finished, "the store's work", world.NowNanoseconds + 100_000_000_000);
            process = process.Restart();
            if (power)
            {
                disk.PowerLoss();
            }
        }

        story = string.Join("; ", found.Take(5));
        return found.Count;
    }

    private static async Task<ChunkStore> Open(SimLoop loop, SimDisk disk, PlantedFaults faults, ulong seed)
    {
        var options = new ChunkStoreOptions
        {
            ChunkBytesMax = ChunkBytes,
            SegmentBytes = 1 << 20,
            ApplyAtBytes = 32 << 10,
            PendingBytesMax = 256 << 10,
            StraightBytesMin = seed % 3 == 0 ? 8 << 10 : 64 << 10,
        };
        IDisk view = disk.Attach(loop);
        Result<ChunkStore> store = await ChunkStore.Open(loop, view, view, new PayloadPool(16 << 20), options, faults);
        Assert.Equal(Errnos.Ok, store.Error);
        if (!store.Value.Chunks.Any())
        {
            Assert.Equal(Errnos.Ok, await store.Value.Create(new ChunkId(1), 1));
            Assert.Equal(Errnos.Ok, await store.Value.Sync((await store.Value.Get(new ChunkId(1))).Value));
        }

        return store.Value;
    }

    private static async Task Check(ChunkStore store, List<byte[]>[] blocks, List<string> found, string when)
    {
        StoredChunk chunk = (await store.Get(new ChunkId(1))).Value;
        var bytes = new byte[BlockBytes];
        for (int block = 0; block < blocks.Length; block++)
        {
            Errno error = await store.ReadBlocks(chunk, block, bytes, default);
            List<byte[]> allowed = blocks[block];
            if (error != Errnos.Ok || !allowed.Any(one => one.AsSpan().SequenceEqual(bytes)))
            {
                found.Add($"{when}: block {block} is {(error != Errnos.Ok ? error : "none of what was written")}");
            }

            // Whatever it is now, it stays.
            blocks[block] = [[.. bytes]];
        }

        Assert.Equal(Errnos.Ok, await store.Sync(chunk));
    }

    private static async Task Work(ChunkStore store, SimRandom random, List<byte[]>[] blocks, bool power)
    {
        StoredChunk chunk = (await store.Get(new ChunkId(1))).Value;
        ulong sequence = chunk.Sequence;
        var pool = new PayloadPool(16 << 20);
        int steps = 20 + random.Next(100);
        for (int i = 0; i < steps; i++)
        {
            var stamp = new BlockStamp(1, ++sequence);
            int offset = random.Next(ChunkBytes);
            int length = 1 + random.Next(Math.Min(ChunkBytes - offset, 1 << random.Next(18)));
            if (random.Chance(0.6))
            {
                (offset, length) = (offset & ~(BlockBytes - 1), Math.Min((length + BlockBytes - 1) & ~(BlockBytes - 1), ChunkBytes - (offset & ~(BlockBytes - 1))));
            }

            if (random.Chance(0.15))
            {
                Assert.Equal(Errnos.Ok, await store.Punch(chunk, stamp, default, offset, length));
                Note(blocks, offset, new byte[length], power);
            }
            else if (random.Chance(0.1))
            {
                Assert.Equal(Errnos.Ok, await store.Sync(chunk));
                foreach (List<byte[]> block in blocks)
                {
                    block.RemoveRange(0, block.Count - 1);
                }
            }
            else
            {
                PayloadBuffer data = pool.TryRent(length)!;
                random.NextBytes(data.Memory.Span);
                var sums = new uint[JournalRecord.BlocksMax];
                if ((offset | length) % BlockBytes == 0)
                {
                    BlockSums.Compute(data.Memory.Span, sums);
                }

                int whole = (offset | length) % BlockBytes == 0 ? length / BlockBytes : 0;
                Assert.Equal(Errnos.Ok, await store.Write(chunk, stamp, default, offset, data, sums.AsMemory(0, whole)));
                Note(blocks, offset, data.Memory.ToArray(), power);
                data.Release();
            }
        }
    }

    private static void Note(List<byte[]>[] blocks, int offset, byte[] data, bool power)
    {
        for (int done = 0; done < data.Length;)
        {
            int block = (offset + done) / BlockBytes;
            int within = (offset + done) % BlockBytes;
            int count = Math.Min(BlockBytes - within, data.Length - done);
            byte[] next = [.. blocks[block][^1]];
            data.AsSpan(done, count).CopyTo(next.AsSpan(within));
            if (!power)
            {
                // What was acknowledged survives the process without a sync.
                blocks[block].Clear();
            }

            blocks[block].Add(next);
            done += count;
        }
    }
}
