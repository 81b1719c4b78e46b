using System.Runtime.InteropServices;

namespace Harness.Cluster.Metadata;

/// <summary>One chunk of a file.</summary>
/// <param name="Index">Which: its bytes begin at this many times the chunk's size.</param>
/// <param name="Chunk">The chunk's id.</param>
internal readonly record struct ChunkSlot(ulong Index, ulong Chunk);

/// <summary>The chunks that a file has, by index. What is not there is a hole and costs nothing.</summary>
internal sealed class ChunkList
{
    private readonly List<ChunkSlot> _slots = new(1);

    /// <summary>The chunks in the order of their indexes.</summary>
    public ReadOnlySpan<ChunkSlot> Slots => CollectionsMarshal.AsSpan(_slots);

    /// <summary>The chunk at an index; 0 for a hole.</summary>
    public ulong Find(ulong index)
    {
        int at = IndexOf(index);
        return at < _slots.Count && _slots[at].Index == index ? _slots[at].Chunk : 0;
    }

    /// <summary>Adds a chunk where there was a hole.</summary>
    public void Add(ulong index, ulong chunk) => _slots.Insert(IndexOf(index), new ChunkSlot(index, chunk));

    /// <summary>The chunks with indexes from <paramref name="first"/> to <paramref name="last"/>, both included.</summary>
    public ReadOnlySpan<ChunkSlot> Range(ulong first, ulong last)
    {
        int from = IndexOf(first);
        int to = last == ulong.MaxValue ? _slots.Count : IndexOf(last + 1);
        return Slots[from..Math.Max(from, to)];
    }

    /// <summary>Removes the chunks with indexes from <paramref name="first"/> to <paramref name="last"/>, both included.</summary>
    public void RemoveRange(ulong first, ulong last) => _slots.RemoveRange(IndexOf(first), Range(first, last).Length);

    /// <summary>Bytes of chunks: of the one in which the file ends those before the end, and whole ones where space was reserved behind it.</summary>
    public ulong Bytes(ulong size, ulong chunkBytes)
    {
        ulong bytes = (ulong)_slots.Count * chunkBytes;
        return size % chunkBytes != 0 && Find(size / chunkBytes) != 0 ? bytes - chunkBytes + (size % chunkBytes) : bytes;
    }

    /// <summary>Where the first chunk with this index or a greater one stands.</summary>
    private int IndexOf(ulong index)
    {
        int low = 0;
        int high = _slots.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _slots[middle].Index < index ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}
