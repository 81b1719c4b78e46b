using Harness.Cluster.Wire;
using Mono.Unix.Native;

namespace Harness.Cluster.Metadata.Server;

/// <summary>What the serving of clients needs of the chunk servers.</summary>
internal interface IChunkServers
{
    /// <summary>Space on all servers that are there: in all, and free, in bytes.</summary>
    (ulong Bytes, ulong Free) Space { get; }

    /// <summary>Chooses a chain for a new chunk.</summary>
    /// <param name="chain">The servers, head first.</param>
    /// <returns>
    /// Where fewer servers than the least number of replicas can take it: ENOSPC if they are full, EAGAIN while too few are there, since they may
    /// come back.
    /// </returns>
    Errno Place(ICollection<uint> chain);

    /// <summary>
    /// Chunks have been allocated, by this command or, as the locations say, an earlier one; ends when the servers of the new ones have been told.
    /// </summary>
    Task Created(IReadOnlyList<ChunkLocation> locations);

    /// <summary>
    /// A client's session ends: once this has ended, nothing that the client sent, and that may still be on its way, changes a chunk any more.
    /// </summary>
    Task EndSession(ulong session);

    /// <summary>No file has the chunk any longer.</summary>
    void Dropped(ulong chunk, ChunkRecord record);

    /// <summary>Adds what is known of servers and chunks.</summary>
    void Describe(ClusterStatus status);
}
