namespace Harness.Cluster.Hosting;

/// <summary>What a check of the cluster can find.</summary>
internal enum FindingKind
{
    /// <summary>A chunk server that should be there does not answer; its replicas could not be looked at.</summary>
    Unreachable,

    /// <summary>A chunk has fewer replicas than it shall have.</summary>
    FewReplicas,

    /// <summary>A member of a chunk's chain does not have the chunk.</summary>
    MissingReplica,

    /// <summary>A replica is in another version than the metadata say.</summary>
    OtherVersion,

    /// <summary>A server has a replica of a chunk that no file has, or whose chain it does not belong to.</summary>
    Orphan,

    /// <summary>Replicas of one chunk hold different bytes.</summary>
    Unequal,

    /// <summary>Blocks of a replica do not match their checksums.</summary>
    Damaged,
}

/// <summary>One thing that is not as it should be.</summary>
/// <param name="Kind">What.</param>
/// <param name="Chunk">Of which chunk; 0 if of none.</param>
/// <param name="Server">On which server; 0 if on none in particular.</param>
/// <param name="Text">In words.</param>
internal sealed record CheckFinding(FindingKind Kind, ulong Chunk, uint Server, string Text);

/// <summary>What a check has looked at and found.</summary>
internal sealed record CheckReport
{
    /// <summary>The cluster.</summary>
    public required ulong Cluster { get; init; }

    /// <summary>Chunks in the metadata.</summary>
    public required int Chunks { get; init; }

    /// <summary>Replicas on the servers that answered.</summary>
    public required int Replicas { get; init; }

    /// <summary>Blocks that were read and compared with their checksums.</summary>
    public required long ScrubbedBlocks { get; init; }

    /// <summary>Damaged blocks that another replica's copy has replaced.</summary>
    public required long RepairedBlocks { get; init; }

    /// <summary>What is not as it should be.</summary>
    public required IReadOnlyList<CheckFinding> Findings { get; init; }
}
