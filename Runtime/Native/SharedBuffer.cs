using System.Buffers;
using System.ComponentModel;
using Microsoft.Win32.SafeHandles;

namespace Harness.Runtime.Native;

/// <summary>
/// Memory that several processes share, all zero at first, and that lives as long as one of them has its descriptor (memfd_create(2)): what
/// a process wrote there survives its death.
/// </summary>
/// <remarks>Owned by whoever made it, who disposes it after the last use of its memory.</remarks>
internal sealed unsafe class SharedBuffer : MemoryManager<byte>
{
    private const int ProtReadWrite = 3;
    private const int MapShared = 1;
    private const uint MfdCloexec = 1;

    private readonly int _length;
    private byte* _pointer;

    private SharedBuffer(SafeFileHandle descriptor, int length)
    {
        Descriptor = descriptor;
        _length = length;
        void* pointer = Libc.Mmap(null, (nuint)length, ProtReadWrite, MapShared, (int)descriptor.DangerousGetHandle(), 0);
        if (pointer == (void*)-1)
        {
            var error = new Win32Exception((int)Libc.LastErrno, $"mmap of {length} shared bytes failed");
            descriptor.Dispose();
            throw error;
        }

        _pointer = (byte*)pointer;
    }

    /// <summary>What to give another process, so that it can <see cref="Open"/> the memory too.</summary>
    public SafeFileHandle Descriptor { get; }

    /// <summary>Size in bytes.</summary>
    public int Length => _length;

    /// <summary>Makes memory of <paramref name="length"/> bytes, whose pages cost nothing until they are touched.</summary>
    /// <param name="name">Stands in <c>/proc/PID/maps</c>.</param>
    /// <param name="length">Size in bytes.</param>
    /// <exception cref="Win32Exception">The system has not enough memory.</exception>
    public static SharedBuffer Create(string name, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        int fd = Libc.MemfdCreate(name, MfdCloexec);
        var descriptor = new SafeFileHandle(fd, ownsHandle: true);
        if (fd < 0 || Libc.Ftruncate(descriptor, length) < 0)
        {
            throw new Win32Exception((int)Libc.LastErrno, $"memfd_create of {length} bytes failed");
        }

        return new SharedBuffer(descriptor, length);
    }

    /// <summary>Maps memory that another process made.</summary>
    /// <param name="descriptor">Its descriptor, taken over.</param>
    /// <exception cref="Win32Exception">It is none, or the system has not enough memory.</exception>
    public static SharedBuffer Open(SafeFileHandle descriptor) => new(descriptor, checked((int)RandomAccess.GetLength(descriptor)));

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
            Descriptor.Dispose();
        }
    }
}
