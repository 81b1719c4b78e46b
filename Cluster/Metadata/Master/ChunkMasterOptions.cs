namespace Harness.Cluster.Metadata.Master;

/// <summary>How the leader treats chunk servers.</summary>
internal sealed record ChunkMasterOptions
{
    /// <summary>Replicas of a chunk (default 3).</summary>
    public int Replicas { get; init; } = 3;

    /// <summary>Replicas below which a chunk takes no new ones in placement, and counts as blocked (default 2; at most <see cref="Replicas"/>).</summary>
    public int ReplicasMin { get; init; } = 2;

    /// <summary>Where it tells of what happens (default nowhere).</summary>
    public INodeLog Log { get; init; } = NoLog.Instance;

    /// <summary>How long a server may serve after a sign of life (default 3 s).</summary>
    public long LeaseNanoseconds { get; init; } = 3_000_000_000;

    /// <summary>How much longer the leader counts a lease than it grants it, per thousand (default 50): the bound on drift between clocks.</summary>
    public int DriftPerMille { get; init; } = 50;

    /// <summary>
    /// How long a server may be gone before its replicas are made anew elsewhere (default 30 s). One that comes back sooner catches up, which is
    /// cheaper.
    /// </summary>
    public long ReplaceAfterNanoseconds { get; init; } = 30_000_000_000;

    /// <summary>Copies at one time to one server (default 4), so that what clients do goes on beside.</summary>
    public int CopiesPerServerMax { get; init; } = 4;

    /// <summary>How often leases and chunks are looked at (default 100 ms).</summary>
    public long TickNanoseconds { get; init; } = 100_000_000;

    /// <summary>Chunks whose repair is under way at one time (default 64).</summary>
    public int RepairsMax { get; init; } = 64;

    /// <summary>How long a server may take to answer (default 2 s), and to copy a chunk (default 10 minutes).</summary>
    public long CallNanoseconds { get; init; } = 2_000_000_000;

    /// <summary>See <see cref="CallNanoseconds"/>.</summary>
    public long CopyNanoseconds { get; init; } = 600_000_000_000;

    /// <summary>Free bytes that a server keeps back, so that journals and catching up find room (default 1 GiB).</summary>
    public ulong ReserveBytes { get; init; } = 1UL << 30;

    /// <summary>A lease's length by the leader's clock.</summary>
    public long LeaseEndNanoseconds => LeaseNanoseconds / 1000 * (1000 + DriftPerMille);
}
