using System.Globalization;
using System.Runtime.InteropServices;
using Harness.Cluster.Disk;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Log;

/// <summary>The metadata log of a single node: segments and snapshots in a directory.</summary>
/// <remarks>
/// <c>log-INDEX</c> holds batches from that index on, each behind a <see cref="LogFrame"/>; <c>snapshot-INDEX</c> the state up to that index,
/// in the same form. A snapshot begins a new segment and, once it is complete and durable, replaces the older ones. The last segment ends in
/// zeros that were written ahead: a flush of what lies over them changes neither size nor extents, so the file system has nothing to commit
/// beside it.
/// </remarks>
internal sealed partial class WriteAheadLog : IMetadataLog, IDisposable
{
    private const string LogPrefix = "log-";
    private const string SnapshotPrefix = "snapshot-";
    private const string Unfinished = "snapshot.new";

    /// <summary>How much of a segment is written ahead: some thousand commands.</summary>
    private const int AheadBytes = 1 << 20;

    private static readonly byte[] s_zeros = new byte[AheadBytes];

    private readonly IDisk _disk;
    private readonly byte[] _header = new byte[LogFrame.HeaderBytes];
    private IDiskFile? _segment;
    private long _segmentEnd;
    private long _aheadEnd;
    private bool _beginSegment;
    private ulong _snapshotIndex;
    private Errno _failure;

    /// <summary>A log in a directory that nobody else uses.</summary>
    public WriteAheadLog(IDisk disk) => _disk = disk;

    /// <inheritdoc/>
    public ulong LastIndex { get; private set; }

    /// <summary>Bytes that were cut off the end, which a power cut had torn.</summary>
    public long BytesCutOff { get; private set; }

    /// <inheritdoc/>
    public async ValueTask<Errno> Append(ReadOnlyMemory<byte> batch, bool durable)
    {
        if (_failure == Errnos.Ok && (_segment is null || _beginSegment))
        {
            _failure = await BeginSegment();
        }

        if (_failure != Errnos.Ok)
        {
            return _failure;
        }

        LogFrame frame = LogFrame.Of(LastIndex + 1, batch.Span);
        MemoryMarshal.Write(_header, in frame);
        await WriteAhead(_segmentEnd + LogFrame.HeaderBytes + batch.Length);
        Errno error = await _segment!.Write(_segmentEnd, _header, batch);
        if (error == Errnos.Ok && durable)
        {
            error = await _segment.Sync();
        }

        if (error != Errnos.Ok)
        {
            // What is behind the last whole batch is not known; whoever opens the log next cuts it off.
            _failure = error;
            return error;
        }

        _segmentEnd += LogFrame.HeaderBytes + batch.Length;
        LastIndex++;
        return Errnos.Ok;
    }

    /// <inheritdoc/>
    public async ValueTask<Errno> Sync()
    {
        if (_failure != Errnos.Ok || _segment is null)
        {
            return _failure;
        }

        Errno error = await _segment.Sync();
        if (error != Errnos.Ok)
        {
            // After a failed flush the kernel may have dropped what it could not write: nothing that follows would make it durable.
            _failure = error;
        }

        return error;
    }

    /// <inheritdoc/>
    public ISnapshotSink BeginSnapshot(ulong index)
    {
        _beginSegment = true;
        return new SnapshotFile(this, index);
    }

    /// <inheritdoc/>
    public void Dispose() => _segment?.Dispose();

    private static string NameOf(string prefix, ulong index) => prefix + index.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>Writes zeros behind a batch that goes beyond those there are. Where there is no room for them, there may be for the batch.</summary>
    private async ValueTask WriteAhead(long end)
    {
        if (end > _aheadEnd && await _segment!.Write(end, s_zeros) == Errnos.Ok)
        {
            _aheadEnd = end + AheadBytes;
        }
    }

    /// <summary>Begins a segment with the next batch. The one before is cut to its batches and flushed, so that only the last can ever be torn.</summary>
    private async ValueTask<Errno> BeginSegment()
    {
        if (_segment is not null)
        {
            Errno flushed = await _segment.Truncate(_segmentEnd);
            flushed = flushed == Errnos.Ok ? await _segment.Sync() : flushed;
            if (flushed != Errnos.Ok)
            {
                return flushed;
            }
        }

        Result<IDiskFile> made = await _disk.Open(NameOf(LogPrefix, LastIndex + 1), OpenMode.Create);
        if (!made.IsOk)
        {
            return made.Error;
        }

        _segment?.Dispose();
        _segment = made.Value;
        (_segmentEnd, _aheadEnd, _beginSegment) = (0, 0, false);
        Errno error = await _segment.Truncate(0);
        error = error == Errnos.Ok ? await _disk.SyncDirectory(string.Empty) : error;
        if (error == Errnos.Ok && _snapshotIndex > 0)
        {
            await RemoveBefore(_snapshotIndex);
        }

        return error;
    }

    /// <summary>Removes what a snapshot replaces. What cannot be removed now is removed with the next one.</summary>
    private async ValueTask RemoveBefore(ulong index)
    {
        Result<IReadOnlyList<string>> names = await _disk.List(string.Empty);
        if (!names.IsOk)
        {
            return;
        }

        List<(ulong Index, string Name)> segments = [.. Indexed(names.Value, LogPrefix)];
        for (int i = 0; i + 1 < segments.Count; i++)
        {
            if (segments[i + 1].Index <= index + 1)
            {
                await _disk.Delete(segments[i].Name);
            }
        }

        foreach ((ulong older, string name) in Indexed(names.Value, SnapshotPrefix))
        {
            if (older < index)
            {
                await _disk.Delete(name);
            }
        }
    }

    private static IEnumerable<(ulong Index, string Name)> Indexed(IEnumerable<string> names, string prefix) =>
        from name in names
        where name.StartsWith(prefix, StringComparison.Ordinal)
        let isIndex = ulong.TryParse(name.AsSpan(prefix.Length), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out _)
        where isIndex
        let index = ulong.Parse(name.AsSpan(prefix.Length), NumberStyles.HexNumber, CultureInfo.InvariantCulture)
        orderby index
        select (index, name);

    /// <summary>A snapshot on its way.</summary>
    private sealed class SnapshotFile(WriteAheadLog log, ulong index) : ISnapshotSink
    {
        private readonly System.Buffers.ArrayBufferWriter<byte> _pending = new();
        private IDiskFile? _file;
        private long _end;
        private ulong _records;

        public void Add(ReadOnlySpan<byte> record)
        {
            LogFrame frame = LogFrame.Of(_records++, record);
            MemoryMarshal.Write(_pending.GetSpan(LogFrame.HeaderBytes), in frame);
            _pending.Advance(LogFrame.HeaderBytes);
            record.CopyTo(_pending.GetSpan(record.Length));
            _pending.Advance(record.Length);
        }

        public async ValueTask<Errno> Flush()
        {
            if (_file is null)
            {
                Result<IDiskFile> made = await log._disk.Open(Unfinished, OpenMode.Create);
                Errno emptied = made.IsOk ? await made.Value.Truncate(0) : made.Error;
                if (emptied != Errnos.Ok)
                {
                    return emptied;
                }

                _file = made.Value;
            }

            byte[] bytes = _pending.WrittenSpan.ToArray();
            _pending.Clear();
            Errno error = await _file.Write(_end, bytes);
            _end += bytes.Length;
            return error;
        }

        public async ValueTask<Errno> Complete()
        {
            Errno error = await Flush();
            error = error == Errnos.Ok ? await _file!.Sync() : error;
            _file?.Dispose();
            error = error == Errnos.Ok ? await log._disk.Rename(Unfinished, NameOf(SnapshotPrefix, index)) : error;
            error = error == Errnos.Ok ? await log._disk.SyncDirectory(string.Empty) : error;
            if (error == Errnos.Ok)
            {
                log._snapshotIndex = index;
                await log.RemoveBefore(index);
            }

            return error;
        }
    }
}
