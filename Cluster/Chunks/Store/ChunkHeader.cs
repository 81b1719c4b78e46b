using System.Runtime.InteropServices;

namespace Harness.Cluster.Chunks.Store;

/// <summary>What the disk has of a chunk besides its blocks and their sums.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Version">The version of the chain it belongs to, or did last.</param>
/// <param name="Sequence">The greatest sequence it has.</param>
/// <param name="BornLsn">The journal record that made it: of two chunks of one name the later one counts.</param>
internal readonly record struct ChunkHeader(ChunkId Id, ulong Version, ulong Sequence, ulong BornLsn)
{
    /// <summary>Size of it.</summary>
    public const int Bytes = 40;

    private const uint Magic = 0x314D4348;

    /// <summary>Writes it to the beginning of an area and seals the whole area, whatever stands behind, with a checksum.</summary>
    public void Seal(Span<byte> area)
    {
        MemoryMarshal.Write(area, Magic);
        MemoryMarshal.Write(area[8..], Id.Value);
        MemoryMarshal.Write(area[16..], Version);
        MemoryMarshal.Write(area[24..], Sequence);
        MemoryMarshal.Write(area[32..], BornLsn);
        MemoryMarshal.Write(area[4..], Crc32C.Compute(area[8..]));
    }

    /// <summary>Reads it from an area.</summary>
    /// <returns>Whether there is one, and the area is as it was sealed.</returns>
    public static bool TryRead(ReadOnlySpan<byte> area, out ChunkHeader header)
    {
        bool valid = MemoryMarshal.Read<uint>(area) == Magic && MemoryMarshal.Read<uint>(area[4..]) == Crc32C.Compute(area[8..]);
        header = valid
            ? new ChunkHeader(
                new ChunkId(MemoryMarshal.Read<ulong>(area[8..])), MemoryMarshal.Read<ulong>(area[16..]),
                MemoryMarshal.Read<ulong>(area[24..]), MemoryMarshal.Read<ulong>(area[32..]))
            : default;
        return valid;
    }
}
