using Harness.FuseProtocol;
using Harness.Runtime.Native;

namespace Harness.Transport.Uring;

/// <summary>The payload buffers of a queue's entries: where they are not too many, side by side in one mapping of huge pages, else one mapping each.</summary>
/// <remarks>
/// Of a huge page the kernel takes a reference once for a message that lies in it, where it looked up and took 256 pages of 4 KiB. It has memory as
/// soon as one of its bytes is touched, though; that is why a channel whose buffers are large together does without. And its bytes lie side by side in
/// physical memory, so that buffers at a power of two from each other would share the same few sets of a cache: each begins a page further.
/// On the machine at hand that makes no difference that could be measured (4K reads and writes at depth 32, with and without).
/// </remarks>
internal sealed unsafe class UringPayloads
{
    /// <summary>Up to so many bytes of all queues' buffers, huge pages are asked for. Two CPUs' queues have 16 MiB by default.</summary>
    public const long HugeBytesMax = 64 << 20;

    private const int HugePage = 2 << 20;

    private readonly NativeBuffer[] _mappings;
    private readonly int[] _held;
    private readonly int _perMapping;
    private readonly int _bytesEach;
    private readonly int _stride;

    /// <summary>Buffers of <paramref name="bytesEach"/>, on a NUMA node if one is named; in huge pages if they may take those and fill one.</summary>
    public UringPayloads(int count, int bytesEach, int? node, bool mayBeHuge)
    {
        bool isHuge = mayBeHuge && (long)count * bytesEach >= HugePage;
        _bytesEach = bytesEach;
        _stride = bytesEach + SessionOptions.PageSize;
        _perMapping = isHuge ? count : 1;
        _mappings = new NativeBuffer[count / _perMapping];
        _held = new int[_mappings.Length];
        for (int i = 0; i < _mappings.Length; i++)
        {
            _mappings[i] = new NativeBuffer(isHuge ? ((count * _stride) + HugePage - 1) / HugePage * HugePage : bytesEach);
            _held[i] = _perMapping;
            _ = node is int number && _mappings[i].TryPlace(number);
            _ = isHuge && _mappings[i].TryMakeHuge();
        }
    }

    /// <summary>The memory of one buffer.</summary>
    public Memory<byte> MemoryOf(int index) => _mappings[index / _perMapping].Memory.Slice(index % _perMapping * _stride, _bytesEach);

    /// <summary>Where that memory lies.</summary>
    public byte* PointerTo(int index) => _mappings[index / _perMapping].Pointer + ((nint)(index % _perMapping) * _stride);

    /// <summary>Lets go of one buffer; a mapping goes with the last of its buffers.</summary>
    public void Release(int index)
    {
        int mapping = index / _perMapping;
        if (Interlocked.Decrement(ref _held[mapping]) == 0)
        {
            ((IDisposable)_mappings[mapping]).Dispose();
        }
    }
}
