using System.Numerics;

namespace Harness.Cluster.Net;

/// <summary>Pooled bytes with a count of references; the last <see cref="Release"/> returns them to their pool. For one loop.</summary>
/// <remarks>Whoever rents it owns the first reference. A send takes one over; who keeps the bytes besides adds one before.</remarks>
internal sealed class PayloadBuffer
{
    private readonly PayloadPool _pool;
    private readonly Memory<byte> _memory;
    private int _references;

    internal PayloadBuffer(PayloadPool pool, int capacity, int sizeClass)
    {
        _pool = pool;
        SizeClass = sizeClass;
        _memory = PinnedMemory.Allocate(capacity);
    }

    /// <summary>The bytes asked for; what they hold is left over from the last use.</summary>
    public Memory<byte> Memory => _memory[..Length];

    /// <summary>How many bytes were asked for.</summary>
    public int Length { get; private set; }

    internal int SizeClass { get; }

    internal int Capacity => _memory.Length;

    /// <summary>One more owner.</summary>
    public void AddReference() => _references++;

    /// <summary>One owner less.</summary>
    /// <exception cref="InvalidOperationException">Nobody owns it any more.</exception>
    public void Release()
    {
        if (--_references == 0)
        {
            _pool.Return(this);
        }
        else if (_references < 0)
        {
            throw new InvalidOperationException("A payload buffer was released more often than it was owned.");
        }
    }

    internal void Rent(int length)
    {
        Length = length;
        _references = 1;
    }
}

/// <summary>Payload buffers of one loop, in sizes that double from 4 KiB on, bounded in sum.</summary>
/// <param name="bytesMax">The most that may be rented out at one time; beyond it requests are refused.</param>
internal sealed class PayloadPool(long bytesMax)
{
    private const int SmallestLog2 = 12;

    private readonly Stack<PayloadBuffer>[] _free = [.. Enumerable.Range(0, 12).Select(_ => new Stack<PayloadBuffer>())];

    /// <summary>Bytes that wait to be used again.</summary>
    public long BytesFree { get; private set; }

    /// <summary>Bytes rented out now, by capacity.</summary>
    public long BytesRented { get; private set; }

    /// <summary>Takes a buffer of at least <paramref name="length"/> bytes.</summary>
    /// <returns>Null if that would pass the limit: the request is to be refused with EAGAIN.</returns>
    public PayloadBuffer? TryRent(int length)
    {
        int sizeClass = length <= 1 << SmallestLog2 ? 0 : BitOperations.Log2((uint)length - 1) + 1 - SmallestLog2;
        int capacity = 1 << (sizeClass + SmallestLog2);
        if (sizeClass >= _free.Length || BytesRented + capacity > bytesMax)
        {
            return null;
        }

        if (_free[sizeClass].TryPop(out PayloadBuffer? buffer))
        {
            BytesFree -= capacity;
        }
        else
        {
            buffer = new PayloadBuffer(this, capacity, sizeClass);
        }

        BytesRented += capacity;
        buffer.Rent(length);
        return buffer;
    }

    /// <summary>Lets go of all that wait to be used again.</summary>
    public void Trim()
    {
        BytesFree = 0;
        foreach (Stack<PayloadBuffer> free in _free)
        {
            free.Clear();
            free.TrimExcess();
        }
    }

    internal void Return(PayloadBuffer buffer)
    {
        BytesRented -= buffer.Capacity;
        // What one size has left over is not kept for ever beside what another needs.
        if (BytesFree + buffer.Capacity <= bytesMax / 2)
        {
            BytesFree += buffer.Capacity;
            _free[buffer.SizeClass].Push(buffer);
        }
    }
}
