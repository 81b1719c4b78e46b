using Harness.Cluster.Chunks;
using Harness.Cluster.Net;

namespace Harness.Cluster.Metadata.Master;

/// <summary>A chunk server as the leader knows it now.</summary>
internal sealed class ChunkServerState(uint id)
{
    /// <summary>Its number.</summary>
    public uint Id { get; } = id;

    /// <summary>The way to it; null while it is not there.</summary>
    public RpcPeer? Peer { get; set; }

    /// <summary>
    /// How often it has registered. What it answers counts only while it is in the registration in which it was asked: each begins with a report of
    /// what the server has, and an answer from before, of an earlier life even, may come after that.
    /// </summary>
    public int Registrations { get; set; }

    /// <summary>Which of its lives it is in.</summary>
    public ulong Incarnation { get; set; }

    /// <summary>Where it listens.</summary>
    public NodeAddress Address { get; set; }

    /// <summary>Until when it may serve, by the leader's clock: a little longer than by its own.</summary>
    public long LeaseUntil { get; set; }

    /// <summary>What it said last.</summary>
    public ServerReport Report { get; set; }

    /// <summary>The version of each chunk whose chain it was told in this life.</summary>
    public Dictionary<ulong, uint> Serving { get; } = [];

    /// <summary>
    /// Replicas that it has and that may lack writes: it was not there, or restarted, while others went on. They catch up before they serve.
    /// </summary>
    public HashSet<ulong> Stale { get; } = [];

    /// <summary>
    /// Those of <see cref="Stale"/> and <see cref="Missing"/> that it may serve all the same in an older version, since its lease has lasted, or its answer
    /// has not come: before the chain goes on without it, it is told to stop.
    /// </summary>
    public HashSet<ulong> Behind { get; } = [];

    /// <summary>Chunks whose chain it is part of and of which it has no replica: it was never made, or is lost.</summary>
    public HashSet<ulong> Missing { get; } = [];

    /// <summary>Replicas of chunks that no file has any longer, until it is told.</summary>
    public List<ulong> Unneeded { get; } = [];

    /// <summary>Chunks that it failed to catch up with, and until when it is not asked to again.</summary>
    public Dictionary<ulong, long> NotBefore { get; } = [];

    /// <summary>Chunks that were placed here since its last report, which does not count them yet.</summary>
    public int PlacedSinceReport { get; set; }

    /// <summary>Copies that are being made to it.</summary>
    public int CopiesInFlight { get; set; }

    /// <summary>Whether it can be asked.</summary>
    public bool IsThere => Peer is { IsOpen: true };
}
