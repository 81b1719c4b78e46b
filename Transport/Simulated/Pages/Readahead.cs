using System.Numerics;
using System.Runtime.CompilerServices;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Files;
using Harness.Transport.Simulated.Names;
using Harness.Transport.Simulated.Requests;
using Mono.Unix.Native;

namespace Harness.Transport.Simulated.Pages;

/// <summary>How an open file is read ahead (<c>struct file_ra_state</c>), in pages.</summary>
internal sealed class ReadaheadState(int pages)
{
    public int Pages { get; set; } = pages;

    public long Start { get; set; }

    public long Size { get; set; }

    public long AsyncSize { get; set; }

    /// <summary>The offset behind the last byte read; −1 before the first read.</summary>
    public long PreviousPosition { get; set; } = -1;

    /// <summary>The application has said that it reads at random (POSIX_FADV_RANDOM).</summary>
    public bool IsRandom { get; set; }
}

/// <summary>
/// Reads pages before they are asked for: decides which (mm/readahead.c) and sends READ for them, as many pages as a message holds
/// (fs/fuse/file.c, <c>fuse_readahead</c>).
/// </summary>
internal sealed class Readahead(FuseConnection connection, ReadEnd ended)
{
    // do_page_cache_ra is called for so many pages at a time when readahead is forced: 2 MiB (mm/readahead.c, force_page_cache_ra).
    private const int ForcedChunk = 512;

    private const long WindowAlignment = 4;

    /// <summary>A page is missing: reads it and, if the file is read in sequence, what follows (<c>page_cache_sync_ra</c>).</summary>
    /// <param name="task">Who reads.</param>
    /// <param name="file">The open file.</param>
    /// <param name="index">The missing page.</param>
    /// <param name="wanted">Pages that the caller wants from there on.</param>
    public ValueTask OnMiss(KernelTask task, OpenFile file, long index, long wanted)
    {
        ReadaheadState state = file.Readahead;
        if (state.Pages == 0 || state.IsRandom)
        {
            return Force(task, file, index, state.Pages == 0 ? 1 : wanted);
        }

        long max = MaxPages(state, wanted);
        long previous = state.PreviousPosition >> CachePage.Shift;
        if (index != 0 && wanted <= max && (ulong)(index - previous) > 1)
        {
            PageCache pages = file.Inode.Pages;
            long miss = pages.MissBefore(index - 1, max);
            long history = index - miss - 1;
            if (history <= wanted)
            {
                // Standalone and small: read as it is.
                return Load(task, file, index, wanted, 0);
            }

            history *= miss < 0 ? 2 : 1;
            (state.Start, state.Size, state.AsyncSize) = (index, Math.Min(history + wanted, max), 1);
        }
        else
        {
            long size = FirstSize(wanted, max);
            (state.Start, state.Size, state.AsyncSize) = (index, size, size > wanted ? size - wanted : size >> 1);
        }

        return Load(task, file, state.Start, state.Size, state.AsyncSize);
    }

    /// <summary>A reader has come to the mark: reads the next window (<c>page_cache_async_ra</c>).</summary>
    public ValueTask OnMark(KernelTask task, OpenFile file, CachePage page, long wanted)
    {
        ReadaheadState state = file.Readahead;
        if (state.Pages == 0 || page.IsInWriteback)
        {
            return default;
        }

        page.HasReadaheadMark = false;
        long max = MaxPages(state, wanted);
        if (page.Index == state.Start + state.Size - state.AsyncSize)
        {
            state.Start += state.Size;
            state.Size = Math.Max(state.Size, NextSize(state.Size, max));
        }
        else
        {
            long start = file.Inode.Pages.MissFrom(page.Index + 1, max);
            if (start - page.Index > max)
            {
                return default;
            }

            state.Start = start;
            state.Size = NextSize(start - page.Index + wanted, max);
        }

        // The window ends on a boundary of four pages, or of as much as divides the most there may be (Linux 6.16).
        long alignment = Math.Min(WindowAlignment, max & -max);
        long end = (state.Start + state.Size) & ~(alignment - 1);
        state.Size = end > state.Start ? end - state.Start : state.Size;
        state.AsyncSize = state.Size;
        return Load(task, file, state.Start, state.Size, state.AsyncSize);
    }

    /// <summary>Reads pages whatever the pattern, as posix_fadvise(2) asks.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    public async ValueTask Force(KernelTask task, OpenFile file, long index, long wanted)
    {
        long left = Math.Min(wanted, Math.Max(connection.Options.ReadaheadBytes / CachePage.Bytes, file.Readahead.Pages));
        while (left > 0)
        {
            long chunk = Math.Min(ForcedChunk, left);
            await Load(task, file, index, chunk, 0);
            index += chunk;
            left -= chunk;
        }
    }

    private static long FirstSize(long wanted, long max)
    {
        long size = (long)BitOperations.RoundUpToPowerOf2((ulong)wanted);
        return size <= max / 32 ? 4 * size : size <= max / 4 ? 2 * size : max;
    }

    private static long NextSize(long size, long max) => size < max / 16 ? 4 * size : size <= max / 2 ? 2 * size : max;

    private long MaxPages(ReadaheadState state, long wanted)
    {
        long device = connection.Options.ReadaheadBytes / CachePage.Bytes;
        return wanted > state.Pages && device > state.Pages ? Math.Min(wanted, device) : state.Pages;
    }

    /// <summary>Adds the missing pages of a range, up to the end of the file, and sends READ for each run of them.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    private async ValueTask Load(KernelTask task, OpenFile file, long index, long count, long asyncSize)
    {
        Inode inode = file.Inode;
        if (inode.Size == 0 && !connection.Faults.Has(KernelFault.ReadaheadPastEnd))
        {
            return;
        }

        long last = Math.Max(0, inode.Size - 1) >> CachePage.Shift;
        if (!connection.Faults.Has(KernelFault.ReadaheadPastEnd))
        {
            count = Math.Min(count, last - index + 1);
        }

        long mark = asyncSize <= count ? index + count - asyncSize : -1;
        long first = index;
        for (long at = index; at < index + count; at++)
        {
            if (inode.Pages.Find(at) is not null)
            {
                await ReadRun(task, file, first, at - first);
                first = at + 1;
                continue;
            }

            CachePage page = inode.Pages.Add(at);
            page.IsReading = true;
            page.HasReadaheadMark = at == mark;
            task.Thread.Charge(connection.Costs.Page);
        }

        await ReadRun(task, file, first, index + count - first);
    }

    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    private async ValueTask ReadRun(KernelTask task, OpenFile file, long first, long count)
    {
        while (count > 0)
        {
            if (connection.Background.IsCongested && file.Readahead.AsyncSize >= count)
            {
                // Only pages that nobody has asked for are left: they wait for a better time.
                Forgo(file.Inode, first, count);
                return;
            }

            int pages = (int)Math.Min(count, connection.MaxPages);
            KernelRequest request = PageReads.Make(connection, file, first, pages);
            request.Context = file;
            file.Uses++;
            if (connection.Has(InitFlags.AsyncRead))
            {
                request.End = ended.Background;
                await connection.SendBackground(task, request);
            }
            else
            {
                Errno error = await connection.Send(task, request);
                await ended.Foreground(task.Thread, request, error == Errnos.Ok);
                connection.Return(request);
            }

            first += pages;
            count -= pages;
        }
    }

    private static void Forgo(Inode inode, long first, long count)
    {
        for (long at = first; at < first + count; at++)
        {
            if (inode.Pages.Find(at) is { IsReading: true } page)
            {
                inode.Pages.Remove(page);
            }
        }
    }
}
