using System.Runtime.CompilerServices;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Files;
using Harness.Transport.Simulated.Names;
using Harness.Transport.Simulated.Requests;

namespace Harness.Transport.Simulated.Pages;

/// <summary>READ messages that fill pages, and what their answers do to these.</summary>
internal static class PageReads
{
    /// <summary>A READ for a run of pages, which are there and wait for it.</summary>
    public static KernelRequest Make(FuseConnection connection, OpenFile file, long first, int pages)
    {
        KernelRequest request = connection.Rent(Opcode.Read, file.Inode.NodeId);
        request.Add(new ReadIn
        {
            Fh = file.Fh,
            Offset = (ulong)(first << CachePage.Shift),
            Size = (uint)(pages << CachePage.Shift),
            Flags = (uint)file.Flags,
        });
        request.Offset = first << CachePage.Shift;
        request.OutMax = pages << CachePage.Shift;
        for (int i = 0; i < pages; i++)
        {
            request.Into.Add(file.Inode.Pages.Find(first + i)!.Data);
        }

        return request;
    }
}

/// <summary>What the end of a READ for pages does, and whom it tells when the file was closed meanwhile.</summary>
internal sealed class ReadEnd
{
    private readonly InodeTable _inodes;
    private readonly Func<SimThread, OpenFile, ValueTask> _unused;

    /// <summary>Made once per mount.</summary>
    /// <param name="inodes">The inodes.</param>
    /// <param name="unused">One message less uses an open file.</param>
    public ReadEnd(InodeTable inodes, Func<SimThread, OpenFile, ValueTask> unused)
    {
        _inodes = inodes;
        _unused = unused;
        Background = (thread, request) => Foreground(thread, request, request.Error == Errnos.Ok);
    }

    /// <summary>For requests in the background.</summary>
    public RequestEnd Background { get; }

    /// <summary>The pages have come, or have not.</summary>
    /// <param name="thread">Whose answer it is.</param>
    /// <param name="request">The READ.</param>
    /// <param name="isOk">Whether it was served.</param>
    /// <param name="isRead">Whether an application reads: what is read for the sake of a write does not move the time of access.</param>
    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    public async ValueTask Foreground(SimThread thread, KernelRequest request, bool isOk, bool isRead = true)
    {
        var file = (OpenFile)request.Context!;
        Inode inode = file.Inode;
        long first = request.Offset >> CachePage.Shift;
        for (int i = 0; i < request.Into.Count; i++)
        {
            if (inode.Pages.Find(first + i) is not { IsReading: true } page)
            {
                continue;
            }

            page.IsReading = false;
            page.IsUptodate = isOk;
            if (!isOk)
            {
                inode.Pages.Remove(page);
            }
        }

        if (isOk)
        {
            ShortRead(request, inode);
            inode.Invalidate(isRead ? AttributeMask.Atime : AttributeMask.None);
        }

        await inode.Pages.Readers.WakeAll(thread);
        await _unused(thread, file);
    }

    /// <summary>Fewer bytes than asked for are the end of the file (<c>fuse_short_read</c>).</summary>
    private void ShortRead(KernelRequest request, Inode inode)
    {
        long end = request.Offset + request.OutLength;
        if (request.OutLength < request.OutMax && !_inodes.TrustsOwnSize(inode) && end < inode.Size)
        {
            inode.Size = end;
            _inodes.Changed(inode);
        }
    }
}
