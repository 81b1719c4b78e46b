using System.Buffers;
using System.ComponentModel;

namespace Harness.Runtime.Native;

/// <summary>
/// Page-aligned memory from mmap(2), outside the managed heap: its pages cost nothing until they are touched, and the thread that touches
/// them first gets them on its own NUMA node.
/// </summary>
/// <remarks>Owned by whoever made it, who disposes it after the last use of its memory.</remarks>
public sealed unsafe class NativeBuffer : MemoryManager<byte>
{
    private const int ProtReadWrite = 3;
    private const int MapPrivateAnonymous = 0x22;

    private readonly int _length;
    private byte* _pointer;
    private bool _isPlaced;

    /// <summary>Maps <paramref name="length"/> bytes, all zero.</summary>
    /// <exception cref="Win32Exception">The system has not enough memory.</exception>
    public NativeBuffer(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        void* pointer = Libc.Mmap(null, (nuint)length, ProtReadWrite, MapPrivateAnonymous, -1, 0);
        if (pointer == (void*)-1)
        {
            throw new Win32Exception((int)Libc.LastErrno, $"mmap of {length} bytes failed");
        }

        _pointer = (byte*)pointer;
        _length = length;
    }

    /// <summary>Asks for the pages on one NUMA node, before they are touched (mbind(2), MPOL_PREFERRED: another node where that one is full).</summary>
    /// <returns>False if the kernel knows no such node, or no NUMA; the pages then come from wherever they are touched.</returns>
    public bool TryPlace(int node)
    {
        const int MpolPreferred = 1;
        ulong[] mask = new CpuSet([node]).ToMask();
        fixed (ulong* words = mask)
        {
            // The kernel reads one bit less than it is told (mm/mempolicy.c, get_nodes).
            _isPlaced = Libc.Syscall(Libc.SysMbind, (nint)_pointer, _length, MpolPreferred, (nint)words, (mask.Length * 64) + 1, 0) == 0;
            return _isPlaced;
        }
    }

    /// <summary>
    /// Gives every page memory now and keeps it there, so that the kernel can copy from and to the buffer without waiting for a page: in a
    /// process that is being killed such a wait fails, and with it the request (mm/gup.c, <c>__get_user_pages</c>).
    /// </summary>
    /// <remarks>
    /// Two things would take pages out of the page table for a moment, even locked ones, and are kept away: the collapse into huge pages, and
    /// the sampling of accesses that balances NUMA nodes, which leaves memory with a policy of its own alone (mempolicy.h, <c>vma_policy_mof</c>).
    /// </remarks>
    /// <returns>False if this process may lock no more memory (RLIMIT_MEMLOCK), so that the pages could be swapped out.</returns>
    public bool MakeResident()
    {
        const int MadvNohugepage = 15;
        const int MadvPopulateWrite = 23;
        const int MpolLocal = 4;
        _ = Libc.Madvise(_pointer, (nuint)_length, MadvNohugepage);
        if (!_isPlaced)
        {
            _ = Libc.Syscall(Libc.SysMbind, (nint)_pointer, _length, MpolLocal, 0, 0, 0);
        }

        if (Libc.Mlock(_pointer, (nuint)_length) == 0)
        {
            return true;
        }

        return Libc.Madvise(_pointer, (nuint)_length, MadvPopulateWrite) != 0
            ? throw new Win32Exception((int)Libc.LastErrno, $"populating {_length} bytes failed")
            : false;
    }

    /// <summary>
    /// Asks for huge pages, before they are touched. Of use where the length is a multiple of theirs, 2 MiB on x86-64, which the kernel then also aligns
    /// (since Linux 6.7: mm/mmap.c, <c>__get_unmapped_area</c>).
    /// </summary>
    /// <returns>False if the kernel has none.</returns>
    public bool TryMakeHuge()
    {
        const int MadvHugepage = 14;
        return Libc.Madvise(_pointer, (nuint)_length, MadvHugepage) == 0;
    }

    /// <summary>First byte.</summary>
    internal byte* Pointer => _pointer;

    /// <summary>Where it lies, for system calls that are made by number.</summary>
    internal nint Address => (nint)_pointer;

    /// <summary>Size in bytes.</summary>
    public int Length => _length;

    /// <inheritdoc/>
    public override Span<byte> GetSpan() => new(_pointer, _length);

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0) => new(_pointer + elementIndex);

    /// <inheritdoc/>
    public override void Unpin()
    {
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (_pointer != null)
        {
            _ = Libc.Munmap(_pointer, (nuint)_length);
            _pointer = null;
        }
    }
}
