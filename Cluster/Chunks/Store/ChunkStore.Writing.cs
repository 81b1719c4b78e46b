using System.Runtime.CompilerServices;
using Harness.Cluster.Disk;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Store;

/// <content>Writing.</content>
internal sealed partial class ChunkStore
{
    private long _pendingBytes;

    /// <summary>Writes bytes; mutations of one chunk are carried out in the order of the calls.</summary>
    /// <param name="chunk">The chunk.</param>
    /// <param name="stamp">When, greater than any before.</param>
    /// <param name="mutation">For the journal.</param>
    /// <param name="offset">Where.</param>
    /// <param name="data">What; a reference is added for as long as the store needs it.</param>
    /// <param name="sums">The checksums of its blocks, if <paramref name="offset"/> and length are multiples of 4 KiB.</param>
    /// <param name="isRead">Whether they will be read here, and so are worth room in the page cache.</param>
    /// <returns>ENOSPC or EIO: this replica is then not to be trusted with the chunk any more.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Errno> Write(
        StoredChunk chunk, BlockStamp stamp, MutationId mutation, long offset, PayloadBuffer data, ReadOnlyMemory<uint> sums, bool isRead = true)
    {
        chunk.Users++;
        data.AddReference();
        bool aligned = (offset | (uint)data.Length) % BlockSum.BlockBytes == 0;
        await chunk.Gate.Enter();
        while (_pendingBytes > _options.PendingBytesMax)
        {
            Errno applied = await ApplyPending();
            if (applied != Errnos.Ok)
            {
                break;
            }
        }

        int first = (int)(offset / BlockSum.BlockBytes);
        bool straight = aligned && data.Length >= _options.StraightBytesMin && IsUntouched(chunk, first, data.Length / BlockSum.BlockBytes);
        Errno error = straight ? await MakeOwnFiles(chunk) : Errnos.Ok;
        error = straight && error == Errnos.Ok ? await WriteStraight(chunk, offset, data.Memory, isRead) : error;
        if (error == Errno.EEXIST || DiskSpace.IsLacking(error))
        {
            // The journal has room of its own: what was taken in goes there, and nothing more is until there is room for it.
            Note(error == Errno.EEXIST ? Errnos.Ok : error);
            (straight, error) = (false, Errnos.Ok);
        }

        error = error != Errnos.Ok ? error
            : aligned ? await WriteBlocks(chunk, stamp, mutation, first, data, sums, straight)
            : await WriteWithin(chunk, stamp, mutation, offset, data.Memory, data.Length);
        chunk.Gate.Leave();
        data.Release();
        chunk.Users--;
        StartApplying();
        return error;
    }

    /// <summary>Makes bytes zero.</summary>
    /// <param name="chunk">The chunk.</param>
    /// <param name="stamp">When, greater than any before.</param>
    /// <param name="mutation">For the journal.</param>
    /// <param name="offset">Where.</param>
    /// <param name="length">How many bytes.</param>
    /// <param name="marksAll">
    /// Whether blocks that were never written get the stamp too: on a replica that is catching up, so that what they were before is not copied.
    /// </param>
    public async ValueTask<Errno> Punch(
        StoredChunk chunk, BlockStamp stamp, MutationId mutation, long offset, long length, bool marksAll = false)
    {
        chunk.Users++;
        await chunk.Gate.Enter();
        long end = Math.Min(offset + length, _options.ChunkBytesMax);
        long firstWhole = Math.Min(end, (offset + BlockSum.BlockBytes - 1) / BlockSum.BlockBytes * BlockSum.BlockBytes);
        long endWhole = Math.Max(firstWhole, end / BlockSum.BlockBytes * BlockSum.BlockBytes);
        Errno error = offset < firstWhole ? await ZeroWithin(chunk, stamp, mutation, offset, (int)(firstWhole - offset)) : Errnos.Ok;
        if (error == Errnos.Ok && endWhole < end)
        {
            error = await ZeroWithin(chunk, stamp, mutation, endWhole, (int)(end - endWhole));
        }

        if (error == Errnos.Ok)
        {
            int first = (int)(firstWhole / BlockSum.BlockBytes);
            error = await PunchBlocks(chunk, stamp, mutation, first, (int)(endWhole / BlockSum.BlockBytes) - first, marksAll);
        }

        chunk.Gate.Leave();
        chunk.Users--;
        return error;
    }

    /// <summary>Makes everything that was written to a chunk survive a power cut.</summary>
    public async ValueTask<Errno> Sync(StoredChunk chunk)
    {
        chunk.Users++;
        ulong lsn = chunk.LastLsn;
        Errno error = await chunk.SyncStraight(_disk);
        error = error == Errnos.Ok ? await _journal.Sync(lsn) : error;
        chunk.Users--;
        return error;
    }

    /// <summary>
    /// Brings bytes to blocks that were never written: into the page cache, as it is only the process that a write has to survive. Whatever
    /// the file has there is not looked at before the journal has told of it.
    /// </summary>
    private static ValueTask<Errno> WriteStraight(StoredChunk chunk, long offset, ReadOnlyMemory<byte> data, bool isRead)
    {
        chunk.StraightWrites++;
        return isRead ? chunk.Data.Write(offset, data) : chunk.Data.WriteUncached(offset, data);
    }

    private static bool IsUntouched(StoredChunk chunk, int first, int blocks)
    {
        for (int block = first; block < first + blocks; block++)
        {
            if (!chunk.SumOf(block).IsNever)
            {
                return false;
            }
        }

        return true;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Errno> WriteBlocks(
        StoredChunk chunk, BlockStamp stamp, MutationId mutation, int first, PayloadBuffer data, ReadOnlyMemory<uint> sums, bool straight)
    {
        int blocks = data.Length / BlockSum.BlockBytes;
        JournalRecord record = Record(straight ? RecordType.Straight : RecordType.Data, chunk.Id, stamp, mutation, first, blocks);
        Result<ulong> lsn = await _journal.Append(record, sums, straight ? default : data.Memory);
        if (!lsn.IsOk)
        {
            return lsn.Error;
        }

        for (int i = 0; i < blocks; i++)
        {
            BlockSum sum = BlockSum.OfData(chunk.Id, first + i, stamp, sums.Span[i]);
            SetPending(chunk, first + i, new PendingBlock(sum, lsn.Value, straight ? null : data, i * BlockSum.BlockBytes));
        }

        _straightBlocks += straight ? blocks : 0;
        Note(chunk, stamp, lsn.Value);
        return Errnos.Ok;
    }

    /// <summary>Writes bytes that begin or end within a block: the blocks are read, changed and written whole.</summary>
    private async ValueTask<Errno> WriteWithin(
        StoredChunk chunk, BlockStamp stamp, MutationId mutation, long offset, ReadOnlyMemory<byte> data, int length)
    {
        int first = (int)(offset / BlockSum.BlockBytes);
        int blocks = (int)((offset + length + BlockSum.BlockBytes - 1) / BlockSum.BlockBytes) - first;
        if (_pool.TryRent(blocks * BlockSum.BlockBytes) is not { } whole)
        {
            return Errno.ENOBUFS;
        }

        Errno error = await ReadToChange(chunk, first, whole.Memory[..BlockSum.BlockBytes]);
        if (error == Errnos.Ok && blocks > 1)
        {
            error = await ReadToChange(chunk, first + blocks - 1, whole.Memory[((blocks - 1) * BlockSum.BlockBytes)..]);
        }

        if (error == Errnos.Ok)
        {
            int within = (int)(offset % BlockSum.BlockBytes);
            Span<byte> target = whole.Memory.Span.Slice(within, length);
            if (data.IsEmpty)
            {
                target.Clear();
            }
            else
            {
                data.Span.CopyTo(target);
            }

            var sums = new uint[blocks];
            BlockSums.Compute(whole.Memory.Span, sums);
            error = await WriteBlocks(chunk, stamp, mutation, first, whole, sums, straight: false);
        }

        whole.Release();
        return error;
    }

    /// <summary>
    /// Reads a block of which a mutation changes a part. One that does not match its sum is mended first, and what comes behind the mutation waits: after
    /// it alone may it be carried out.
    /// </summary>
    private async ValueTask<Errno> ReadToChange(StoredChunk chunk, int block, Memory<byte> into)
    {
        Errno error = await ReadBlocks(chunk, block, into, default);
        return error == Errno.EUCLEAN && await Mend(chunk, block) ? await ReadBlocks(chunk, block, into, default) : error;
    }

    private ValueTask<Errno> ZeroWithin(StoredChunk chunk, BlockStamp stamp, MutationId mutation, long offset, int length)
    {
        int block = (int)(offset / BlockSum.BlockBytes);
        return chunk.SumOf(block).IsZero(chunk.Id, block)
            ? new ValueTask<Errno>(Errnos.Ok)
            : WriteWithin(chunk, stamp, mutation, offset, default, length);
    }

    private async ValueTask<Errno> PunchBlocks(
        StoredChunk chunk, BlockStamp stamp, MutationId mutation, int first, int blocks, bool marksAll)
    {
        Result<ulong> lsn = await _journal.Append(Record(RecordType.Punch, chunk.Id, stamp, mutation, first, blocks), default, default);
        if (!lsn.IsOk)
        {
            return lsn.Error;
        }

        for (int block = first; block < (marksAll ? first + blocks : Math.Min(first + blocks, chunk.HighWater)); block++)
        {
            if (marksAll || !chunk.SumOf(block).IsNever)
            {
                SetPending(chunk, block, new PendingBlock(BlockSum.OfHole(chunk.Id, block, stamp), lsn.Value, null, 0));
            }
        }

        Note(chunk, stamp, lsn.Value);
        return Errnos.Ok;
    }

    private static void Note(StoredChunk chunk, BlockStamp stamp, ulong lsn)
    {
        chunk.Sequence = Math.Max(chunk.Sequence, stamp.Sequence);
        chunk.LastLsn = lsn;
        chunk.HeaderChanged = true;
    }

    private void SetPending(StoredChunk chunk, int block, in PendingBlock pending)
    {
        if (chunk.IsGone)
        {
            // Removed while its record was written: nobody would ever give the bytes back.
            return;
        }

        if (chunk.Pending.TryGetValue(block, out PendingBlock old) && old.Data is not null)
        {
            old.Data.Release();
            _pendingBytes -= BlockSum.BlockBytes;
        }

        if (pending.Data is not null)
        {
            pending.Data.AddReference();
            _pendingBytes += BlockSum.BlockBytes;
        }

        chunk.Pending[block] = pending;
        chunk.HighWater = Math.Max(chunk.HighWater, block + 1);
    }
}
