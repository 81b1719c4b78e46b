using Harness.Cluster.Disk;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Log;

/// <content>Reading the log back.</content>
internal sealed partial class WriteAheadLog
{
    /// <inheritdoc/>
    public async ValueTask<Errno> Open(ILogReader reader)
    {
        Result<IReadOnlyList<string>> names = await _disk.List(string.Empty);
        if (!names.IsOk)
        {
            return names.Error;
        }

        Errno error = await ReadSnapshot(names.Value, reader);
        List<(ulong Index, string Name)> segments = [.. Indexed(names.Value, LogPrefix)];
        for (int i = 0; i < segments.Count && error == Errnos.Ok; i++)
        {
            bool isOld = i + 1 < segments.Count && segments[i + 1].Index <= LastIndex + 1;
            error = isOld ? Errnos.Ok
                : segments[i].Index > LastIndex + 1 ? Errno.EBADMSG
                : await ReadSegment(segments[i], isLast: i == segments.Count - 1, reader);
        }

        return error;
    }

    /// <summary>Reads the newest snapshot that is whole. A damaged one is passed over while an older one and its log are there.</summary>
    private async ValueTask<Errno> ReadSnapshot(IReadOnlyList<string> names, ILogReader reader)
    {
        List<(ulong Index, string Name)> snapshots = [.. Indexed(names, SnapshotPrefix)];
        for (int i = snapshots.Count - 1; i >= 0; i--)
        {
            Result<byte[]> bytes = await ReadFile(snapshots[i].Name);
            if (!bytes.IsOk)
            {
                return bytes.Error;
            }

            if (!IsWhole(bytes.Value))
            {
                continue;
            }

            ReadOnlySpan<byte> rest = bytes.Value;
            for (ulong record = 0; !rest.IsEmpty; record++)
            {
                LogFrame.TryRead(rest, record, out ReadOnlySpan<byte> content);
                reader.OnSnapshot(content);
                rest = rest[(LogFrame.HeaderBytes + content.Length)..];
            }

            LastIndex = snapshots[i].Index;
            return Errnos.Ok;
        }

        return snapshots.Count == 0 ? Errnos.Ok : Errno.EBADMSG;
    }

    private static bool IsWhole(ReadOnlySpan<byte> snapshot)
    {
        ulong record = 0;
        for (; !snapshot.IsEmpty; record++)
        {
            if (!LogFrame.TryRead(snapshot, record, out ReadOnlySpan<byte> content))
            {
                return false;
            }

            snapshot = snapshot[(LogFrame.HeaderBytes + content.Length)..];
        }

        return record > 0;
    }

    private async ValueTask<Errno> ReadSegment((ulong Index, string Name) segment, bool isLast, ILogReader reader)
    {
        Result<byte[]> bytes = await ReadFile(segment.Name);
        if (!bytes.IsOk)
        {
            return bytes.Error;
        }

        int end = Replay(bytes.Value, segment.Index, reader);
        if (end == bytes.Value.Length && !isLast)
        {
            return Errnos.Ok;
        }

        if (!isLast)
        {
            // Segments are flushed before the next one begins, so this is no power cut's doing.
            return Errno.EBADMSG;
        }

        Result<IDiskFile> file = await _disk.Open(segment.Name, OpenMode.Existing);
        if (!file.IsOk)
        {
            return file.Error;
        }

        // Zeros were written ahead; anything else behind the last whole batch is one that a power cut has torn.
        int torn = bytes.Value.AsSpan(end).TrimEnd((byte)0).Length;
        (_segment, _segmentEnd, _aheadEnd, BytesCutOff) = (file.Value, end, end, torn);
        Errno error = end < bytes.Value.Length ? await _segment.Truncate(end) : Errnos.Ok;

        // What was read counts from now on, so it must not vanish in the next power cut.
        return error == Errnos.Ok ? await _segment.Sync() : error;
    }

    /// <summary>Hands the batches of a segment out that lie behind what is known; returns where the whole ones end.</summary>
    private int Replay(byte[] bytes, ulong first, ILogReader reader)
    {
        int at = 0;
        for (ulong index = first; LogFrame.TryRead(bytes.AsSpan(at), index, out ReadOnlySpan<byte> batch); index++)
        {
            if (index == LastIndex + 1)
            {
                reader.OnBatch(index, batch);
                LastIndex = index;
            }

            at += LogFrame.HeaderBytes + batch.Length;
        }

        return at;
    }

    private async ValueTask<Result<byte[]>> ReadFile(string name)
    {
        Result<IDiskFile> opened = await _disk.Open(name, OpenMode.Existing);
        if (!opened.IsOk)
        {
            return opened.Error;
        }

        using IDiskFile file = opened.Value;
        byte[] bytes = new byte[file.Length];
        for (int done = 0; done < bytes.Length;)
        {
            Result<int> read = await file.Read(done, bytes.AsMemory(done));
            if (!read.IsOk || read.Value == 0)
            {
                return read.IsOk ? Errno.EIO : read.Error;
            }

            done += read.Value;
        }

        return bytes;
    }
}
