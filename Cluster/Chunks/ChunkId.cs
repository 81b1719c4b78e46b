namespace Harness.Cluster.Chunks;

/// <summary>Names a chunk in its cluster, for ever.</summary>
/// <param name="Value">As the metadata server gave it.</param>
internal readonly record struct ChunkId(ulong Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value.ToString("x16");
}

/// <summary>When a block was written last: the chunk's version, then the sequence that its head gave the write. Newer stamps are greater.</summary>
/// <param name="Value">24 bits of version above 40 bits of sequence; 0 for a block that was never written.</param>
internal readonly record struct BlockStamp(ulong Value)
{
    private const int SequenceBits = 40;

    /// <summary>The greatest version there can be.</summary>
    public const ulong VersionMax = (1UL << (64 - SequenceBits)) - 1;

    /// <summary>The greatest sequence there can be: a million writes a second for twelve days, to one chunk.</summary>
    public const ulong SequenceMax = (1UL << SequenceBits) - 1;

    /// <summary>The stamp of a write.</summary>
    public BlockStamp(ulong version, ulong sequence)
        : this((version << SequenceBits) | sequence)
    {
    }

    /// <summary>The version.</summary>
    public ulong Version => Value >> SequenceBits;

    /// <summary>The sequence.</summary>
    public ulong Sequence => Value & SequenceMax;

    /// <inheritdoc/>
    public override string ToString() => $"{Version}.{Sequence}";
}

/// <summary>Names a mutation, so that one that is sent again is not carried out again.</summary>
/// <param name="Client">Who wants it.</param>
/// <param name="Number">The client's own count, from 1 on; 0 for a mutation that needs no such care.</param>
internal readonly record struct MutationId(ulong Client, ulong Number);
