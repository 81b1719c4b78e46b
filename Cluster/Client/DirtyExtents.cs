using System.Buffers;

namespace Harness.Cluster.Client;

/// <summary>A piece of a file that was taken out to be written. Whoever took it releases it once, when nothing reads its bytes any more.</summary>
internal readonly record struct DirtyPiece(ulong Offset, byte[] Memory, int Length)
{
    /// <summary>The bytes.</summary>
    public ReadOnlyMemory<byte> Data => Memory.AsMemory(0, Length);

    /// <summary>Gives the memory back.</summary>
    public void Release() => ArrayPool<byte>.Shared.Return(Memory);
}

/// <summary>Bytes of a file that wait to be written: pieces that do not overlap, in the order of their offsets.</summary>
/// <remarks>Their memory comes from the shared pool: a piece of the full length, made anew each time, costs its zeroing and its page faults.</remarks>
internal sealed class DirtyExtents
{
    private readonly SortedList<ulong, Extent> _extents = [];

    /// <summary>Whether there are none.</summary>
    public bool IsEmpty => _extents.Count == 0;

    /// <summary>Bytes in all.</summary>
    public long Bytes { get; private set; }

    /// <summary>Takes bytes in.</summary>
    /// <param name="offset">Where they belong.</param>
    /// <param name="data">The bytes, which are copied.</param>
    /// <param name="extentBytesMax">How long one piece may grow.</param>
    /// <returns>False if they lie over the edge of other bytes: those have to be written first.</returns>
    public bool TryWrite(ulong offset, ReadOnlySpan<byte> data, int extentBytesMax)
    {
        int index = IndexBefore(offset);
        if (index >= 0)
        {
            (ulong start, Extent extent) = (_extents.Keys[index], _extents.Values[index]);
            ulong end = start + (ulong)extent.Length;
            if (offset + (ulong)data.Length <= end)
            {
                data.CopyTo(extent.Bytes.AsSpan((int)(offset - start)));
                return true;
            }

            if (offset < end)
            {
                return false;
            }

            if (offset == end && extent.Length + data.Length <= extentBytesMax && !Overlaps(offset, data.Length))
            {
                extent.Append(data, extentBytesMax);
                Bytes += data.Length;
                return true;
            }
        }

        if (Overlaps(offset, data.Length))
        {
            return false;
        }

        var added = new Extent();
        added.Append(data, extentBytesMax);
        _extents.Add(offset, added);
        Bytes += data.Length;
        return true;
    }

    /// <summary>Reads bytes if all of them are in one piece.</summary>
    public bool TryRead(ulong offset, Span<byte> buffer)
    {
        int index = IndexBefore(offset);
        if (index < 0 || _extents.Keys[index] + (ulong)_extents.Values[index].Length < offset + (ulong)buffer.Length)
        {
            return false;
        }

        _extents.Values[index].Bytes.AsSpan((int)(offset - _extents.Keys[index]), buffer.Length).CopyTo(buffer);
        return true;
    }

    /// <summary>Whether any byte of a range is here.</summary>
    public bool Overlaps(ulong offset, long length)
    {
        int index = IndexBefore(offset);
        return (index >= 0 && _extents.Keys[index] + (ulong)_extents.Values[index].Length > offset) ||
            (index + 1 < _extents.Count && _extents.Keys[index + 1] < offset + (ulong)length);
    }

    /// <summary>Whether some piece is as long as it may grow.</summary>
    public bool HasFull(int extentBytesMax) => Bytes >= extentBytesMax;

    /// <summary>Takes all bytes out, to be written.</summary>
    public List<DirtyPiece> TakeAll()
    {
        var all = new List<DirtyPiece>(_extents.Count);
        foreach ((ulong offset, Extent extent) in _extents)
        {
            all.Add(new DirtyPiece(offset, extent.Bytes, extent.Length));
        }

        _extents.Clear();
        Bytes = 0;
        return all;
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        foreach (DirtyPiece piece in TakeAll())
        {
            piece.Release();
        }
    }

    /// <summary>The last piece that begins at or before an offset, or -1.</summary>
    private int IndexBefore(ulong offset)
    {
        int low = 0;
        int high = _extents.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _extents.Keys[middle] <= offset ? (middle + 1, high) : (low, middle);
        }

        return low - 1;
    }

    private sealed class Extent
    {
        /// <summary>Up to here memory is doubled as bytes come; then it becomes as large as it may: who has written so much writes on.</summary>
        private const int DoublingBytesMax = 64 << 10;

        public byte[] Bytes { get; private set; } = [];

        public int Length { get; private set; }

        public void Append(ReadOnlySpan<byte> data, int bytesMax)
        {
            int needed = Length + data.Length;
            if (needed > Bytes.Length)
            {
                byte[] grown = ArrayPool<byte>.Shared.Rent(needed <= DoublingBytesMax ? needed : Math.Max(needed, bytesMax));
                if (Bytes.Length > 0)
                {
                    Bytes.AsSpan(0, Length).CopyTo(grown);
                    ArrayPool<byte>.Shared.Return(Bytes);
                }

                Bytes = grown;
            }

            data.CopyTo(Bytes.AsSpan(Length));
            Length = needed;
        }
    }
}
