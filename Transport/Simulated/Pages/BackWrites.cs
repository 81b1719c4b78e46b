using System.Runtime.CompilerServices;
using Harness.FuseProtocol;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Files;
using Harness.Transport.Simulated.Names;
using Harness.Transport.Simulated.Requests;
using Mono.Unix.Native;

namespace Harness.Transport.Simulated.Pages;

/// <summary>write(2) into the page cache, to be sent later (fs/iomap/buffered-io.c, <c>iomap_file_buffered_write</c>).</summary>
internal sealed class BackWrites(FuseConnection connection, InodeTable inodes, BufferedReads reads, Flusher flusher)
{
    /// <summary>Writes data; the caller holds the inode's lock.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<int>> Write(KernelTask task, OpenFile file, ReadOnlyMemory<byte> data, long position)
    {
        Inode inode = file.Inode;
        int node = task.Thread.Cpu.Node.Id;
        int done = 0;
        while (done < data.Length)
        {
            long at = position + done;
            int inPage = (int)(at & (CachePage.Bytes - 1));
            int bytes = Math.Min(CachePage.Bytes - inPage, data.Length - done);
            long index = at >> CachePage.Shift;
            CachePage page = inode.Pages.Find(index) ?? inode.Pages.Add(index);

            // What a partial write leaves of a page must be known, unless the page lies behind the end of the file.
            bool isWhole = bytes == CachePage.Bytes || index << CachePage.Shift >= inode.Size;
            if (page.IsReading || !(page.IsUptodate || isWhole))
            {
                Errno error = await reads.Fill(task, file, page, isRead: false);
                if (error != Errnos.Ok)
                {
                    return done > 0 ? done : error;
                }
            }

            page.IsUptodate = true;
            data.Span.Slice(done, bytes).CopyTo(page.Data.AsSpan(inPage));
            task.Thread.Charge(connection.Costs.Page);
            await task.Thread.Copy(bytes, node, node);
            if (!page.IsDirty)
            {
                inode.Pages.MarkDirty(page, connection.Now);
                flusher.Dirtied(inode);
            }

            done += bytes;
            if (at + bytes > inode.Size)
            {
                inode.Size = at + bytes;
                inodes.Changed(inode);
            }
        }

        await flusher.Balance(task);
        return done;
    }
}
