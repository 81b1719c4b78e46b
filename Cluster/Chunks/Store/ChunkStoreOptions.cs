namespace Harness.Cluster.Chunks.Store;

/// <summary>How a chunk store uses its disks and memory.</summary>
internal sealed record ChunkStoreOptions
{
    /// <summary>The largest chunk. Default 64 MiB.</summary>
    public long ChunkBytesMax { get; init; } = 64L << 20;

    /// <summary>Size of each of the journal's two segments. Default 32 MiB.</summary>
    public int SegmentBytes { get; init; } = 32 << 20;

    /// <summary>Aligned writes of at least so much, where nothing was written before, pass the journal by. Default 64 KiB.</summary>
    public int StraightBytesMin { get; init; } = 64 << 10;

    /// <summary>So many journalled bytes in memory start their application to the chunk files. Default 4 MiB.</summary>
    public long ApplyAtBytes { get; init; } = 4 << 20;

    /// <summary>The most journalled bytes in memory; beyond it writes wait. Default 24 MiB.</summary>
    public long PendingBytesMax { get; init; } = 24 << 20;

    /// <summary>
    /// The sizes of the slots that small chunks lie in, in blocks, ascending, at most <see cref="SlotFile.BlocksMax"/>. A larger chunk has files of
    /// its own. Default 1, 4, 28: files of 4, 16 and 112 KiB.
    /// </summary>
    public IReadOnlyList<int> SlotBlocks { get; init; } = [1, 4, 28];

    /// <summary>Chunks held open with their checksums in memory, 256 KiB each at most. Default 128.</summary>
    public int OpenChunksMax { get; init; } = 128;

    /// <summary>
    /// Inodes that are kept for what is acknowledged already: chunks that grow out of their slots, and those that are in the journal alone. New chunks are
    /// refused below. Default 1,024, two for each such chunk that the journal has room for.
    /// </summary>
    public long ReserveFiles { get; init; } = 1_024;

    /// <summary>Free space that is kept for what is acknowledged already. Default 256 MiB.</summary>
    public long ReserveBytes { get; init; } = 256L << 20;
}
