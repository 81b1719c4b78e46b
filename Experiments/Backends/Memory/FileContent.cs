using System.Diagnostics.CodeAnalysis;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Memory;

/// <summary>The bytes of a regular file.</summary>
/// <remarks>
/// Reads and writes share the lock, so that several writers to one file copy at the same time; only what takes pages away or moves them, and
/// appending, has the file for itself. Between writers that share it, a page enters its slot by compare-and-swap, filled already; the size
/// grows by compare-and-swap, after the data are there. Two writes to the same bytes at the same time may mix, as with direct I/O on a disk.
/// What lies in a page behind the end of the file is always zero.
/// </remarks>
[SuppressMessage(
    "Design", "CA1001:Types that own disposable fields should be disposable",
    Justification = "A request may still hold the lock of a file that is being dropped; without contention the lock owns nothing but memory.")]
internal sealed partial class FileContent(PagePool pool)
{
    /// <summary>The largest file, in bytes: as much as the kernel's file offsets reach (include/linux/fs.h, <c>MAX_LFS_FILESIZE</c>).</summary>
    public const long BytesMax = long.MaxValue;

    private const int PageMask = PagePool.PageBytes - 1;

    private readonly ReaderWriterLockSlim _lock = new();
    private readonly PageTable _table = new();
    private readonly PagePool _pool = pool;
    private long _size;
    private long _pages;
    private bool _dropped;

    /// <summary>Size in bytes.</summary>
    public long Size => Volatile.Read(ref _size);

    /// <summary>Pages that hold data or are reserved.</summary>
    public long Pages => Volatile.Read(ref _pages);

    /// <summary>Reads at <paramref name="offset"/>.</summary>
    /// <returns>Bytes read: fewer than there is room for only at the end of the file.</returns>
    public int Read(ulong offset, Span<byte> buffer)
    {
        _lock.EnterReadLock();
        try
        {
            long size = Size;
            if (offset >= (ulong)size)
            {
                return 0;
            }

            long from = (long)offset;
            int length = (int)Math.Min(buffer.Length, size - from);
            for (int done = 0; done < length;)
            {
                int part = LeafPart(from + done, length - done);
                ReadLeaf(_table.FindLeaf(PageOf(from + done)), from + done, buffer.Slice(done, part));
                done += part;
            }

            return length;
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }

    /// <summary>Writes at <paramref name="offset"/>.</summary>
    /// <returns>Bytes written, fewer than all if space ran out on the way; ENOSPC if there was none, EFBIG beyond <see cref="BytesMax"/>.</returns>
    public Result<int> Write(ulong offset, ReadOnlySpan<byte> data)
    {
        _lock.EnterReadLock();
        try
        {
            return WriteShared(offset, data);
        }
        finally
        {
            _lock.ExitReadLock();
        }
    }

    /// <summary>Writes at the end of the file, wherever that is: two writers never get the same place.</summary>
    /// <returns>As <see cref="Write"/>.</returns>
    public Result<int> Append(ReadOnlySpan<byte> data)
    {
        _lock.EnterWriteLock();
        try
        {
            return WriteShared((ulong)_size, data);
        }
        finally
        {
            _lock.ExitWriteLock();
        }
    }

    /// <summary>Cuts the file off, or extends it with a hole.</summary>
    public void Truncate(long size)
    {
        _lock.EnterWriteLock();
        try
        {
            // Pages reserved behind the end go too when the size stays the same, as on ext4 (fs/ext4/inode.c, ext4_setattr).
            if (size <= _size)
            {
                ZeroInPage(size, _size);
                EmptyPages(PagesOf(size), long.MaxValue, PageTable.Hole);
            }

            _size = size;
        }
        finally
        {
            _lock.ExitWriteLock();
        }
    }

    /// <summary>Returns all pages, for good: the file is gone.</summary>
    public void Drop()
    {
        _lock.EnterWriteLock();
        try
        {
            _dropped = true;
            _size = 0;
            EmptyPages(0, long.MaxValue, PageTable.Hole);
        }
        finally
        {
            _lock.ExitWriteLock();
        }
    }

    private static long PageOf(long offset) => offset >> PagePool.PageShift;

    /// <summary>How many pages so many bytes take.</summary>
    private static long PagesOf(long bytes) => PageOf(bytes) + ((bytes & PageMask) == 0 ? 0 : 1);

    private static int SlotOf(long page) => (int)page & (PageTable.LeafPages - 1);

    /// <summary>How many of <paramref name="length"/> bytes from <paramref name="offset"/> on belong to the leaf of the first.</summary>
    private static int LeafPart(long offset, int length)
    {
        const int LeafBytes = PageTable.LeafPages * PagePool.PageBytes;
        return Math.Min(length, LeafBytes - ((int)offset & (LeafBytes - 1)));
    }

    private void ReadLeaf(int[]? slots, long offset, Span<byte> buffer)
    {
        if (slots is null)
        {
            buffer.Clear();
            return;
        }

        for (int done = 0; done < buffer.Length;)
        {
            long at = offset + done;
            int inPage = (int)at & PageMask;
            Span<byte> piece = buffer.Slice(done, Math.Min(PagePool.PageBytes - inPage, buffer.Length - done));
            int page = Volatile.Read(ref slots[SlotOf(PageOf(at))]);
            if (page > 0)
            {
                _pool.Page(page).Slice(inPage, piece.Length).CopyTo(piece);
            }
            else
            {
                piece.Clear();
            }

            done += piece.Length;
        }
    }

    private Result<int> WriteShared(ulong offset, ReadOnlySpan<byte> data)
    {
        if (_dropped)
        {
            return Errno.ESTALE;
        }

        if (offset >= BytesMax)
        {
            return Errno.EFBIG;
        }

        long from = (long)offset;
        int length = (int)Math.Min(data.Length, BytesMax - from);
        int done = 0;
        while (done < length)
        {
            int part = LeafPart(from + done, length - done);
            int written = WriteLeaf(_table.GetLeaf(PageOf(from + done)), from + done, data.Slice(done, part));
            done += written;
            if (written < part)
            {
                break;
            }
        }

        if (done == 0)
        {
            return length == 0 ? 0 : Errno.ENOSPC;
        }

        GrowTo(from + done);
        return done;
    }

    private int WriteLeaf(int[] slots, long offset, ReadOnlySpan<byte> data)
    {
        int first = SlotOf(PageOf(offset));
        Span<int> touched = slots.AsSpan(first..(SlotOf(PageOf(offset + data.Length - 1)) + 1));
        int holes = touched.Count(PageTable.Hole);
        int reserved = touched.Count(PageTable.Reserved);
        if (holes + reserved == 0)
        {
            Span<int> none = default;
            return CopyIn(touched, offset, data, ref none, 0);
        }

        // Other writers may fill some of these slots meanwhile; what is then not needed is given back.
        int granted = holes == 0 ? 0 : _pool.Budget.ChargeUpTo(holes);
        Span<int> room = stackalloc int[PageTable.LeafPages];
        Span<int> fresh = room[..(granted + reserved)];
        _pool.Take(fresh);
        int written = CopyIn(touched, offset, data, ref fresh, granted);
        _pool.Return(fresh);
        return written;
    }

    /// <summary>Copies data into the pages of some slots, and takes pages for those that have none.</summary>
    /// <param name="slots">The slots that the data touch.</param>
    /// <param name="offset">Where in the file the data go.</param>
    /// <param name="data">The data.</param>
    /// <param name="fresh">Pages that may be used; on return, those that were not.</param>
    /// <param name="charged">How many of them may fill holes: so many have been charged. What is not needed is refunded.</param>
    /// <returns>Bytes copied.</returns>
    private int CopyIn(Span<int> slots, long offset, ReadOnlySpan<byte> data, ref Span<int> fresh, int charged)
    {
        int left = charged;
        int done = 0;
        for (int i = 0; i < slots.Length; i++)
        {
            int inPage = (int)(offset + done) & PageMask;
            ReadOnlySpan<byte> piece = data.Slice(done, Math.Min(PagePool.PageBytes - inPage, data.Length - done));
            int page = Volatile.Read(ref slots[i]);
            if (page <= 0)
            {
                if (page == PageTable.Hole && left == 0)
                {
                    break;
                }

                int found = Publish(ref slots[i], page, fresh[0], inPage, piece);
                if (found == page)
                {
                    fresh = fresh[1..];
                    left -= page == PageTable.Hole ? 1 : 0;
                    done += piece.Length;
                    continue;
                }

                page = found;
            }

            piece.CopyTo(_pool.Page(page)[inPage..]);
            done += piece.Length;
        }

        if (charged > 0)
        {
            _pool.Budget.Refund(left);
            Interlocked.Add(ref _pages, charged - left);
        }

        return done;
    }

    /// <summary>Fills a page and puts it into a slot, unless another writer was faster.</summary>
    /// <returns>What was found in the slot: <paramref name="expected"/>, or the other writer's page.</returns>
    private int Publish(ref int slot, int expected, int page, int inPage, ReadOnlySpan<byte> piece)
    {
        Span<byte> bytes = _pool.Page(page);
        bytes[..inPage].Clear();
        piece.CopyTo(bytes[inPage..]);
        bytes[(inPage + piece.Length)..].Clear();
        return Interlocked.CompareExchange(ref slot, page, expected);
    }

    private void GrowTo(long size)
    {
        long before = Size;
        while (size > before)
        {
            long found = Interlocked.CompareExchange(ref _size, size, before);
            if (found == before)
            {
                return;
            }

            before = found;
        }
    }
}
