namespace Harness.Cluster.Metadata;

/// <summary>A chunk as the metadata know it.</summary>
/// <param name="Inode">Whose.</param>
/// <param name="Index">Which of the file's.</param>
/// <param name="Version">The epoch of its chain; grows with each change of <paramref name="Servers"/>.</param>
/// <param name="Servers">The chain, head first.</param>
/// <param name="Target">A server that is being filled and will join the chain; 0 for none.</param>
internal readonly record struct ChunkRecord(ulong Inode, ulong Index, uint Version, uint[] Servers, uint Target);

/// <summary>What an administrator, or the cluster itself for good, has decided about a chunk server.</summary>
internal enum ServerState
{
    /// <summary>In service, whenever it is there.</summary>
    Active = 0,

    /// <summary>It gets no new chunks, and those it has move away.</summary>
    Draining = 1,

    /// <summary>It has left.</summary>
    Removed = 2,
}

/// <summary>A chunk server as the metadata know it. Whether it is alive is known to the leader alone.</summary>
internal sealed record ServerRecord
{
    /// <summary>Its number, from 1.</summary>
    public required uint Id { get; init; }

    /// <summary>Of the directory it serves: what makes it the same server after a restart.</summary>
    public required ulong Identity { get; init; }

    /// <summary>Of its process: a new one voids the old one's lease.</summary>
    public required ulong Incarnation { get; init; }

    /// <summary>Where it listens, HOST:PORT.</summary>
    public required string Address { get; init; }

    /// <summary>Failure domain: the host.</summary>
    public required string Host { get; init; }

    /// <summary>Failure domain: the rack; empty if nobody said.</summary>
    public required string Rack { get; init; }

    /// <summary>0 to 3.</summary>
    public required uint Tier { get; init; }

    /// <summary>What was decided about it.</summary>
    public required ServerState State { get; init; }
}
