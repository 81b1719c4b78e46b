using Harness.Runtime.Native;

namespace Harness.Tests.Mounts;

/// <summary>A shared mapping of an open file, touched in native code only (see <see cref="MountFixture"/>).</summary>
internal sealed unsafe class Mapping : IDisposable
{
    private const int ReadWrite = 3;
    private const int Shared = 1;
    private const int SyncAndWait = 4;

    private readonly byte* _pointer;
    private readonly int _length;

    public Mapping(OpenedFile file, int length)
    {
        _length = length;
        _pointer = PosixNative.Mmap(null, (nuint)length, ReadWrite, Shared, file.Fd, 0);
        Assert.True(_pointer != (byte*)-1, $"mmap: {Libc.LastErrno}");
    }

    public void Write(int offset, ReadOnlySpan<byte> data)
    {
        Assert.True(offset + data.Length <= _length);
        fixed (byte* bytes = data)
        {
            PosixNative.Memcpy(_pointer + offset, bytes, (nuint)data.Length);
        }
    }

    public void Read(int offset, Span<byte> buffer)
    {
        Assert.True(offset + buffer.Length <= _length);
        fixed (byte* bytes = buffer)
        {
            PosixNative.Memcpy(bytes, _pointer + offset, (nuint)buffer.Length);
        }
    }

    public void Sync() => Posix.Ok(Posix.Errnos(PosixNative.Msync(_pointer, (nuint)_length, SyncAndWait)));

    public void Dispose() => _ = PosixNative.Munmap(_pointer, (nuint)_length);
}
