using Harness.Cluster.Chunks.Store;
using Harness.Cluster.Net;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Server;

/// <summary>What a chunk server is made with.</summary>
internal sealed record ChunkServerOptions
{
    /// <summary>Its id in the cluster, not 0.</summary>
    public required ulong ServerId { get; init; }

    /// <summary>Where it listens; port 0 takes any.</summary>
    public required NodeAddress Listen { get; init; }

    /// <summary>Whether only processes of this host shall reach it, and it opens no port. Default false.</summary>
    public bool IsLocal { get; init; }

    /// <summary>The metadata servers. None: it serves without a lease, for tests and benchmarks.</summary>
    public IReadOnlyList<NodeAddress> Metadata { get; init; } = [];

    /// <summary>Which of its lives this is: greater than any before, for instance the time of its start.</summary>
    public ulong Incarnation { get; init; } = 1;

    /// <summary>The cluster's id, 0 and 0 if not known.</summary>
    public (ulong High, ulong Low) Cluster { get; init; }

    /// <summary>Which directory it serves, so that two of one number are told from each other; 0 if that is not known.</summary>
    public ulong Identity { get; init; }

    /// <summary>Told that another directory is served by this server's number now: ENOTUNIQ. It is asked again in vain until the other one has gone.</summary>
    public Action<Errno>? OnRefused { get; init; }

    /// <summary>How often it reports to the metadata server. Default 500 ms.</summary>
    public long HeartbeatNanoseconds { get; init; } = 500_000_000;

    /// <summary>
    /// How much of a lease is given up because clocks run at different speeds, in parts per million. Default 1,000: ten times what quartz
    /// drifts at worst.
    /// </summary>
    public int DriftPartsPerMillion { get; init; } = 1_000;

    /// <summary>Memory for payloads. Default 64 MiB.</summary>
    public long PayloadBytesMax { get; init; } = 64 << 20;

    /// <summary>For how long a server process looks for the next request before it sleeps. Default 20 µs; 0 sleeps at once.</summary>
    public long SpinNanoseconds { get; init; } = 20_000;

    /// <summary>Where it tells of what happens (default nowhere).</summary>
    public INodeLog Log { get; init; } = NoLog.Instance;

    /// <summary>The store's.</summary>
    public ChunkStoreOptions Store { get; init; } = new();

    /// <summary>Of each connection.</summary>
    public RpcLimits Limits { get; init; } = new();
}
