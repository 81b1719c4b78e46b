using System.Buffers;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Memory;

/// <content>Data of regular files.</content>
internal sealed partial class MemoryFileSystem
{
    /// <summary>The most that one COPY_FILE_RANGE copies, in bytes, so that none holds its thread for long; the caller asks again.</summary>
    private const ulong CopyBytesMax = 32 << 20;

    private const int CopyBufferBytes = 128 << 10;

    /// <inheritdoc/>
    public ValueTask<Result<OpenOut>> Open(RequestContext context, NodeId node, OpenIn arg)
    {
        Errno error = OpenFile(context, node, (OpenFlags)arg.Flags, arg.OpenFlags);
        return error == Errnos.Ok ? new(_backend.OpenedFile(NewFh())) : new(error);
    }

    /// <inheritdoc/>
    public ValueTask<Result<int>> Read(RequestContext context, NodeId node, ReadIn arg, Memory<byte> buffer)
    {
        Errno error = FindFile(node, out Inode inode, out FileContent content);
        if (error != Errnos.Ok)
        {
            return new(error);
        }

        int length = content.Read(arg.Offset, buffer.Span);
        Accessed(inode);
        return new(length);
    }

    /// <inheritdoc/>
    public ValueTask<Result<int>> Write(RequestContext context, NodeId node, WriteIn arg, ReadOnlyMemory<byte> data)
    {
        Errno error = FindFile(node, out Inode inode, out FileContent content);
        if (error != Errnos.Ok)
        {
            return new(error);
        }

        bool fromCache = (arg.WriteFlags & WriteFlags.Cache) != 0;

        // With the writeback cache only the kernel knows where the end is: what is dirty behind ours has not been sent yet.
        bool append = !fromCache && !_writebackCache && ((OpenFlags)arg.Flags & OpenFlags.O_APPEND) != 0;
        Result<int> written = append ? content.Append(data.Span) : content.Write(arg.Offset, data.Span);
        if (!written.IsOk)
        {
            return new(written);
        }

        // With the writeback cache the kernel keeps the times of files, and sends them when it has written the data.
        if (!fromCache || !_writebackCache)
        {
            Modified(context, inode, (arg.WriteFlags & WriteFlags.KillSuidgid) != 0);
        }

        // Nobody is left to ask again for the rest of what was written into the page cache long ago.
        return fromCache && written.Value < data.Length ? new(Errno.ENOSPC) : new(written);
    }

    /// <inheritdoc/>
    public ValueTask<Errno> Fallocate(RequestContext context, NodeId node, FallocateIn arg)
    {
        Errno error = FindFile(node, out Inode inode, out FileContent content);
        if (error == Errnos.Ok)
        {
            error = content.Allocate(arg.Mode, arg.Offset, arg.Length);
        }

        if (error == Errnos.Ok)
        {
            Modified(context, inode, clearSetIds: false);
        }

        return new(error);
    }

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

        Errno error = FindFile(node, out _, out FileContent content);
        return error == Errnos.Ok ? new(content.Seek(arg.Offset, arg.Whence)) : new(error);
    }

    /// <inheritdoc/>
    public ValueTask<Result<ulong>> CopyFileRange(RequestContext context, NodeId node, CopyFileRangeIn arg)
    {
        Errno error = FindFile(node, out Inode source, out FileContent from);
        Errno targetError = FindFile(new NodeId(arg.NodeidOut), out Inode target, out FileContent to);
        if (error != Errnos.Ok || targetError != Errnos.Ok)
        {
            return new(error != Errnos.Ok ? error : targetError);
        }

        ulong length = Math.Min(arg.Len, CopyBytesMax);
        bool overlaps = arg.OffIn < arg.OffOut + length && arg.OffOut < arg.OffIn + length;
        if (arg.Flags != 0 || (source == target && overlaps))
        {
            return new(Errno.EINVAL);
        }

        // Where source and target are one file, the copy must not go on into what it has just written.
        ulong size = (ulong)from.Size;
        length = arg.OffIn < size ? Math.Min(length, size - arg.OffIn) : 0;
        Result<ulong> copied = Copy(from, arg.OffIn, to, arg.OffOut, length);
        if (copied.IsOk && copied.Value > 0)
        {
            Accessed(source);
            Modified(context, target, clearSetIds: false);
        }

        return new(copied);
    }

    /// <inheritdoc/>
    public ValueTask<Errno> Fsync(RequestContext context, NodeId node, FsyncIn arg) => new(Errnos.Ok);

    /// <summary>A handle that no other open file has.</summary>
    private ulong NewFh() => Interlocked.Increment(ref _lastFh);

    private Errno OpenFile(RequestContext context, NodeId node, OpenFlags flags, OpenInFlags openFlags)
    {
        Errno error = FindFile(node, out Inode inode, out FileContent content);
        if (error == Errnos.Ok && (flags & OpenFlags.O_TRUNC) != 0)
        {
            content.Truncate(0);
            Modified(context, inode, (openFlags & OpenInFlags.KillSuidgid) != 0);
        }

        return error;
    }

    private static Result<ulong> Copy(FileContent from, ulong offset, FileContent to, ulong newOffset, ulong length)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(CopyBufferBytes);
        try
        {
            ulong done = 0;
            while (done < length)
            {
                int read = from.Read(offset + done, buffer.AsSpan(0, (int)Math.Min(CopyBufferBytes, length - done)));
                if (read == 0)
                {
                    break;
                }

                Result<int> written = to.Write(newOffset + done, buffer.AsSpan(0, read));
                if (!written.IsOk && done == 0)
                {
                    return written.Error;
                }

                done += written.IsOk ? (ulong)written.Value : 0;
                if (!written.IsOk || written.Value < read)
                {
                    break;
                }
            }

            return done;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Notes that a file's data have changed.</summary>
    private void Modified(RequestContext context, Inode inode, bool clearSetIds)
    {
        Timestamp now = Now;
        lock (inode.Gate)
        {
            inode.Modified(now);
            ClearPrivileges(context, inode, clearSetIds);
        }
    }
}
