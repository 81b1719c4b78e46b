using Harness.FuseProtocol;
using Harness.Runtime.Native;
using Mono.Unix.Native;

namespace Harness.Cluster.Disk;

/// <summary>The real side of <see cref="IDiskFile"/>.</summary>
/// <remarks>
/// What the page cache can answer is answered on the loop itself, without a thread between: a read tries RWF_NOWAIT first, a write goes
/// into the cache. Only what waits for the device (a read that misses, a sync) or may walk many extents is handed to a worker.
/// </remarks>
internal sealed class RealFile(RealDisk disk, PlainFile file) : IDiskFile
{
    private static readonly Func<DiskJob, Result<int>> s_read = static job => job.File!.ReadNow(job.Offset, job.Buffer.Span);
    private static readonly Func<DiskJob, Result<int>> s_sync = static job => Check(Libc.Fdatasync(job.File!._file));
    private static readonly Func<DiskJob, Result<int>> s_punch = static job => Check(job.File!._file.PunchHole(job.Offset, job.Length));
    private static readonly Func<DiskJob, Result<int>> s_truncate = static job => Check(Libc.Ftruncate(job.File!._file, job.Length));

    private static bool s_hasUncached = true;

    private readonly PlainFile _file = file;

    /// <inheritdoc/>
    public long Length => _file.Size();

    /// <inheritdoc/>
    public ValueTask<Result<int>> Read(long offset, Memory<byte> buffer)
    {
        nint count = _file.ReadCached(buffer.Span, offset);
        if (count == buffer.Length)
        {
            return new ValueTask<Result<int>>((int)count);
        }

        DiskJob job = disk.Rent();
        short token = job.Begin(this, s_read, offset, buffer.Length, buffer);
        disk.Workers.Run(job);
        return new ValueTask<Result<int>>(job, token);
    }

    /// <inheritdoc/>
    public ValueTask<Errno> Write(long offset, ReadOnlyMemory<byte> data) => Write(offset, data, default);

    /// <inheritdoc/>
    public ValueTask<Errno> Write(long offset, ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second) =>
        new(WriteNow(_file, offset, first.Span, second.Span).Error);

    /// <inheritdoc/>
    public ValueTask<Errno> WriteUncached(long offset, ReadOnlyMemory<byte> data)
    {
        Result<int> written = s_hasUncached ? WriteNow(_file, offset, data.Span, default, PlainFile.Uncached) : Errno.EOPNOTSUPP;
        if (written.Error is Errno.EOPNOTSUPP or Errno.EINVAL)
        {
            // A kernel before 6.14, or a file system without it.
            s_hasUncached = false;
            return Write(offset, data);
        }

        return new ValueTask<Errno>(written.Error);
    }

    /// <inheritdoc/>
    public ValueTask<Errno> Sync() => OnWorker(s_sync, 0, 0);

    /// <inheritdoc/>
    public ValueTask<Errno> Truncate(long length) => OnWorker(s_truncate, 0, length);

    /// <inheritdoc/>
    public ValueTask<Errno> PunchHole(long offset, long length) => OnWorker(s_punch, offset, length);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static Result<int> WriteNow(PlainFile file, long offset, ReadOnlySpan<byte> one, ReadOnlySpan<byte> two, int flags = 0)
    {
        while (one.Length + two.Length > 0)
        {
            nint count = file.Write(one, two, offset, flags);
            if (count <= 0)
            {
                Errno error = count == 0 ? Errno.EIO : Libc.LastErrno;
                if (error == Errno.EINTR)
                {
                    continue;
                }

                return error;
            }

            offset += count;
            int ofFirst = Math.Min((int)count, one.Length);
            one = one[ofFirst..];
            two = two[((int)count - ofFirst)..];
        }

        return 0;
    }

    private static Result<int> Check(int result) => result < 0 ? Libc.LastErrno : 0;

    private ValueTask<Errno> OnWorker(Func<DiskJob, Result<int>> call, long offset, long length)
    {
        DiskJob job = disk.Rent();
        short token = job.Begin(this, call, offset, length, default);
        disk.Workers.Run(job);
        return new ValueTask<Errno>(job, token);
    }

    private Result<int> ReadNow(long offset, Span<byte> buffer)
    {
        int done = 0;
        while (done < buffer.Length)
        {
            nint count = Libc.Pread(_file, buffer[done..], offset + done);
            if (count == 0)
            {
                break;
            }

            if (count > 0)
            {
                done += (int)count;
            }
            else if (Libc.LastErrno != Errno.EINTR)
            {
                return Libc.LastErrno;
            }
        }

        return done;
    }
}
