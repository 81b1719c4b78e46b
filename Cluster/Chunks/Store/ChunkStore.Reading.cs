using System.Runtime.CompilerServices;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Store;

/// <content>Reading.</content>
internal sealed partial class ChunkStore
{
    /// <summary>A block may be applied to the file while it is read from there, so what does not verify is read again.</summary>
    private const int ReadTries = 3;

    /// <summary>Reads whole blocks, each checked against its sum.</summary>
    /// <param name="chunk">The chunk.</param>
    /// <param name="first">The first block.</param>
    /// <param name="into">A multiple of 4 KiB.</param>
    /// <param name="sums">Gets the blocks' checksums, unless it is empty.</param>
    /// <returns>EUCLEAN if a block does not match its sum: another replica may have it. EIO if the disk cannot read it.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Errno> ReadBlocks(StoredChunk chunk, int first, Memory<byte> into, Memory<uint> sums)
    {
        chunk.Users++;
        Errno error = Errno.EUCLEAN;
        for (int tries = 0; tries < ReadTries && error == Errno.EUCLEAN; tries++)
        {
            if (NeedsFile(chunk, first, into.Length / BlockSum.BlockBytes))
            {
                Result<int> read = await chunk.Data.Read((long)first * BlockSum.BlockBytes, into);
                if (!read.IsOk)
                {
                    error = read.Error;
                    break;
                }

                into.Span[read.Value..].Clear();
            }

            error = Complete(chunk, first, into.Span, sums.Span);
        }

        chunk.Users--;
        // A slot that was given back has another chunk's blocks soon.
        return error == Errno.EUCLEAN && chunk.IsGone ? Errno.ENOENT : error;
    }

    /// <summary>A block's newest stamp; 0 if it was never written.</summary>
    public static BlockStamp StampOf(StoredChunk chunk, int block) => new(chunk.SumOf(block).Stamp);

    private static bool NeedsFile(StoredChunk chunk, int first, int blocks)
    {
        for (int block = first; block < first + blocks; block++)
        {
            bool elsewhere = chunk.Pending.TryGetValue(block, out PendingBlock pending)
                ? pending.Data is not null || pending.Sum.IsZero(chunk.Id, block)
                : chunk.Sums[block].IsNever;
            if (!elsewhere)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Puts in what the file does not have, and checks what it has.</summary>
    private Errno Complete(StoredChunk chunk, int first, Span<byte> into, Span<uint> sums)
    {
        for (int i = 0; i * BlockSum.BlockBytes < into.Length; i++)
        {
            int block = first + i;
            Span<byte> bytes = into.Slice(i * BlockSum.BlockBytes, BlockSum.BlockBytes);
            bool isPending = chunk.Pending.TryGetValue(block, out PendingBlock pending);
            BlockSum sum = isPending ? pending.Sum : chunk.Sums[block];
            uint crc = sum.Crc;
            if (isPending && pending.Data is not null)
            {
                pending.Data.Memory.Span.Slice(pending.DataOffset, BlockSum.BlockBytes).CopyTo(bytes);
            }
            else if (sum.IsZero(chunk.Id, block))
            {
                bytes.Clear();
                crc = BlockSums.Zero;
            }
            else if (!_faults.SkipsChecksums && (!sum.IsData(chunk.Id, block) || Crc32C.Compute(bytes) != crc))
            {
                return Errno.EUCLEAN;
            }

            if (!sums.IsEmpty)
            {
                sums[i] = _faults.SkipsChecksums ? Crc32C.Compute(bytes) : crc;
            }
        }

        return Errnos.Ok;
    }
}
