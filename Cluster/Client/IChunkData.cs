using Harness.Cluster.Chunks;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Client;

/// <summary>A client's way to the bytes of chunks. For one loop.</summary>
/// <remarks>ESTALE says that a chunk's version or replicas are not those of the location: ask the metadata server again.</remarks>
internal interface IChunkData
{
    /// <summary>Learns where servers listen.</summary>
    void Learn(IEnumerable<ServerAddress> servers);

    /// <summary>Whether it knows where all servers of a chunk listen.</summary>
    bool Knows(ChunkLocation location);

    /// <summary>Reads bytes of a chunk; what was never written is zero.</summary>
    ValueTask<Errno> Read(ChunkLocation location, long offset, Memory<byte> buffer);

    /// <summary>Writes bytes of a chunk to all its replicas.</summary>
    ValueTask<Errno> Write(ChunkLocation location, long offset, ReadOnlyMemory<byte> data, ChunkWriteFlags flags);

    /// <summary>Makes bytes of a chunk zero, on all its replicas.</summary>
    ValueTask<Errno> Zero(ChunkLocation location, long offset, long length);

    /// <summary>Makes what was written outlive a power cut, on all replicas.</summary>
    ValueTask<Errno> Sync(ChunkLocation location);

    /// <summary>Finds data or a hole within a chunk.</summary>
    /// <returns>The offset within the chunk; the chunk's size if there is none.</returns>
    ValueTask<Result<long>> Seek(ChunkLocation location, long offset, bool data, long chunkBytes);
}
