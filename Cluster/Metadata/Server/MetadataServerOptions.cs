namespace Harness.Cluster.Metadata.Server;

/// <summary>How a metadata server behaves.</summary>
internal sealed record MetadataServerOptions
{
    /// <summary>What the metadata may grow to.</summary>
    public MetadataLimits Limits { get; init; } = new();

    /// <summary>How commands travel through the log.</summary>
    public PipelineOptions Pipeline { get; init; } = new();

    /// <summary>
    /// How long a client's session lives without a sign of life (default 10 s). Who has lost its client for good waits as long before somebody
    /// else gets what it held.
    /// </summary>
    public long SessionNanoseconds { get; init; } = 10_000_000_000;

    /// <summary>How much longer the server's clock counts than the client's, per thousand (default 50): the bound on drift between them.</summary>
    public int DriftPerMille { get; init; } = 50;

    /// <summary>Replicas of a new chunk (default 3).</summary>
    public int Replicas { get; init; } = 3;

    /// <summary>Replicas below which a chunk takes no writes (default 2).</summary>
    public int ReplicasMin { get; init; } = 2;

    /// <summary>Where it tells of what happens (default nowhere).</summary>
    public INodeLog Log { get; init; } = NoLog.Instance;

    /// <summary>The cluster's id for a log that is empty; any other is refused.</summary>
    public ulong NewCluster { get; init; } = 1;

    /// <summary>Permissions of a new root directory (default rwxr-xr-x).</summary>
    public uint RootMode { get; init; } = 0x1ED;

    /// <summary>Names in one reply to a listing (default 1024).</summary>
    public uint ListedMax { get; init; } = 1024;

    /// <summary>The time after which a session has certainly ended, on the server's clock.</summary>
    public long SessionEndNanoseconds => SessionNanoseconds / 1000 * (1000 + DriftPerMille);
}
