using Harness.Cluster.Chunks.Store;

namespace Harness.Cluster.Chunks;

/// <summary>Checksums of a payload's blocks and, from them, of the payload.</summary>
internal static class BlockSums
{
    /// <summary>The checksum of 4 KiB of zeros.</summary>
    public static uint Zero { get; } = Crc32C.Compute(new byte[BlockSum.BlockBytes]);

    /// <summary>Sums whole blocks one by one; returns the checksum of all of them, at the cost of one pass.</summary>
    public static uint Compute(ReadOnlySpan<byte> data, Span<uint> sums)
    {
        uint all = 0;
        for (int i = 0; i * BlockSum.BlockBytes < data.Length; i++)
        {
            sums[i] = Crc32C.Compute(data.Slice(i * BlockSum.BlockBytes, BlockSum.BlockBytes));
            all = i == 0 ? sums[0] : Crc32C.Join(all, sums[i]);
        }

        return all;
    }

    /// <summary>The checksum of blocks that lie one behind the other.</summary>
    public static uint Join(ReadOnlySpan<uint> sums)
    {
        uint all = sums[0];
        foreach (uint sum in sums[1..])
        {
            all = Crc32C.Join(all, sum);
        }

        return all;
    }
}
