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

    /// <summary>Bytes of chunks that lie before the file's end.</summary>
    public ulong BytesBefore(ulong size, ulong chunkBytes)
    {
        if (_slots.Count == 0)
        {
            return 0;
        }

        // Only the last chunk can reach over the end, unless truncation has left some behind, which it does not.
        ulong lastStart = _slots[^1].Index * chunkBytes;
        ulong inLast = size > lastStart ? Math.Min(chunkBytes, size - lastStart) : 0;
        return ((ulong)(_slots.Count - 1) * chunkBytes) + inLast;
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
