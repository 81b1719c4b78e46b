using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Unicode;

namespace Harness.Runtime.Native;

/// <summary>
/// The path <c>/proc/self/fd/N</c> of a descriptor, for the system calls that take no O_PATH descriptor: a link that the kernel follows to the
/// very file, whatever has become of its name, and not further even if that file is a symbolic link (proc_pid_fd(5)).
/// </summary>
/// <remarks>Keeps the descriptor open until it is disposed.</remarks>
internal ref struct DescriptorPath : IDisposable
{
    private readonly SafeHandle _descriptor;
    private readonly bool _isHeld;
    private Buffer _buffer;

    /// <summary>The path of <paramref name="descriptor"/>.</summary>
    public DescriptorPath(SafeHandle descriptor)
    {
        _descriptor = descriptor;
        descriptor.DangerousAddRef(ref _isHeld);
        Utf8.TryWrite(_buffer, $"/proc/self/fd/{(int)descriptor.DangerousGetHandle()}\0", out _);
    }

    /// <summary>The path, ended by NUL.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<byte> Text => _buffer;

    /// <inheritdoc/>
    public readonly void Dispose()
    {
        if (_isHeld)
        {
            _descriptor.DangerousRelease();
        }
    }

    // The prefix has 14 bytes, the longest number 10, and NUL ends it.
    [InlineArray(32)]
    private struct Buffer
    {
        private byte _element;
    }
}
