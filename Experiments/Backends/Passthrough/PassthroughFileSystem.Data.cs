using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Runtime.Native;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Passthrough;

/// <content>Open files and their data, which go between the request's own memory and the host without a copy in between.</content>
internal sealed partial class PassthroughFileSystem
{
    /// <summary>The most that one COPY_FILE_RANGE copies, in bytes, so that none holds its thread for long; the caller asks again.</summary>
    private const ulong CopyBytesMax = 128 << 20;

    /// <inheritdoc/>
    public ValueTask<Result<OpenOut>> Open(RequestContext context, NodeId node, OpenIn arg)
    {
        using NodeFile found = _nodes.Open(node);
        if (found.Error != Errnos.Ok)
        {
            return new(found.Error);
        }

        // The kernel opens pipes, sockets and devices itself. Opening them here could wait for ever, or do something.
        if (found.Node.Type != FilePermissions.S_IFREG)
        {
            return new(found.Node.Type == FilePermissions.S_IFDIR ? Errno.EISDIR : Errno.ENXIO);
        }

        int flags = HostFlags(arg.Flags);
        using Callers.Assumed caller = _callers.ClearSetIds(context, (arg.OpenFlags & OpenInFlags.KillSuidgid) != 0);
        using var path = new DescriptorPath(found.Descriptor);
        int fd = Libc.OpenAt(FileFlags.AtFdcwd, path.Text, flags, 0);
        if (fd < 0 && Libc.LastErrno == Errno.EACCES && _writebackCache)
        {
            // Reading was only wanted to fill up pages. Who may not read the file goes without.
            flags = HostFlags(arg.Flags, writebackCache: false);
            fd = Libc.OpenAt(FileFlags.AtFdcwd, path.Text, flags, 0);
        }

        return fd >= 0 ? new(Opened(context, new OpenFile(found.Node, fd, flags))) : new(LastError);
    }

    /// <inheritdoc/>
    public ValueTask<Result<int>> Read(RequestContext context, NodeId node, ReadIn arg, Memory<byte> buffer)
    {
        if (_files.Find(arg.Fh) is not { } file)
        {
            return new(Errno.EBADF);
        }

        if (((int)arg.Flags & FileFlags.Direct) != 0 && file.Direct is { } direct)
        {
            nint read = Libc.Pread(direct, buffer.Span, (long)arg.Offset);
            if (read >= 0)
            {
                return new((int)read);
            }

            if (Libc.LastErrno != Errno.EINVAL)
            {
                return new(LastError);
            }

            // The request is not aligned as the host wants it, since FUSE asks for no alignment.
        }

        nint length = Libc.Pread(file, buffer.Span, (long)arg.Offset);
        return length >= 0 ? new((int)length) : new(LastError);
    }

    /// <inheritdoc/>
    public ValueTask<Result<int>> Write(RequestContext context, NodeId node, WriteIn arg, ReadOnlyMemory<byte> data)
    {
        if (_files.Find(arg.Fh) is not { } file)
        {
            return new(Errno.EBADF);
        }

        // What comes from the page cache has its own place, and its flags are those of whatever file was found to carry it.
        bool fromCache = (arg.WriteFlags & WriteFlags.Cache) != 0;
        bool append = !fromCache && !_writebackCache && ((int)arg.Flags & FileFlags.Append) != 0;
        bool isDirect = !fromCache && ((int)arg.Flags & FileFlags.Direct) != 0;
        using Callers.Assumed caller = _callers.ClearSetIds(context, (arg.WriteFlags & WriteFlags.KillSuidgid) != 0);
        FileDescriptor target = isDirect ? file.Direct ?? file : file;
        int done = append ? FirstRun.Appended(context, file, data.Span) : 0;
        done += WriteAll(target, data.Span[done..], (long)arg.Offset + done, append, out Errno error);
        if (error == Errno.EINVAL && isDirect)
        {
            done += WriteAll(file, data.Span[done..], (long)arg.Offset + done, append, out error);
        }

        // A short write is the application's to go on with, but nobody asks again for pages that have left the cache.
        return error == Errnos.Ok || (done > 0 && !fromCache) ? new(done) : new(error);
    }

    /// <summary>What close(2) of the host has to say of what was written, as it matters on network file systems.</summary>
    public ValueTask<Errno> Flush(RequestContext context, NodeId node, FlushIn arg)
    {
        const int FDupfdCloexec = 1030;
        if (_files.Find(arg.Fh) is not { } file)
        {
            return new(Errno.EBADF);
        }

        int copy = Libc.Fcntl(file, FDupfdCloexec, 0);
        return new(Checked(copy < 0 ? copy : Libc.Close(copy)));
    }

    /// <inheritdoc/>
    public ValueTask<Errno> Release(RequestContext context, NodeId node, ReleaseIn arg)
    {
        if (_files.Remove(arg.Fh) is not { } file)
        {
            return new(Errno.EBADF);
        }

        if (file.SharesBacking)
        {
            file.Node.UnshareBacking(_backingFiles!);
        }

        file.Dispose();
        return new(Errnos.Ok);
    }

    /// <inheritdoc/>
    public ValueTask<Errno> Fsync(RequestContext context, NodeId node, FsyncIn arg)
    {
        if (_files.Find(arg.Fh) is not { } file)
        {
            return new(Errno.EBADF);
        }

        return new(Checked((arg.FsyncFlags & FsyncFlags.Fdatasync) != 0 ? Libc.Fdatasync(file) : Libc.Fsync(file)));
    }

    /// <inheritdoc/>
    public ValueTask<Errno> Fallocate(RequestContext context, NodeId node, FallocateIn arg) => _files.Find(arg.Fh) is { } file
        ? new(Checked(Libc.Fallocate(file, (int)arg.Mode, (long)arg.Offset, (long)arg.Length)))
        : new(Errno.EBADF);

    /// <inheritdoc/>
    /// <remarks>
    /// With the writeback cache only the kernel knows which data there are, and asks all the same: told of a hole where it has dirty pages, cp(1)
    /// would copy nothing. ENOSYS makes it take the whole file for data.
    /// </remarks>
    public ValueTask<Result<ulong>> Lseek(RequestContext context, NodeId node, LseekIn arg)
    {
        if (_writebackCache)
        {
            return new(Errno.ENOSYS);
        }

        if (_files.Find(arg.Fh) is not { } file)
        {
            return new(Errno.EBADF);
        }

        long found = Libc.Lseek(file, (long)arg.Offset, (int)arg.Whence);
        return found >= 0 ? new((ulong)found) : new(LastError);
    }

    /// <inheritdoc/>
    public ValueTask<Result<ulong>> CopyFileRange(RequestContext context, NodeId node, CopyFileRangeIn arg)
    {
        if (_files.Find(arg.FhIn) is not { } from || _files.Find(arg.FhOut) is not { } to)
        {
            return new(Errno.EBADF);
        }

        long offset = (long)arg.OffIn;
        long newOffset = (long)arg.OffOut;
        nint copied = Libc.CopyFileRange(from, ref offset, to, ref newOffset, (nuint)Math.Min(arg.Len, CopyBytesMax), (uint)arg.Flags);
        return copied >= 0 ? new((ulong)copied) : new(LastError);
    }

    private static int WriteAll(FileDescriptor file, ReadOnlySpan<byte> data, long offset, bool append, out Errno error)
    {
        int done = 0;
        error = Errnos.Ok;
        while (done < data.Length && error == Errnos.Ok)
        {
            nint written = append ? Libc.PwriteAppend(file, data[done..]) : Libc.Pwrite(file, data[done..], offset + done);
            error = Checked(written);
            done += (int)Math.Max(0, written);
        }

        return done;
    }

    private int HostFlags(uint flags) => HostFlags(flags, _writebackCache);

    /// <summary>
    /// The flags that a file of the host is opened with. With the writeback cache the kernel reads a page before it changes part of it, whoever
    /// opened the file for writing.
    /// </summary>
    private static int HostFlags(uint flags, bool writebackCache)
    {
        const int Passed = FileFlags.AccessMode | FileFlags.Sync | FileFlags.NoAtime | FileFlags.Truncate;
        int hostFlags = ((int)flags & Passed) | FileFlags.CloseOnExec;
        return writebackCache && (hostFlags & FileFlags.AccessMode) == FileFlags.WriteOnly
            ? (hostFlags & ~FileFlags.AccessMode) | FileFlags.ReadWrite
            : hostFlags;
    }

    private Result<OpenOut> Opened(RequestContext context, OpenFile file)
    {
        ulong fh = _files.Add(file, context.Unique);
        if (fh == 0)
        {
            file.Dispose();
            return Errno.ENFILE;
        }

        OpenOut reply = _backend.OpenedFile(fh);
        if (_backingFiles is null)
        {
            return reply;
        }

        file.SharesBacking = true;
        if (file.Node.ShareBacking(_backingFiles, file) is int id)
        {
            // What the page cache would be told does not go with passthrough (fs/fuse/iomode.c, FOPEN_PASSTHROUGH_MASK).
            reply.OpenFlags = (reply.OpenFlags & (FopenFlags.Noflush | FopenFlags.ParallelDirectWrites)) | FopenFlags.Passthrough;
            reply.BackingId = id;
        }

        return reply;
    }
}
