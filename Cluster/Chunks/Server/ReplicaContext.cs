using Harness.Cluster.Net;
using Harness.Runtime;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Server;

/// <summary>What a replica needs of its server.</summary>
internal sealed class ReplicaContext
{
    /// <summary>The server's id.</summary>
    public required ulong ServerId { get; init; }

    /// <summary>Its loop.</summary>
    public required ILoop Loop { get; init; }

    /// <summary>Planted bugs.</summary>
    public required PlantedFaults Faults { get; init; }

    /// <summary>Whether the server may serve.</summary>
    public bool HasLease => LeaseHolds();

    /// <summary>Looks at the lease.</summary>
    public required Func<bool> LeaseHolds { get; init; }

    /// <summary>The connection to another server.</summary>
    public required Func<NodeAddress, PeerLink> LinkTo { get; init; }

    /// <summary>Mutations that have ended, to be used again by any of the server's replicas: each has room for the checksums of 1 MiB.</summary>
    public Stack<PendingWrite> FreeWrites { get; } = new();

    /// <summary>Brings a mutation into the store.</summary>
    public required Func<ChunkReplica, PendingWrite, ValueTask<Errno>> Apply { get; init; }

    /// <summary>Tells the client that everybody has its write; false if the server has no connection to it.</summary>
    public required Func<PendingWrite, bool> TellClient { get; init; }

    /// <summary>Told that the store has failed a replica.</summary>
    public required Action<ChunkReplica, Errno> OnFailed { get; init; }
}
