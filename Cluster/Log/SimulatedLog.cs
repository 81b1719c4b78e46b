using Harness.FuseProtocol;
using Harness.Runtime;
using Harness.Simulation.Chance;
using Mono.Unix.Native;

namespace Harness.Cluster.Log;

/// <summary>How fast a <see cref="SimulatedLog"/> is.</summary>
internal sealed record SimulatedLogOptions
{
    /// <summary>From a batch's hand-over until it is written (default 10 µs).</summary>
    public long WriteNanoseconds { get; init; } = 10_000;

    /// <summary>A flush (default 75 µs, the median of an SSD with a write cache that survives a power cut).</summary>
    public long SyncNanoseconds { get; init; } = 75_000;
}

/// <summary>What a simulated log keeps when its writer crashes: the disk behind it.</summary>
internal sealed class SimulatedLogStorage
{
    /// <summary>The records of the newest complete snapshot.</summary>
    public List<byte[]> Snapshot { get; set; } = [];

    /// <summary>The last batch that the snapshot contains.</summary>
    public ulong SnapshotIndex { get; set; }

    /// <summary>The batches behind the snapshot.</summary>
    public List<byte[]> Batches { get; } = [];

    /// <summary>How many of <see cref="Batches"/> outlive a power cut.</summary>
    public int Durable { get; set; }

    /// <summary>Counts the writers: an earlier one is deposed and gets ESTALE.</summary>
    public int Writer { get; set; }

    /// <summary>A power cut: of what was not flushed, a beginning of random length is left.</summary>
    public void LosePower(SimRandom random)
    {
        int kept = Durable + random.Next(Batches.Count - Durable + 1);
        Batches.RemoveRange(kept, Batches.Count - kept);
        Durable = Batches.Count;
    }
}

/// <summary>The simulated side of <see cref="IMetadataLog"/>: linearizable, with delays, deposed writers and power cuts.</summary>
internal sealed class SimulatedLog : IMetadataLog
{
    private readonly ILoop _loop;
    private readonly SimulatedLogStorage _storage;
    private readonly SimulatedLogOptions _options;
    private readonly int _writer;
    private long _busyUntil;

    /// <summary>The log on a storage; whoever had it open before is deposed.</summary>
    public SimulatedLog(ILoop loop, SimulatedLogStorage storage, SimulatedLogOptions? options = null)
    {
        (_loop, _storage, _options) = (loop, storage, options ?? new SimulatedLogOptions());
        _writer = ++storage.Writer;
    }

    /// <inheritdoc/>
    public ulong LastIndex => _storage.SnapshotIndex + (ulong)_storage.Batches.Count;

    /// <inheritdoc/>
    public ValueTask<Errno> Open(ILogReader reader)
    {
        foreach (byte[] record in _storage.Snapshot)
        {
            reader.OnSnapshot(record);
        }

        for (int i = 0; i < _storage.Batches.Count; i++)
        {
            reader.OnBatch(_storage.SnapshotIndex + (ulong)i + 1, _storage.Batches[i]);
        }

        return new(Errnos.Ok);
    }

    /// <inheritdoc/>
    public ValueTask<Errno> Append(ReadOnlyMemory<byte> batch, bool durable)
    {
        if (_writer != _storage.Writer)
        {
            return new(Errno.ESTALE);
        }

        byte[] copy = batch.ToArray();
        var done = new TaskCompletionSource<Errno>();
        _busyUntil = Math.Max(_busyUntil, _loop.NowNanoseconds) + _options.WriteNanoseconds;
        _loop.PostAt(_busyUntil, _ => Written(copy, done, durable), null);
        return new(done.Task);
    }

    /// <inheritdoc/>
    public ValueTask<Errno> Sync()
    {
        var done = new TaskCompletionSource<Errno>();
        _loop.PostAt(Math.Max(_busyUntil, _loop.NowNanoseconds), _ => Flush(done), null);
        return new(done.Task);
    }

    /// <inheritdoc/>
    public ISnapshotSink BeginSnapshot(ulong index) => new Sink(this, index);

    private void Written(byte[] batch, TaskCompletionSource<Errno> done, bool durable)
    {
        if (_writer != _storage.Writer)
        {
            done.SetResult(Errno.ESTALE);
            return;
        }

        _storage.Batches.Add(batch);
        if (durable)
        {
            Flush(done);
        }
        else
        {
            done.SetResult(Errnos.Ok);
        }
    }

    private void Flush(TaskCompletionSource<Errno> done)
    {
        ulong covered = LastIndex;
        _loop.PostAt(_loop.NowNanoseconds + _options.SyncNanoseconds, _ =>
        {
            if (_writer == _storage.Writer)
            {
                long batches = (long)(covered - Math.Min(covered, _storage.SnapshotIndex));
                _storage.Durable = Math.Max(_storage.Durable, (int)batches);
            }

            done.SetResult(_writer == _storage.Writer ? Errnos.Ok : Errno.ESTALE);
        }, null);
    }

    private sealed class Sink(SimulatedLog log, ulong index) : ISnapshotSink
    {
        private readonly List<byte[]> _records = [];

        public void Add(ReadOnlySpan<byte> record) => _records.Add(record.ToArray());

        public ValueTask<Errno> Flush() => log.Sync();

        public async ValueTask<Errno> Complete()
        {
            Errno error = await log.Sync();
            if (error != Errnos.Ok)
            {
                return error;
            }

            SimulatedLogStorage storage = log._storage;
            int replaced = (int)(index - storage.SnapshotIndex);
            storage.Batches.RemoveRange(0, replaced);
            storage.Durable = Math.Max(0, storage.Durable - replaced);
            (storage.Snapshot, storage.SnapshotIndex) = (_records, index);
            return Errnos.Ok;
        }
    }
}
