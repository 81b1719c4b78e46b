using Harness.Cluster.Disk;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Store;

/// <summary>Where a chunk lies on the disk: its blocks, and apart from them its header and their sums.</summary>
/// <remarks>A small chunk lies in a <see cref="Slot"/>, any other in files of its own, <see cref="OwnFiles"/>.</remarks>
internal abstract class ChunkHome : IDisposable
{
    /// <summary>The chunk's blocks, from its first on.</summary>
    public abstract IDiskFile Blocks { get; }

    /// <summary>How many blocks it can have here.</summary>
    public abstract int Room { get; }

    /// <summary>Whether a checkpoint has made it survive a power cut, names and all.</summary>
    public bool IsSettled { get; set; }

    /// <summary>Reads header and sums.</summary>
    /// <returns>ENOENT if there is no chunk of this name, or none whose header was ever synced.</returns>
    public abstract ValueTask<Result<ChunkHeader>> Load(ChunkId id, SumTable sums);

    /// <summary>Writes header and those sums that have changed, after the blocks that they are about were synced.</summary>
    public abstract ValueTask<Errno> Save(ChunkHeader header, SumTable sums);

    /// <summary>Makes header and sums survive a power cut.</summary>
    public abstract ValueTask<Errno> SyncSums();

    /// <inheritdoc/>
    public abstract void Dispose();
}
