using System.Runtime.CompilerServices;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Files;
using Harness.Transport.Simulated.Names;
using Harness.Transport.Simulated.Requests;
using Mono.Unix.Native;

namespace Harness.Transport.Simulated.Pages;

/// <summary>write(2) through the page cache to the daemon, message by message (fs/fuse/file.c, <c>fuse_perform_write</c>).</summary>
internal sealed class ThroughWrites(FuseConnection connection, InodeTable inodes)
{
    /// <summary>Writes data; the caller holds the inode's lock.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<int>> Write(KernelTask task, OpenFile file, ReadOnlyMemory<byte> data, long position, OpenFileFlags flags)
    {
        Inode inode = file.Inode;
        inode.IsSizeUnstable = inode.Size < position + data.Length;
        int done = 0;
        Errno error = Errnos.Ok;
        while (done < data.Length && error == Errnos.Ok)
        {
            int length = await FillPages(task, inode, data[done..], position + done);
            Result<int> written = await Send(task, file, data.Slice(done, length), position + done, flags);
            error = written.Error;
            if (written.IsOk)
            {
                done += written.Value;
                error = written.Value == length ? Errnos.Ok : Errno.EIO;
            }
        }

        Written(inode, position + done, done);
        inode.IsSizeUnstable = false;
        return done > 0 ? done : error;
    }

    /// <summary>A write has moved the end of the file, and its attributes (<c>fuse_write_update_attr</c>).</summary>
    public bool Written(Inode inode, long end, int bytes)
    {
        inodes.Changed(inode);
        bool extends = bytes > 0 && end > inode.Size;
        if (extends)
        {
            inode.Size = end;
        }

        inode.Invalidate(AttributeMask.ModifyAndSize);
        return extends;
    }

    /// <summary>
    /// Copies into pages as much as one message takes: up to a page that is written in part and whose rest is not known, since that
    /// page stays locked until the answer.
    /// </summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<int> FillPages(KernelTask task, Inode inode, ReadOnlyMemory<byte> data, long position)
    {
        int most = Math.Min(data.Length, connection.MaxWrite);
        int node = task.Thread.Cpu.Node.Id;
        int length = 0;
        for (int pages = 0; length < most && pages < connection.MaxPages; pages++)
        {
            long at = position + length;
            int inPage = (int)(at & (CachePage.Bytes - 1));
            int bytes = Math.Min(CachePage.Bytes - inPage, most - length);
            CachePage page = inode.Pages.Find(at >> CachePage.Shift) ?? inode.Pages.Add(at >> CachePage.Shift);
            while (page.IsReading)
            {
                await inode.Pages.Readers.Wait(task.Thread);
            }

            data.Span.Slice(length, bytes).CopyTo(page.Data.AsSpan(inPage));
            task.Thread.Charge(connection.Costs.Page);
            await task.Thread.Copy(bytes, node, node);
            length += bytes;
            page.IsUptodate |= bytes == CachePage.Bytes;
            if (!page.IsUptodate || !connection.Has(InitFlags.BigWrites) || inPage + bytes != CachePage.Bytes)
            {
                break;
            }
        }

        return length;
    }

    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<Result<int>> Send(
        KernelTask task, OpenFile file, ReadOnlyMemory<byte> data, long position, OpenFileFlags flags)
    {
        KernelRequest request = connection.Rent(Opcode.Write, file.Inode.NodeId);
        request.Add(new WriteIn { Fh = file.Fh, Offset = (ulong)position, Size = (uint)data.Length, Flags = (uint)(file.Flags | flags) });
        request.Data.Add(data);
        Errno error = await connection.Send(task, request);
        int written = (int)Math.Min(request.Read<WriteOut>().Size, (uint)data.Length);
        connection.Return(request);
        return error == Errnos.Ok ? written : error;
    }
}
