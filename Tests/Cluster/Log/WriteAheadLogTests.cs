using Harness.Cluster.Disk;
using Harness.Cluster.Log;
using Harness.FuseProtocol;
using Harness.Simulation.Scheduling;
using Harness.Tests.Experiments.Backends;
using Mono.Unix.Native;

namespace Harness.Tests.Cluster.Log;

public sealed class WriteAheadLogTests
{
    private const long Second = 1_000_000_000;

    [Fact]
    public void WhatWasAppendedIsReadBackInOrder()
    {
        var world = new LogWorld(1);
        world.Append(1, 50, durable: false);
        world.Crash(powerCut: false);
        Assert.Equal(Enumerable.Range(1, 50), world.Open().Batches);
    }

    [Fact]
    public void APowerCutTakesOnlyWhatWasNotFlushedAndLeavesABeginning() => RandomRun.WithSeed(seed =>
    {
        for (ulong i = 0; i < 20; i++)
        {
            var world = new LogWorld(seed + i);
            world.Append(1, 20, durable: true);
            world.Append(21, 40, durable: false);
            world.Crash(powerCut: true);
            List<int> left = world.Open().Batches;
            Assert.InRange(left.Count, 20, 40);
            Assert.Equal(Enumerable.Range(1, left.Count), left);

            // It goes on where it was cut off.
            world.Append(left.Count + 1, 50, durable: true);
            world.Crash(powerCut: true);
            Assert.Equal(Enumerable.Range(1, 50), world.Open().Batches);
        }
    });

    [Fact]
    public void ASnapshotReplacesWhatCameBeforeIt() => RandomRun.WithSeed(seed =>
    {
        var world = new LogWorld(seed);
        world.Append(1, 30, durable: false);
        world.Snapshot(30, "state at 30");
        world.Append(31, 40, durable: true);
        Assert.Equal(2, world.Disk.Files.Count);
        world.Crash(powerCut: true);
        Reader read = world.Open();
        Assert.Equal(["state at 30"], read.Snapshot);
        Assert.Equal(Enumerable.Range(31, 10), read.Batches);
    });

    [Fact]
    public void WhatWasWrittenAheadIsNoPartOfTheLog()
    {
        var world = new LogWorld(2);
        world.Append(1, 10, durable: true);
        world.Run(async () => await world.Log.BeginSnapshot(10).Flush());
        world.Append(11, 20, durable: true);
        world.Crash(powerCut: false);
        Assert.Equal(Enumerable.Range(1, 20), world.Open().Batches);
        Assert.Equal(0, world.Log.BytesCutOff);
        world.Append(21, 30, durable: true);
        world.Crash(powerCut: true);
        Assert.Equal(Enumerable.Range(1, 30), world.Open().Batches);
    }

    [Fact]
    public void ADamagedByteInTheMidstOfAnOlderSegmentIsRefused()
    {
        var world = new LogWorld(3);
        world.Append(1, 10, durable: true);
        world.Run(async () => await world.Log.BeginSnapshot(10).Flush());
        world.Append(11, 20, durable: true);
        world.Damage("log-0000000000000001", 40);
        world.Crash(powerCut: false);
        Assert.Equal(Errno.EBADMSG, world.TryOpen(out _));
    }

    private sealed class Reader : ILogReader
    {
        public List<string> Snapshot { get; } = [];

        public List<int> Batches { get; } = [];

        public void OnSnapshot(ReadOnlySpan<byte> record) => Snapshot.Add(System.Text.Encoding.UTF8.GetString(record));

        public void OnBatch(ulong index, ReadOnlySpan<byte> batch)
        {
            Assert.Equal((int)index, BitConverter.ToInt32(batch));
            Batches.Add((int)index);
        }
    }

    private sealed class LogWorld
    {
        private readonly SimScheduler _world;
        private SimProcess _process;
        private SimLoop _loop = null!;

        public LogWorld(ulong seed)
        {
            _world = new SimScheduler(new SimSchedulerOptions { Seed = seed });
            Disk = new SimDisk(_world, "log");
            _process = _world.StartProcess("mds");
            Begin();
            Open();
        }

        public SimDisk Disk { get; }

        public WriteAheadLog Log { get; private set; } = null!;

        public void Append(int first, int last, bool durable) => Run(async () =>
        {
            for (int i = first; i <= last; i++)
            {
                Assert.Equal(Errnos.Ok, await Log.Append(BitConverter.GetBytes(i), durable));
            }

            return Errnos.Ok;
        });

        public void Snapshot(ulong index, string state) => Run(async () =>
        {
            ISnapshotSink sink = Log.BeginSnapshot(index);
            sink.Add(System.Text.Encoding.UTF8.GetBytes(state));
            return await sink.Complete();
        });

        public void Damage(string name, long offset) => Run(async () =>
        {
            Result<IDiskFile> file = await Disk.Attach(_loop).Open(name, OpenMode.Existing);
            return await file.Value.Write(offset, new byte[] { 0xFF, 0xFF, 0xFF, 0xFF });
        });

        public void Crash(bool powerCut)
        {
            _process.Crash();
            if (powerCut)
            {
                Disk.PowerLoss();
            }

            _process = _process.Restart();
            Begin();
        }

        public Reader Open()
        {
            Assert.Equal(Errnos.Ok, TryOpen(out Reader reader));
            return reader;
        }

        public Errno TryOpen(out Reader reader)
        {
            var made = new Reader();
            reader = made;
            return Run(async () => await Log.Open(made));
        }

        public Errno Run(Func<Task<Errno>> body)
        {
            Task<Errno>? task = null;
            _loop.Post(_ => task = body(), null);
            _world.RunUntil(() => task is { IsCompleted: true }, "the log", _world.NowNanoseconds + (100 * Second));
            return task!.Result;
        }

        private void Begin()
        {
            _loop = _process.StartLoop("mds");
            Log = new WriteAheadLog(Disk.Attach(_loop));
        }
    }
}
