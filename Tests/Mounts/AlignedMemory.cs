using Harness.Runtime.Native;

namespace Harness.Tests.Mounts;

/// <summary>Memory that begins on a page, as direct I/O wants it.</summary>
internal sealed class AlignedMemory(int length) : IDisposable
{
    private readonly NativeBuffer _buffer = new(length);

    public Span<byte> Span => _buffer.GetSpan();

    public void Dispose() => ((IDisposable)_buffer).Dispose();
}
