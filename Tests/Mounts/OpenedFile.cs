using System.Runtime.InteropServices;
using System.Text;
using Harness.Runtime.Native;
using Mono.Unix.Native;

namespace Harness.Tests.Mounts;

/// <summary>A file that a test has open.</summary>
internal sealed unsafe class OpenedFile(int fd) : IDisposable
{
    private int _fd = fd;

    /// <summary>Its descriptor.</summary>
    public int Fd => _fd;

    public FileStatus Status
    {
        get
        {
            FileStatus status;
            Posix.Ok(Posix.Errnos(PosixNative.Statx(_fd, string.Empty, FileFlags.AtEmptyPath, FileStatus.All, &status)));
            return status;
        }
    }

    /// <summary>Writes where the file stands.</summary>
    public int Write(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        fixed (byte* data = bytes)
        {
            nint written = PosixNative.Write(_fd, data, (nuint)bytes.Length);
            Assert.True(written >= 0, $"write: {Libc.LastErrno}");
            return (int)written;
        }
    }

    public Errno TryWrite(ReadOnlySpan<byte> data, long offset)
    {
        fixed (byte* bytes = data)
        {
            return Posix.Errnos(PosixNative.Pwrite(_fd, bytes, (nuint)data.Length, offset));
        }
    }

    /// <summary>Writes all of it at an offset.</summary>
    public void Write(ReadOnlySpan<byte> data, long offset)
    {
        fixed (byte* bytes = data)
        {
            nint written = PosixNative.Pwrite(_fd, bytes, (nuint)data.Length, offset);
            Assert.True(written == data.Length, $"pwrite of {data.Length} bytes at {offset}: {written} ({Libc.LastErrno})");
        }
    }

    /// <summary>Reads at an offset, up to the end of the file.</summary>
    public int Read(Span<byte> buffer, long offset)
    {
        fixed (byte* bytes = buffer)
        {
            nint read = PosixNative.Pread(_fd, bytes, (nuint)buffer.Length, offset);
            Assert.True(read >= 0, $"pread of {buffer.Length} bytes at {offset}: {Libc.LastErrno}");
            return (int)read;
        }
    }

    public Errno TryRead(Span<byte> buffer, long offset)
    {
        fixed (byte* bytes = buffer)
        {
            return Posix.Errnos(PosixNative.Pread(_fd, bytes, (nuint)buffer.Length, offset));
        }
    }

    public string Read(long offset, int lengthMax)
    {
        byte[] buffer = new byte[lengthMax];
        return Encoding.UTF8.GetString(buffer, 0, Read(buffer, offset));
    }

    public long Seek(long offset, int whence) => PosixNative.Lseek(_fd, offset, whence);

    public Errno Truncate(long size) => Posix.Errnos(PosixNative.Ftruncate(_fd, size));

    public Errno Allocate(int mode, long offset, long length) => Posix.Errnos(PosixNative.Fallocate(_fd, mode, offset, length));

    public Errno Sync() => Posix.Errnos(PosixNative.Fsync(_fd));

    /// <summary>Reads on in a directory to its end.</summary>
    public List<string> ReadDirectory(int bufferBytes = 32768)
    {
        var names = new List<string>();
        byte[] buffer = new byte[bufferBytes];
        while (ReadDirectory(buffer, names) > 0)
        {
        }

        return names;
    }

    /// <summary>Whether a directory can be read on.</summary>
    public Errno TryReadDirectory()
    {
        byte* buffer = stackalloc byte[512];
        return Posix.Errnos(PosixNative.Getdents64(_fd, buffer, 512));
    }

    /// <summary>One getdents64(2).</summary>
    /// <returns>Bytes; 0 at the end.</returns>
    public int ReadDirectory(byte[] buffer, List<string> names)
    {
        fixed (byte* bytes = buffer)
        {
            int length = (int)PosixNative.Getdents64(_fd, bytes, (nuint)buffer.Length);
            Assert.True(length >= 0, $"getdents64: {Libc.LastErrno}");
            for (int at = 0; at < length; at += MemoryMarshal.Read<ushort>(buffer.AsSpan(at + 16)))
            {
                names.Add(Marshal.PtrToStringUTF8((nint)(bytes + at + 19))!);
            }

            return length;
        }
    }

    public void Dispose()
    {
        if (_fd >= 0)
        {
            _ = PosixNative.Close(_fd);
            _fd = -1;
        }
    }
}
