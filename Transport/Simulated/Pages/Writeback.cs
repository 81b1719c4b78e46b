using System.Runtime.CompilerServices;
using Harness.FuseProtocol.Wire;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Files;
using Harness.Transport.Simulated.Names;
using Harness.Transport.Simulated.Requests;
using Mono.Unix.Native;

namespace Harness.Transport.Simulated.Pages;

/// <summary>Sends dirty pages to the daemon, neighbours together in one message (fs/fuse/file.c, <c>fuse_writepages</c>).</summary>
internal sealed class Writeback
{
    private readonly FuseConnection _connection;
    private readonly AttributeCache _attributes;
    private readonly Func<SimThread, OpenFile, ValueTask> _unused;
    private readonly RequestEnd _ended;

    /// <summary>Made once per mount.</summary>
    /// <param name="connection">Where the messages go.</param>
    /// <param name="attributes">For the times, which follow the data.</param>
    /// <param name="unused">One message less uses an open file.</param>
    public Writeback(FuseConnection connection, AttributeCache attributes, Func<SimThread, OpenFile, ValueTask> unused)
    {
        _connection = connection;
        _attributes = attributes;
        _unused = unused;
        _ended = Ended;
    }

    /// <summary>Dirty bytes of all files; kept by <see cref="Flusher"/> and here.</summary>
    public long DirtyBytes { get; set; }

    /// <summary>Those that wait for it to fall.</summary>
    public SimWaitQueue Cleaned { get; } = new("dirty data to be written");

    /// <summary>Writes a file's data and times, and waits for both (<c>write_inode_now</c>).</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Errno> WriteNow(KernelTask task, Inode inode)
    {
        await Start(task, inode, 0, long.MaxValue);
        await WaitFor(task, inode);
        return await _attributes.FlushTimes(task, inode);
    }

    /// <summary>Sends WRITE for the dirty pages of a range of bytes.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    public async ValueTask Start(KernelTask task, Inode inode, long from, long to)
    {
        long last = to == long.MaxValue ? long.MaxValue : (to - 1) >> CachePage.Shift;
        CachePage? page = inode.Pages.NextDirty(from >> CachePage.Shift);
        while (page is not null && page.Index <= last)
        {
            KernelRequest request = _connection.Rent(Opcode.Write, inode.NodeId);
            request.Context = inode;
            request.Offset = page.Index << CachePage.Shift;
            page = Gather(request, inode, page, last);
            await Send(task, inode, request);
        }
    }

    /// <summary>Waits until no WRITE of a file's pages is under way.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    public static async ValueTask WaitFor(KernelTask task, Inode inode)
    {
        while (inode.Writebacks > 0)
        {
            await inode.WritebackDone.Wait(task.Thread);
        }
    }

    /// <summary>Writes what is dirty and drops everything, as opening a file does unless FOPEN_KEEP_CACHE says otherwise.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    public async ValueTask DropAll(KernelTask task, Inode inode)
    {
        await WaitFor(task, inode);

        // Page by page, each waited for (mm/truncate.c, folio_launder).
        while (inode.Pages.NextDirty(0) is { } page)
        {
            long start = page.Index << CachePage.Shift;
            await Start(task, inode, start, start + CachePage.Bytes);
            await WaitFor(task, inode);
        }

        inode.Pages.DropClean();
    }

    /// <summary>Takes as many neighbouring dirty pages as one message holds; returns the next one that is dirty.</summary>
    private CachePage? Gather(KernelRequest request, Inode inode, CachePage first, long last)
    {
        int pagesMax = Math.Min(_connection.MaxPages, _connection.MaxWrite >> CachePage.Shift);
        CachePage? page = first;
        for (int count = 0; count < pagesMax && page is not null && page.Index == first.Index + count && page.Index <= last; count++)
        {
            long start = page.Index << CachePage.Shift;
            int bytes = (int)Math.Clamp(inode.Size - start, 0, CachePage.Bytes);
            inode.Pages.Clean(page);
            DirtyBytes -= CachePage.Bytes;
            page.IsInWriteback = true;
            request.Data.Add(page.Data.AsMemory(0, bytes));
            page = inode.Pages.NextDirty(page.Index + 1);
        }

        return page;
    }

    private ValueTask Send(KernelTask task, Inode inode, KernelRequest request)
    {
        int bytes = request.Data.Sum(piece => piece.Length);
        OpenFile writer = inode.Writers[0];
        writer.Uses++;
        inode.Writebacks++;
        request.Add(new WriteIn { Fh = writer.Fh, Offset = (ulong)request.Offset, Size = (uint)bytes, WriteFlags = WriteFlags.Cache });
        request.End = _ended;
        request.Context = writer;
        return _connection.SendBackground(task, request, isForced: true);
    }

    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    private async ValueTask Ended(SimThread thread, KernelRequest request)
    {
        var writer = (OpenFile)request.Context!;
        Inode inode = writer.Inode;
        long first = request.Offset >> CachePage.Shift;
        for (int i = 0; i < request.Data.Count; i++)
        {
            if (inode.Pages.Find(first + i) is { } page)
            {
                page.IsInWriteback = false;
            }
        }

        inode.Writebacks--;
        await inode.WritebackDone.WakeAll(thread);
        await Cleaned.WakeAll(thread);
        await _unused(thread, writer);
    }
}
