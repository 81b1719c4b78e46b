using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Store;

/// <content>Taking over blocks of another replica.</content>
internal sealed partial class ChunkStore
{
    /// <summary>Replaces a block by another replica's, unless it has changed since <paramref name="seen"/> was its sum.</summary>
    /// <param name="chunk">The chunk.</param>
    /// <param name="block">The block.</param>
    /// <param name="seen">Its sum when it was found to be in need of this.</param>
    /// <param name="stamp">The other replica's stamp; 0 if the block was never written there.</param>
    /// <param name="data">The other replica's 4 KiB.</param>
    /// <param name="isHeld">Whether it is <see cref="Mend"/> that asks, which the chunk's mutations wait for.</param>
    /// <returns>EAGAIN if it has changed.</returns>
    public async ValueTask<Errno> Replace(
        StoredChunk chunk, int block, BlockSum seen, BlockStamp stamp, ReadOnlyMemory<byte> data, bool isHeld = false)
    {
        chunk.Users++;
        if (!isHeld)
        {
            await chunk.Gate.Enter();
        }

        BlockSum now = chunk.SumOf(block);
        bool unchanged = now.Stamp == seen.Stamp && now.Crc == seen.Crc && now.Check == seen.Check;
        Errno error = !unchanged ? Errno.EAGAIN
            : data.Span.IndexOfAnyExcept((byte)0) < 0 ? await ReplaceByHole(chunk, block, stamp)
            : await ReplaceByData(chunk, block, stamp, data);
        if (!isHeld)
        {
            chunk.Gate.Leave();
        }

        chunk.Users--;
        return error;
    }

    /// <summary>Notes that a mutation was carried out whose edges were taken over from another replica; of a punch, makes the blocks between zero.</summary>
    public async ValueTask<Errno> FinishCopied(StoredChunk chunk, BlockStamp stamp, MutationId mutation, int first, int blocks)
    {
        chunk.Users++;
        await chunk.Gate.Enter();
        Errno error = await PunchBlocks(chunk, stamp, mutation, first + 1, Math.Max(0, blocks - 2), marksAll: true);
        chunk.Gate.Leave();
        chunk.Users--;
        return error;
    }

    private async ValueTask<Errno> ReplaceByData(StoredChunk chunk, int block, BlockStamp stamp, ReadOnlyMemory<byte> data)
    {
        while (_pendingBytes > _options.PendingBytesMax)
        {
            Errno applied = await ApplyPending();
            if (applied != Errnos.Ok)
            {
                return applied;
            }
        }

        if (_pool.TryRent(BlockSum.BlockBytes) is not { } buffer)
        {
            return Errno.ENOBUFS;
        }

        data.CopyTo(buffer.Memory);
        Errno error = await WriteBlocks(chunk, stamp, default, block, buffer, new[] { Crc32C.Compute(data.Span) }, straight: false);
        buffer.Release();
        StartApplying();
        return error;
    }

    private async ValueTask<Errno> ReplaceByHole(StoredChunk chunk, int block, BlockStamp stamp)
    {
        Result<ulong> lsn = await _journal.Append(Record(RecordType.Punch, chunk.Id, stamp, default, block, 1), default, default);
        if (lsn.IsOk)
        {
            SetPending(chunk, block, new PendingBlock(BlockSum.OfHole(chunk.Id, block, stamp), lsn.Value, null, 0));
            Note(chunk, stamp, lsn.Value);
        }

        return lsn.Error;
    }
}
