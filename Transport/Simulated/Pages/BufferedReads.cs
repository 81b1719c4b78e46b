using System.Runtime.CompilerServices;
using Harness.FuseProtocol;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Files;
using Harness.Transport.Simulated.Names;
using Harness.Transport.Simulated.Requests;
using Mono.Unix.Native;

namespace Harness.Transport.Simulated.Pages;

/// <summary>read(2) through the page cache (mm/filemap.c, <c>filemap_read</c>).</summary>
internal sealed class BufferedReads(FuseConnection connection, Readahead readahead, ReadEnd ended)
{
    /// <summary>Reads from the page cache, which is filled as needed.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<int>> Read(KernelTask task, OpenFile file, Memory<byte> buffer, long position)
    {
        Inode inode = file.Inode;
        long behind = (position + buffer.Length + CachePage.Bytes - 1) >> CachePage.Shift;
        int done = 0;
        while (done < buffer.Length && position + done < inode.Size)
        {
            long at = position + done;
            long index = at >> CachePage.Shift;
            CachePage? page = inode.Pages.Find(index);
            if (page is null)
            {
                await readahead.OnMiss(task, file, index, behind - index);
                page = inode.Pages.Find(index);
            }

            page ??= inode.Pages.Add(index);
            if (page.HasReadaheadMark)
            {
                await readahead.OnMark(task, file, page, behind - index);
            }

            Errno error = await Fill(task, file, page);
            if (error != Errnos.Ok)
            {
                return done > 0 ? done : error;
            }

            if (at >= inode.Size)
            {
                break;
            }

            int inPage = (int)(at & (CachePage.Bytes - 1));
            int bytes = (int)Math.Min(Math.Min(CachePage.Bytes - inPage, buffer.Length - done), inode.Size - at);
            page.Data.AsSpan(inPage, bytes).CopyTo(buffer.Span[done..]);
            int node = task.Thread.Cpu.Node.Id;
            task.Thread.Charge(connection.Costs.Page);
            await task.Thread.Copy(bytes, node, node);
            done += bytes;
        }

        if (done > 0)
        {
            file.Readahead.PreviousPosition = position + done;
        }

        return done;
    }

    /// <summary>Waits until a page holds what the file holds, and reads it if nobody does.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Errno> Fill(KernelTask task, OpenFile file, CachePage page, bool isRead = true)
    {
        while (page.IsReading)
        {
            await file.Inode.Pages.Readers.Wait(task.Thread);
        }

        if (page.IsUptodate)
        {
            return Errnos.Ok;
        }

        if (file.Inode.Pages.Find(page.Index) != page)
        {
            // Its READ has failed, or it was truncated away.
            return Errno.EIO;
        }

        page.IsReading = true;
        KernelRequest request = PageReads.Make(connection, file, page.Index, 1);
        request.Context = file;
        file.Uses++;
        Errno error = await connection.Send(task, request);
        await ended.Foreground(task.Thread, request, error == Errnos.Ok, isRead);
        connection.Return(request);
        return error;
    }
}
