using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Memory;

/// <content>What is done to ranges: fallocate(2), and the search for data and holes.</content>
internal sealed partial class FileContent
{
    private const uint SeekData = 3;
    private const uint SeekHole = 4;

    /// <summary>Serves fallocate(2), in the modes that ext4 has.</summary>
    /// <param name="mode">The mode bits.</param>
    /// <param name="offset">Start of the range, in bytes.</param>
    /// <param name="length">Length of the range, in bytes.</param>
    /// <returns>EINVAL, EFBIG, ENOSPC, EOPNOTSUPP as in fallocate(2).</returns>
    public Errno Allocate(FallocateMode mode, ulong offset, ulong length)
    {
        if (length == 0 || offset > BytesMax || length > BytesMax)
        {
            return Errno.EINVAL;
        }

        if (length > BytesMax - offset)
        {
            return Errno.EFBIG;
        }

        (long from, long end) = ((long)offset, (long)(offset + length));
        _lock.EnterWriteLock();
        try
        {
            if (_dropped)
            {
                return Errno.ESTALE;
            }

            return mode switch
            {
                FallocateMode.None => Reserve(from, end, keepSize: false),
                FallocateMode.KeepSize => Reserve(from, end, keepSize: true),
                FallocateMode.PunchHole | FallocateMode.KeepSize => Punch(from, end),
                FallocateMode.ZeroRange => Zero(from, end, keepSize: false),
                FallocateMode.ZeroRange | FallocateMode.KeepSize => Zero(from, end, keepSize: true),
                FallocateMode.CollapseRange => Collapse(from, end),
                FallocateMode.InsertRange => Insert(from, end),
                _ => Errnos.NotSupported,
            };
        }
        finally
        {
            _lock.ExitWriteLock();
        }
    }

    /// <summary>Serves lseek(2) with SEEK_DATA and SEEK_HOLE, page by page. Reserved pages count as holes, like ext4's unwritten extents.</summary>
    /// <returns>The offset; ENXIO if it would be at or behind the end of the file.</returns>
    public Result<ulong> Seek(ulong offset, uint whence)
    {
        if (whence is not (SeekData or SeekHole))
        {
            return Errno.EINVAL;
        }

        _lock.EnterReadLock();
        try
        {
            ulong size = (ulong)Size;
            if (offset >= size)
            {
                return Errno.ENXIO;
            }

            long page = PageOf((long)offset);
            long found = whence == SeekData ? FindData(page) : FindHole(page);
            ulong at = Math.Max(offset, (ulong)found << PagePool.PageShift);
            if (at < size)
            {
                return at;
            }

            // The end of the file is itself a hole.
            return whence == SeekHole ? size : Errno.ENXIO;
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }

    private long FindData(long page)
    {
        while (_table.NextLeaf(page, out long start) is { } slots)
        {
            for (int i = (int)Math.Max(0, page - start); i < slots.Length; i++)
            {
                if (slots[i] > 0)
                {
                    return start + i;
                }
            }

            page = start + PageTable.LeafPages;
        }

        return PageOf(BytesMax) + 1;
    }

    private long FindHole(long page)
    {
        while (_table.FindLeaf(page) is { } slots)
        {
            for (int i = SlotOf(page); i < slots.Length; i++, page++)
            {
                if (slots[i] <= 0)
                {
                    return page;
                }
            }
        }

        return page;
    }

    private Errno Reserve(long from, long end, bool keepSize)
    {
        if (!TryReservePages(PageOf(from), PageOf(end - 1) + 1))
        {
            return Errno.ENOSPC;
        }

        _size = keepSize ? _size : Math.Max(_size, end);
        return Errnos.Ok;
    }

    private Errno Punch(long from, long end)
    {
        ZeroEdges(from, end);
        EmptyPages(PagesOf(from), PageOf(end), PageTable.Hole);
        return Errnos.Ok;
    }

    private Errno Zero(long from, long end, bool keepSize)
    {
        // Space first, so that a failure leaves the file as it was.
        Errno error = Reserve(from, end, keepSize);
        if (error == Errnos.Ok)
        {
            ZeroEdges(from, end);
            EmptyPages(PagesOf(from), PageOf(end), PageTable.Reserved);
        }

        return error;
    }

    private Errno Collapse(long from, long end)
    {
        if (((from | end) & PageMask) != 0 || end >= _size)
        {
            return Errno.EINVAL;
        }

        EmptyPages(PageOf(from), PageOf(end), PageTable.Hole);
        MovePages(PageOf(end), PageOf(from) - PageOf(end));
        _size -= end - from;
        return Errnos.Ok;
    }

    private Errno Insert(long from, long end)
    {
        if (((from | end) & PageMask) != 0 || from >= _size)
        {
            return Errno.EINVAL;
        }

        if (_size > BytesMax - (end - from))
        {
            return Errno.EFBIG;
        }

        // What is reserved behind the end could be pushed beyond the largest offset.
        EmptyPages(PagesOf(_size), long.MaxValue, PageTable.Hole);
        MovePages(PageOf(from), PageOf(end) - PageOf(from));
        _size += end - from;
        return Errnos.Ok;
    }

    /// <summary>Moves all pages from <paramref name="first"/> on by <paramref name="distance"/>; where they go must be empty.</summary>
    private void MovePages(long first, long distance)
    {
        var moved = new List<(long Page, int Slot)>();
        ForEachSlot(first, long.MaxValue, (page, slots) =>
        {
            for (int i = 0; i < slots.Length; i++)
            {
                if (slots[i] != PageTable.Hole)
                {
                    moved.Add((page + i, slots[i]));
                }
            }

            slots.Clear();
        });
        foreach ((long page, int slot) in moved)
        {
            _table.GetLeaf(page + distance)[SlotOf(page + distance)] = slot;
        }
    }

    /// <summary>Makes sure that a range has pages or reservations; charges those that it had not.</summary>
    private bool TryReservePages(long first, long end)
    {
        long have = 0;
        ForEachSlot(first, end, (_, slots) => have += slots.Length - slots.Count(PageTable.Hole));
        long missing = end - first - have;
        if (missing == 0)
        {
            return true;
        }

        if (!_pool.Budget.TryCharge(missing))
        {
            return false;
        }

        _pages += missing;
        for (long page = first; page < end;)
        {
            int slot = SlotOf(page);
            int count = (int)Math.Min(PageTable.LeafPages - slot, end - page);
            _table.GetLeaf(page).AsSpan(slot, count).Replace(PageTable.Hole, PageTable.Reserved);
            page += count;
        }

        return true;
    }

    /// <summary>Returns the pages of a range.</summary>
    /// <param name="first">The first page.</param>
    /// <param name="end">The page behind the last.</param>
    /// <param name="leaving">
    /// What remains in their place: <see cref="PageTable.Hole"/>, or <see cref="PageTable.Reserved"/> where no slot of the range is a hole.
    /// </param>
    private void EmptyPages(long first, long end, int leaving)
    {
        long refunded = 0;
        ForEachSlot(first, end, (_, slots) =>
        {
            Span<int> pages = stackalloc int[PageTable.LeafPages];
            int count = 0;
            foreach (int slot in slots)
            {
                if (slot > 0)
                {
                    pages[count++] = slot;
                }
            }

            _pool.Return(pages[..count]);
            refunded += leaving == PageTable.Hole ? slots.Length - slots.Count(PageTable.Hole) : 0;
            slots.Fill(leaving);
        });
        _pages -= refunded;
        _pool.Budget.Refund(refunded);
    }

    /// <summary>Writes zeros into the pages that a range covers in part.</summary>
    private void ZeroEdges(long from, long end)
    {
        ZeroInPage(from, end);
        if (PageOf(end) > PageOf(from))
        {
            ZeroInPage(end & ~(long)PageMask, end);
        }
    }

    /// <summary>Writes zeros from <paramref name="from"/> to <paramref name="end"/>, but not beyond the page where they begin.</summary>
    private void ZeroInPage(long from, long end)
    {
        if (from < end && _table.FindLeaf(PageOf(from)) is { } slots && slots[SlotOf(PageOf(from))] is > 0 and int page)
        {
            int inPage = (int)from & PageMask;
            _pool.Page(page).Slice(inPage, (int)Math.Min(end - from, PagePool.PageBytes - inPage)).Clear();
        }
    }

    /// <summary>Visits all slots of a range that are not in a wholly empty leaf, leaf by leaf, and drops leaves that were emptied.</summary>
    private void ForEachSlot(long first, long end, SlotVisitor visit)
    {
        while (first < end && _table.NextLeaf(first, out long start) is { } slots && start < end)
        {
            int from = (int)Math.Max(0, first - start);
            int to = (int)Math.Min(PageTable.LeafPages, end - start);
            visit(start + from, slots.AsSpan(from..to));
            _table.Prune(start);
            first = start + PageTable.LeafPages;
        }
    }

    /// <summary>Sees some slots, of which the first belongs to <paramref name="page"/>.</summary>
    private delegate void SlotVisitor(long page, Span<int> slots);
}
