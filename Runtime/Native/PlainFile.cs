using Mono.Unix.Native;

namespace Harness.Runtime.Native;

/// <summary>An open file by its descriptor; results are a count or −1, with the errno in <see cref="Libc.LastErrno"/>.</summary>
internal sealed unsafe class PlainFile : FileDescriptor
{
    /// <summary>RWF_DONTCACHE: what was written begins its way to the device and leaves the page cache when it is there.</summary>
    public const int Uncached = 0x80;

    private const int RwfNowait = 8;
    private const int FallocKeepSize = 1;
    private const int FallocPunchHole = 2;

    private PlainFile(int fd)
        : base(fd)
    {
    }

    /// <summary>Opens a path with the flags of open(2); null and an errno where that fails.</summary>
    public static PlainFile? Open(string path, int flags, out Errno error)
    {
        int fd = Libc.Open(path, flags | FileFlags.CloseOnExec, 0x1B0);
        error = fd < 0 ? Libc.LastErrno : 0;
        return fd < 0 ? null : new PlainFile(fd);
    }

    /// <summary>Its size; −1 on an error.</summary>
    public long Size() => Libc.Lseek(this, 0, 2);

    /// <summary>Reads what the page cache has (preadv2(2), RWF_NOWAIT); EAGAIN where a disk would have to be waited for.</summary>
    public nint ReadCached(Span<byte> buffer, long offset)
    {
        fixed (byte* bytes = buffer)
        {
            var vector = new Iovec { Base = bytes, Length = (nuint)buffer.Length };
            return Libc.Preadv2(this, &vector, 1, offset, RwfNowait);
        }
    }

    /// <summary>Writes two pieces one behind the other (pwritev2(2)).</summary>
    public nint Write(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, long offset, int flags = 0)
    {
        fixed (byte* one = first)
        {
            fixed (byte* two = second)
            {
                Iovec* vector = stackalloc Iovec[2];
                vector[0] = new Iovec { Base = one, Length = (nuint)first.Length };
                vector[1] = new Iovec { Base = two, Length = (nuint)second.Length };
                return Libc.Pwritev2(this, vector, second.IsEmpty ? 1 : 2, offset, flags);
            }
        }
    }

    /// <summary>Gives a range back to the file system; its bytes read as zero.</summary>
    public int PunchHole(long offset, long length) => Libc.Fallocate(this, FallocKeepSize | FallocPunchHole, offset, length);

    /// <summary>Total and available bytes of a path's file system; false on an error.</summary>
    public bool TrySpace(out long total, out long free, out long filesFree)
    {
        bool ok = Libc.Fstatfs(this, out FileSystemStatus status) == 0;
        // Some file systems make inodes as they need them, and say that there are none (statfs(2): "undefined fields are set to 0").
        filesFree = status.Files == 0 ? long.MaxValue : (long)status.Ffree;
        (total, free) = ((long)status.Blocks * status.Bsize, (long)status.Bavail * status.Bsize);
        return ok;
    }
}
