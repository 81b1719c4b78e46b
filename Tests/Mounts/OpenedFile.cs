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
        while (ReadRecords(bufferBytes) is { Count: > 0 } records)
        {
            names.AddRange(records.Select(record => record.Name));
        }

        return names;
    }

    /// <summary>One getdents64(2).</summary>
    /// <returns>What it returned; nothing at the end.</returns>
    public List<DirectoryRecord> ReadRecords(int bufferBytes = 32768)
    {
        byte[] buffer = new byte[bufferBytes];
        fixed (byte* bytes = buffer)
        {
            int length = (int)PosixNative.Getdents64(_fd, bytes, (nuint)buffer.Length);
            Assert.True(length >= 0, $"getdents64: {Libc.LastErrno}");
            var records = new List<DirectoryRecord>();
            for (int at = 0; at < length; at += MemoryMarshal.Read<ushort>(buffer.AsSpan(at + 16)))
            {
                ulong ino = MemoryMarshal.Read<ulong>(buffer.AsSpan(at));
                long offset = MemoryMarshal.Read<long>(buffer.AsSpan(at + 8));
                records.Add(new DirectoryRecord(Marshal.PtrToStringUTF8((nint)(bytes + at + 19))!, ino, offset, buffer[at + 18]));
            }

            return records;
        }
    }

    /// <summary>Whether a directory can be read on.</summary>
    public Errno TryReadDirectory()
    {
        byte* buffer = stackalloc byte[512];
        return Posix.Errnos(PosixNative.Getdents64(_fd, buffer, 512));
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

/// <summary>A name as getdents64(2) lists it.</summary>
/// <param name="Name">The name.</param>
/// <param name="Ino">The inode number of what has it.</param>
/// <param name="Offset">Where the next name is.</param>
/// <param name="Type">The type of what has it: bits 12 to 15 of its mode.</param>
internal readonly record struct DirectoryRecord(string Name, ulong Ino, long Offset, byte Type);
