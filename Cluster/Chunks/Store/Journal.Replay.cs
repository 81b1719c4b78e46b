using System.Runtime.InteropServices;
using Harness.Cluster.Disk;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Store;

/// <summary>A record as it was found.</summary>
/// <param name="Head">Its head.</param>
/// <param name="Sums">The blocks' checksums.</param>
/// <param name="Data">The blocks.</param>
internal sealed record FoundRecord(JournalRecord Head, uint[] Sums, ReadOnlyMemory<byte> Data);

/// <summary>What a replay has met.</summary>
/// <param name="Records">Records found.</param>
/// <param name="IsDamaged">Whether a record in the midst was damaged, so that those behind it were not applied: what this store has acknowledged
/// may be incomplete, and only another replica can say.</param>
internal readonly record struct ReplayResult(long Records, bool IsDamaged);

/// <content>Reading it back.</content>
internal sealed partial class Journal
{
    /// <summary>Hands on all records, in order, up to the first that is not whole: there the journal ended.</summary>
    public async ValueTask<Result<ReplayResult>> Replay(Func<FoundRecord, ValueTask<Errno>> apply)
    {
        var segments = new List<(ulong FirstLsn, IDiskFile File)>();
        foreach (IDiskFile file in _segments)
        {
            var header = new byte[SegmentHeaderBytes];
            Result<int> read = await file.Read(0, header);
            if (!read.IsOk)
            {
                return read.Error;
            }

            bool valid = read.Value == header.Length && MemoryMarshal.Read<uint>(header) == SegmentMagic &&
                MemoryMarshal.Read<uint>(header.AsSpan(4)) == Crc32C.Compute(header.AsSpan(8));
            if (valid)
            {
                segments.Add((MemoryMarshal.Read<ulong>(header.AsSpan(8)), file));
            }
        }

        segments.Sort((a, b) => a.FirstLsn.CompareTo(b.FirstLsn));
        long count = 0;
        bool damaged = false;
        foreach ((ulong firstLsn, IDiskFile file) in segments)
        {
            if (count > 0 && firstLsn != NextLsn)
            {
                damaged = true;
                NextLsn = Math.Max(NextLsn, firstLsn);
                break;
            }

            NextLsn = firstLsn;
            Result<long> found = await ReplaySegment(file, apply);
            if (!found.IsOk)
            {
                return found.Error;
            }

            count += found.Value;
        }

        // Numbers that were given out after the last whole record are not given out again: such a record might still lie there.
        NextLsn += 1 << 20;
        _finishedLsn = NextLsn - 1;
        return new ReplayResult(count, damaged);
    }

    private async ValueTask<Result<long>> ReplaySegment(IDiskFile file, Func<FoundRecord, ValueTask<Errno>> apply)
    {
        long at = SegmentHeaderBytes;
        var found = new List<(long At, FoundRecord Record)>();
        long count = 0;
        while (true)
        {
            Result<FoundRecord?> next = await ReadRecord(file, at);
            if (!next.IsOk)
            {
                return next.Error;
            }

            if (next.Value is not { } record)
            {
                break;
            }

            NextLsn++;
            count++;
            at += HeadBytes + record.Data.Length;
            if (_faults.ReplaysBackwards || _faults.DropsLastRecord)
            {
                found.Add((at, record));
                continue;
            }

            Errno error = await apply(record);
            if (error != Errnos.Ok)
            {
                return error;
            }
        }

        if (_faults.DropsLastRecord && found.Count > 0)
        {
            found.RemoveAt(found.Count - 1);
        }

        if (_faults.ReplaysBackwards)
        {
            found.Reverse();
        }

        foreach ((_, FoundRecord record) in found)
        {
            await apply(record);
        }

        return count;
    }

    /// <summary>The record at a place, or null if none is there whole.</summary>
    private async ValueTask<Result<FoundRecord?>> ReadRecord(IDiskFile file, long at)
    {
        var head = new byte[HeadBytes];
        Result<int> read = await file.Read(at, head);
        if (!read.IsOk)
        {
            return read.Error;
        }

        if (!MemoryMarshal.TryRead(head.AsSpan(0, read.Value), out JournalRecord record) || record.Magic != JournalRecord.MagicValue || record.Lsn != NextLsn ||
            record.Sums > JournalRecord.BlocksMax || record.DataBytes > JournalRecord.BlocksMax * BlockSum.BlockBytes)
        {
            return default(FoundRecord);
        }

        int headBytes = JournalRecord.HeaderBytes + ((int)record.Sums * sizeof(uint));
        if (read.Value < headBytes || Crc32C.Compute(head.AsSpan(8, headBytes - 8)) != record.Crc)
        {
            return default(FoundRecord);
        }

        uint[] sums = MemoryMarshal.Cast<byte, uint>(head.AsSpan(JournalRecord.HeaderBytes, (int)record.Sums * sizeof(uint))).ToArray();
        var data = new byte[record.DataBytes];
        read = await file.Read(at + HeadBytes, data);
        if (!read.IsOk)
        {
            return read.Error;
        }

        bool whole = read.Value == data.Length && (data.Length == 0 || data.Length == sums.Length * BlockSum.BlockBytes);
        for (int i = 0; whole && i * BlockSum.BlockBytes < data.Length; i++)
        {
            whole = Crc32C.Compute(data.AsSpan(i * BlockSum.BlockBytes, BlockSum.BlockBytes)) == sums[i];
        }

        return whole ? new FoundRecord(record, sums, data) : default;
    }
}
