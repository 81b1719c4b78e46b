namespace Harness.Cluster.Chunks.Client;

/// <summary>A chunk as a client knows it: its name, and its chain as it was told last.</summary>
/// <param name="id">The chunk.</param>
/// <param name="chain">Its chain.</param>
internal sealed class ChunkHandle(ChunkId id, Chain chain)
{
    /// <summary>The chunk.</summary>
    public ChunkId Id { get; } = id;

    /// <summary>
    /// The session of whoever uses it, for its <see cref="IChainSource"/>, which ends operations of one that is over, and for the servers, which refuse
    /// its mutations then; 0 if there is none.
    /// </summary>
    public ulong Session { get; init; }

    /// <summary>The newest chain known; a <see cref="IChainSource"/> brings a newer one.</summary>
    public Chain Chain { get; set; } = chain;
}

/// <summary>Where a client asks for a chunk's chain: the metadata server.</summary>
internal interface IChainSource
{
    /// <summary>Brings <see cref="ChunkHandle.Chain"/> up to date, after a replica has refused it or could not be reached.</summary>
    /// <returns>False if the chunk is gone; then the operation ends with ESTALE.</returns>
    ValueTask<bool> Refresh(ChunkHandle chunk);
}
