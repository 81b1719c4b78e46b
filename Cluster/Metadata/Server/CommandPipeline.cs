using System.Buffers;
using System.Buffers.Binary;
using Google.Protobuf;
using Harness.Cluster.Log;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.Runtime;
using Mono.Unix.Native;

namespace Harness.Cluster.Metadata.Server;

/// <summary>
/// Brings commands into the log and, once they are there, into the state, in the same order. What comes while a batch is being written makes
/// up the next one, so the more there is to do, the less each costs.
/// </summary>
/// <remarks>A batch is commands one behind the other, each led by its length in 4 bytes, little-endian.</remarks>
internal sealed class CommandPipeline : ILogReader
{
    private readonly ILoop _loop;
    private readonly IMetadataLog _log;
    private readonly PipelineOptions _options;
    private readonly Queue<Waiting> _waiting = new();
    private readonly List<Waiting> _batch = [];
    private readonly ArrayBufferWriter<byte> _bytes = new();
    private bool _writing;
    private bool _syncDue;
    private long _bytesSinceSnapshot;
    private SnapshotWriter? _snapshot;

    /// <summary>A pipeline into a log that is not open yet.</summary>
    public CommandPipeline(ILoop loop, IMetadataLog log, MetadataState state, PipelineOptions options) =>
        (_loop, _log, State, _options) = (loop, log, state, options);

    /// <summary>What the commands change.</summary>
    public MetadataState State { get; }

    /// <summary>The last batch that has been applied.</summary>
    public ulong AppliedIndex { get; private set; }

    /// <summary>The last batch known to outlive a power cut.</summary>
    public ulong DurableIndex { get; private set; }

    /// <summary>Why it has stopped for good; <see cref="Errnos.Ok"/> while it runs.</summary>
    public Errno Failure { get; private set; }

    /// <summary>Snapshots completed.</summary>
    public int Snapshots { get; private set; }

    /// <summary>Reads the log back into the state.</summary>
    public async ValueTask<Errno> Open()
    {
        Errno error = await _log.Open(this);
        AppliedIndex = _log.LastIndex;
        DurableIndex = AppliedIndex;
        return error;
    }

    /// <summary>Executes a command once it is in the log.</summary>
    /// <param name="command">Its time is set here.</param>
    /// <param name="durable">Whether the outcome must outlive a power cut before anybody hears of it.</param>
    /// <returns>The outcome; EIO, or why, if the log has failed; EAGAIN if too much is waiting, and then it was not executed.</returns>
    public Task<Outcome> Submit(Command command, bool durable = false)
    {
        if (Failure != Errnos.Ok || _waiting.Count >= _options.WaitingMax)
        {
            return Task.FromResult(new Outcome { Errno = (uint)(Failure != Errnos.Ok ? Failure : Errno.EAGAIN) });
        }

        var waiting = new Waiting(command, durable || _options.SyncAlways);
        _waiting.Enqueue(waiting);
        if (!_writing)
        {
            _writing = true;
            WriteAll().Watch();
        }

        return waiting.Task;
    }

    /// <summary>Makes everything that has been executed outlive a power cut.</summary>
    public async ValueTask<Errno> Sync()
    {
        ulong index = AppliedIndex;
        if (Failure != Errnos.Ok || DurableIndex >= index)
        {
            return Failure;
        }

        Errno error = await _log.Sync();
        if (error != Errnos.Ok)
        {
            Fail(error);
        }
        else
        {
            DurableIndex = Math.Max(DurableIndex, index);
        }

        return Failure;
    }

    void ILogReader.OnSnapshot(ReadOnlySpan<byte> record) => State.Load(SnapshotRecord.Parser.ParseFrom(record));

    void ILogReader.OnBatch(ulong index, ReadOnlySpan<byte> batch)
    {
        _bytesSinceSnapshot += batch.Length;
        while (!batch.IsEmpty)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(batch);
            State.Apply(Command.Parser.ParseFrom(batch.Slice(sizeof(int), length)));
            batch = batch[(sizeof(int) + length)..];
        }
    }

    private async Task WriteAll()
    {
        while (_waiting.Count > 0 && Failure == Errnos.Ok)
        {
            bool durable = FillBatch();
            Errno error = await _log.Append(_bytes.WrittenMemory, durable);
            if (error != Errnos.Ok)
            {
                Fail(error);
                break;
            }

            AppliedIndex++;
            DurableIndex = durable ? AppliedIndex : DurableIndex;
            Apply();
            ScheduleSync();
            BeginSnapshotIfDue();
        }

        _writing = false;
    }

    /// <summary>Takes as many commands as a batch may hold, and gives them their time.</summary>
    private bool FillBatch()
    {
        _batch.Clear();
        _bytes.Clear();
        bool durable = false;
        while (_waiting.Count > 0 && _batch.Count < _options.BatchCommandsMax && _bytes.WrittenCount < _options.BatchBytesMax)
        {
            Waiting next = _waiting.Dequeue();
            next.Command.TimeNanos = Clock.UnixNanoseconds(_loop.Time);
            int length = next.Command.CalculateSize();
            BinaryPrimitives.WriteInt32LittleEndian(_bytes.GetSpan(sizeof(int)), length);
            _bytes.Advance(sizeof(int));
            next.Command.WriteTo(_bytes);
            durable |= next.Durable;
            _batch.Add(next);
        }

        return durable;
    }

    private void Apply()
    {
        _bytesSinceSnapshot += _bytes.WrittenCount;
        Waiting[] batch = [.. _batch];
        var outcomes = new Outcome[batch.Length];
        for (int i = 0; i < batch.Length; i++)
        {
            _snapshot?.Before(batch[i].Command);
            outcomes[i] = State.Apply(batch[i].Command);
        }

        // Whoever waits may go on at once, with the state as it is after the whole batch.
        for (int i = 0; i < batch.Length; i++)
        {
            batch[i].SetResult(outcomes[i]);
        }
    }

    /// <summary>Flushes in the background what nobody waits for, so that a power cut takes no more than the last moments.</summary>
    private void ScheduleSync()
    {
        if (_syncDue || DurableIndex == AppliedIndex)
        {
            return;
        }

        _syncDue = true;
        _loop.PostAt(_loop.NowNanoseconds + _options.SyncDelayNanoseconds, static state => ((CommandPipeline)state!).SyncInBackground().Watch(), this);
    }

    private async Task SyncInBackground()
    {
        await Sync();
        _syncDue = false;
        ScheduleSync();
    }

    private void BeginSnapshotIfDue()
    {
        if (_snapshot is null && _bytesSinceSnapshot >= _options.SnapshotAfterBytes)
        {
            Snapshot().Watch();
        }
    }

    /// <summary>Writes a snapshot beside the commands that go on.</summary>
    private async Task Snapshot()
    {
        _bytesSinceSnapshot = 0;
        ISnapshotSink sink = _log.BeginSnapshot(AppliedIndex);
        _snapshot = new SnapshotWriter(State, AppliedIndex, record => sink.Add(record.ToByteArray()));
        int pages = 0;
        bool more = true;
        Errno error = Errnos.Ok;
        while (more && error == Errnos.Ok)
        {
            more = _snapshot.Step();
            if (++pages % _options.SnapshotPagesPerStep == 0)
            {
                error = await sink.Flush();
            }
        }

        // A snapshot that cannot be written is tried again after as much log; the log itself goes on.
        error = error == Errnos.Ok ? await sink.Complete() : error;
        _snapshot = null;
        Snapshots += error == Errnos.Ok ? 1 : 0;
    }

    private void Fail(Errno error)
    {
        Failure = error;
        var outcome = new Outcome { Errno = (uint)error };
        foreach (Waiting waiting in _batch.Concat(_waiting).ToArray())
        {
            waiting.TrySetResult(outcome);
        }

        _waiting.Clear();
    }

    private sealed class Waiting(Command command, bool durable) : TaskCompletionSource<Outcome>
    {
        public Command Command { get; } = command;

        public bool Durable { get; } = durable;
    }
}
