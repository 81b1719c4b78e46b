using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Harness.Cluster.Disk;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Store;

/// <summary>
/// The append-only journal of a chunk store: two segments of fixed size, used in turn. Before one is used again, everything in it has been
/// applied to the chunk files and synced.
/// </summary>
/// <remarks>
/// Segments are written full of zeros once, so that an append changes no metadata of the file and a sync is one write of the device's. An
/// append that fails makes the journal fail for good: nothing behind a gap could be found again.
/// </remarks>
internal sealed partial class Journal
{
    private const int AppendsMax = 4096;
    private const int SegmentHeaderBytes = HeadBytes;
    private const uint SegmentMagic = 0x31534348;

    /// <summary>
    /// A record's head takes a page of its own, and its data follow in whole pages: a page that is written in part would first have to be read
    /// back, if the page cache has let go of it.
    /// </summary>
    private const int HeadBytes = 4096;

    /// <summary>
    /// So much of the end of a segment only takes records without data, a page each, until the other segment is free: on a full disk that may be after
    /// chunks were removed, which the journal has to be told first.
    /// </summary>
    private const int KeptBytesMax = 1 << 20;

    private static readonly string[] s_names = ["journal-a", "journal-b"];

    private readonly int _segmentBytes;
    private readonly int _keptBytes;
    private readonly PlantedFaults _faults;
    private readonly IDiskFile[] _segments = new IDiskFile[2];
    private readonly Stack<Memory<byte>> _heads = new();
    private readonly LoopGate _switchGate = new();
    private readonly LoopGate _syncGate = new();
    private Func<ValueTask<Errno>> _checkpoint = () => new ValueTask<Errno>(Errnos.Ok);
    private ValueTask<Errno> _checkpointing;
    private readonly bool[] _finished = new bool[AppendsMax];
    private ulong _finishedLsn;
    private TaskCompletionSource? _finishedMore;
    private int _active;
    private long _end;
    private bool _otherIsFree = true;
    private Errno _failure;

    private Journal(int segmentBytes, PlantedFaults faults) =>
        (_segmentBytes, _keptBytes, _faults) = (segmentBytes, Math.Min(KeptBytesMax, segmentBytes / 8), faults);

    /// <summary>What each segment begins with, in whole blocks: mutations that a client may still send again.</summary>
    public Func<byte[]> Carried { get; set; } = static () => [];

    /// <summary>The number that the next record gets.</summary>
    public ulong NextLsn { get; private set; } = 1;

    /// <summary>The last record that survives a power cut.</summary>
    public ulong SyncedLsn { get; private set; }

    /// <summary>Opens the journal, making its files if there are none. Nothing can be appended before <see cref="Restart"/>.</summary>
    public static async ValueTask<Result<Journal>> Open(IDisk disk, int segmentBytes, PlantedFaults faults)
    {
        var journal = new Journal(segmentBytes, faults);
        for (int i = 0; i < s_names.Length; i++)
        {
            Result<IDiskFile> file = await disk.Open(s_names[i], OpenMode.Create);
            if (!file.IsOk)
            {
                return file.Error;
            }

            journal._segments[i] = file.Value;
            Errno error = await FillWithZeros(file.Value, segmentBytes);
            if (error != Errnos.Ok)
            {
                return error;
            }
        }

        Errno synced = await disk.SyncDirectory(string.Empty);
        return synced == Errnos.Ok ? journal : synced;
    }

    /// <summary>Begins anew, after everything in the journal has been applied and synced.</summary>
    /// <param name="checkpoint">Applies and syncs everything that was appended before the call.</param>
    public async ValueTask<Errno> Restart(Func<ValueTask<Errno>> checkpoint)
    {
        _checkpoint = checkpoint;
        Errno error = await Invalidate(1);
        if (error == Errnos.Ok)
        {
            error = await Begin(0);
        }

        return error == Errnos.Ok ? await SyncNow() : error;
    }

    /// <summary>Appends a record; it survives the process when this returns, and a power cut when it was synced.</summary>
    /// <returns>
    /// Its number; ENOSPC while the disk has no room for what is in the journal; EIO, and the same for ever after.
    /// </returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Result<ulong>> Append(JournalRecord record, ReadOnlyMemory<uint> sums, ReadOnlyMemory<byte> data)
    {
        int length = HeadBytes + data.Length;
        int kept = sums.Length > 0 ? _keptBytes : 0;
        while (_failure == Errnos.Ok && (_switchGate.IsTaken || !Fits(length, kept)))
        {
            Errno lacking = await Switch(length, kept);
            if (lacking != Errnos.Ok)
            {
                return lacking;
            }
        }

        while (NextLsn - _finishedLsn >= AppendsMax)
        {
            await WaitForFinished(_finishedLsn + 1);
        }

        if (_failure != Errnos.Ok)
        {
            return _failure;
        }

        long offset = _end;
        ulong lsn = NextLsn++;
        _end += length;
        Memory<byte> head = Compose(record, lsn, sums.Span, data.Length);
        Errno error = await _segments[_active].Write(offset, head, data);
        _heads.Push(head);
        if (error != Errnos.Ok)
        {
            _failure = DiskSpace.Flushed(error);
        }

        Finish(lsn);
        // A replay ends at the first gap, so that a record counts as there only when all before it are.
        await WaitForFinished(lsn);
        return _failure == Errnos.Ok ? lsn : _failure;
    }

    /// <summary>Makes all records up to <paramref name="lsn"/> survive a power cut. Calls that come together share one sync.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Errno> Sync(ulong lsn)
    {
        if (SyncedLsn >= lsn)
        {
            return _failure;
        }

        await _syncGate.Enter();
        Errno error = SyncedLsn >= lsn ? _failure : await SyncNow();
        _syncGate.Leave();
        return error;
    }

    /// <summary>Closes the files.</summary>
    public void Close()
    {
        foreach (IDiskFile segment in _segments)
        {
            segment.Dispose();
        }
    }

    private void Finish(ulong lsn)
    {
        _finished[lsn % AppendsMax] = true;
        while (_finished[(_finishedLsn + 1) % AppendsMax])
        {
            _finished[++_finishedLsn % AppendsMax] = false;
        }

        TaskCompletionSource? waiting = _finishedMore;
        _finishedMore = null;
        waiting?.SetResult();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WaitForFinished(ulong lsn)
    {
        while (_finishedLsn < lsn)
        {
            _finishedMore ??= new TaskCompletionSource();
            await _finishedMore.Task;
        }
    }

    private async ValueTask<Errno> SyncNow()
    {
        ulong upTo = NextLsn - 1;
        await WaitForFinished(upTo);
        Errno error = await _segments[_active].Sync();
        if (error != Errnos.Ok)
        {
            // After a failed fsync the page cache no longer says what the disk has (fsync(2), "EIO"): only a replay can.
            return _failure = DiskSpace.Flushed(error);
        }

        SyncedLsn = Math.Max(SyncedLsn, upTo);
        return Errnos.Ok;
    }

    private bool Fits(int length, int kept) => _end + length <= _segmentBytes - (_otherIsFree ? 0 : kept);

    /// <summary>Goes over to the other segment, once what it holds is no longer needed.</summary>
    /// <returns>ENOSPC or EDQUOT if it still is, since the disk has no room for it; nothing has changed then.</returns>
    private async ValueTask<Errno> Switch(int length, int kept)
    {
        await _switchGate.Enter();
        Errno lacking = Errnos.Ok;
        if (!Fits(length, kept) && _failure == Errnos.Ok)
        {
            Errno error = await _checkpointing;
            if (DiskSpace.IsLacking(error))
            {
                _checkpointing = CheckpointOther().Preserve();
                error = await _checkpointing;
            }

            lacking = DiskSpace.IsLacking(error) ? error : Errnos.Ok;
            if (error == Errnos.Ok && !Fits(length, kept))
            {
                // The records behind must not survive where those before do not.
                await _syncGate.Enter();
                error = await SyncNow();
                if (error == Errnos.Ok)
                {
                    error = await Begin(1 - _active);
                }

                _syncGate.Leave();
                if (error == Errnos.Ok)
                {
                    _otherIsFree = false;
                    _checkpointing = CheckpointOther().Preserve();
                }
            }

            _failure = lacking == Errnos.Ok ? DiskSpace.Flushed(error) : _failure;
        }

        _switchGate.Leave();
        return lacking;
    }

    private async ValueTask<Errno> CheckpointOther()
    {
        int other = 1 - _active;
        Errno error = await _checkpoint();
        error = error == Errnos.Ok ? await Invalidate(other) : error;
        _otherIsFree |= error == Errnos.Ok;
        return error;
    }

    private async ValueTask<Errno> Invalidate(int segment)
    {
        Errno error = await _segments[segment].Write(0, new byte[SegmentHeaderBytes]);
        return error == Errnos.Ok ? await _segments[segment].Sync() : error;
    }

    private async ValueTask<Errno> Begin(int segment)
    {
        var header = new byte[SegmentHeaderBytes];
        MemoryMarshal.Write(header, SegmentMagic);
        MemoryMarshal.Write(header.AsSpan(8), NextLsn);
        MemoryMarshal.Write(header.AsSpan(4), Crc32C.Compute(header.AsSpan(8)));
        Errno error = await _segments[segment].Write(0, header);
        _active = segment;
        _end = SegmentHeaderBytes;
        return error == Errnos.Ok ? await CarryOver() : error;
    }

    /// <summary>Writes the first record of a segment, while nobody appends.</summary>
    private async ValueTask<Errno> CarryOver()
    {
        byte[] data = Carried();
        if (data.Length == 0)
        {
            return Errnos.Ok;
        }

        var sums = new uint[data.Length / BlockSum.BlockBytes];
        BlockSums.Compute(data, sums);
        ulong lsn = NextLsn++;
        long offset = _end;
        _end += HeadBytes + data.Length;
        Memory<byte> head = Compose(new JournalRecord { Type = RecordType.Mutations }, lsn, sums, data.Length);
        Errno error = await _segments[_active].Write(offset, head, data);
        _heads.Push(head);
        Finish(lsn);
        return error;
    }

    private Memory<byte> Compose(JournalRecord record, ulong lsn, ReadOnlySpan<uint> sums, int dataBytes)
    {
        if (!_heads.TryPop(out Memory<byte> head))
        {
            head = PinnedMemory.Allocate(HeadBytes);
        }

        record.Magic = JournalRecord.MagicValue;
        record.Lsn = lsn;
        record.Sums = (uint)sums.Length;
        record.DataBytes = (uint)dataBytes;
        Span<byte> bytes = head.Span;
        MemoryMarshal.Write(bytes, in record);
        MemoryMarshal.AsBytes(sums).CopyTo(bytes[JournalRecord.HeaderBytes..]);
        int length = JournalRecord.HeaderBytes + (sums.Length * sizeof(uint));
        MemoryMarshal.Write(bytes[4..], Crc32C.Compute(bytes[8..length]));
        return head;
    }

    private static async ValueTask<Errno> FillWithZeros(IDiskFile file, int bytes)
    {
        var zeros = new byte[Math.Min(bytes, 1 << 20)];
        for (long at = file.Length / zeros.Length * zeros.Length; at < bytes; at += zeros.Length)
        {
            Errno error = await file.Write(at, zeros.AsMemory(0, (int)Math.Min(zeros.Length, bytes - at)));
            if (error != Errnos.Ok)
            {
                return error;
            }
        }

        return Errnos.Ok;
    }
}
