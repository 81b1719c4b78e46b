using System.Buffers;
using System.ComponentModel;

namespace Harness.Runtime.Native;

/// <summary>
/// Memory whose last byte is the last of its page, with an inaccessible page right behind: whoever reads or writes past the end, even by
/// unchecked code, ends the process. In front of it stand bytes of a known value, which a write before the start changes.
/// </summary>
/// <remarks>Owned by whoever made it, who disposes it after the last use of its memory.</remarks>
internal sealed unsafe class GuardedBuffer : MemoryManager<byte>
{
    /// <summary>What untouched memory is filled with.</summary>
    public const byte Canary = 0xC5;

    private const int PageSize = 4096;
    private const int ProtNone = 0;
    private const int ProtReadWrite = 3;
    private const int MapPrivateAnonymous = 0x22;
    private const int MapFixed = 0x10;

    private readonly int _length;
    private readonly nuint _accessible;
    private byte* _mapping;

    /// <summary>Maps <paramref name="length"/> bytes between canaries and guard.</summary>
    /// <exception cref="Win32Exception">The system has not enough memory.</exception>
    public GuardedBuffer(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        _length = length;
        // At least a page of canaries, and the rest of the buffer's own first page.
        _accessible = (nuint)((length + PageSize - 1) / PageSize * PageSize) + PageSize;
        void* mapping = Libc.Mmap(null, _accessible + PageSize, ProtNone, MapPrivateAnonymous, -1, 0);
        if (mapping == (void*)-1 ||
            Libc.Mmap(mapping, _accessible, ProtReadWrite, MapPrivateAnonymous | MapFixed, -1, 0) == (void*)-1)
        {
            throw new Win32Exception((int)Libc.LastErrno, $"mmap of {length} bytes and a guard failed");
        }

        _mapping = (byte*)mapping;
        new Span<byte>(_mapping, (int)_accessible).Fill(Canary);
    }

    /// <summary>Whether nobody wrote before the buffer's first byte.</summary>
    public bool IsIntact => !new ReadOnlySpan<byte>(_mapping, (int)_accessible - _length).ContainsAnyExcept(Canary);

    /// <inheritdoc/>
    public override Span<byte> GetSpan() => new(_mapping + _accessible - _length, _length);

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0) => new(_mapping + _accessible - _length + elementIndex);

    /// <inheritdoc/>
    public override void Unpin()
    {
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (_mapping != null)
        {
            _ = Libc.Munmap(_mapping, _accessible + PageSize);
            _mapping = null;
        }
    }
}
