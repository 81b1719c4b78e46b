using Harness.Cluster.Net;

namespace Harness.Cluster.Chunks.Client;

/// <summary>How a client reads and writes chunks.</summary>
internal sealed record ChunkClientOptions
{
    /// <summary>
    /// Reads and writes are cut into pieces of so much, all under way at once, so that one is on the wire while the next is being summed and
    /// the one before is being stored. Default 128 KiB: small enough for a core's cache, large enough that a message's cost is a hundredth.
    /// </summary>
    public int PieceBytes { get; init; } = 128 << 10;

    /// <summary>
    /// For so long after a small read or write was asked for, the loop looks for the answer instead of sleeping. Default
    /// <see cref="ExpectedReply.NanosecondsDefault"/>.
    /// </summary>
    public long ExpectNanoseconds { get; init; } = ExpectedReply.NanosecondsDefault;

    /// <summary>How long one attempt may take. Default 2 s.</summary>
    public long AttemptNanoseconds { get; init; } = 2_000_000_000;

    /// <summary>How long an operation is tried again before it ends with ETIMEDOUT: above what a lease and a change of the chain take. Default 60 s.</summary>
    public long OperationNanoseconds { get; init; } = 60_000_000_000;

    /// <summary>Which of a chunk's replicas is asked first, counted on from the one that all clients with the same number ask. Default 0.</summary>
    public int ReadTurn { get; init; }

    /// <summary>The first pause before another attempt; it doubles up to a hundred times as much. Default 2 ms.</summary>
    public long PauseNanoseconds { get; init; } = 2_000_000;
}
