using Harness.Simulation.Machines;

namespace Harness.Transport.Simulated.Pages;

/// <summary>A page of a file in memory.</summary>
internal sealed class CachePage(long index)
{
    public const int Bytes = 4096;
    public const int Shift = 12;

    public long Index { get; } = index;

    public byte[] Data { get; } = new byte[Bytes];

    /// <summary>Whether it holds what the file holds.</summary>
    public bool IsUptodate { get; set; }

    /// <summary>Whether a READ for it is under way.</summary>
    public bool IsReading { get; set; }

    /// <summary>Whether it holds what the daemon does not.</summary>
    public bool IsDirty { get; set; }

    /// <summary>Whether a WRITE of it is under way.</summary>
    public bool IsInWriteback { get; set; }

    /// <summary>Whether a reader that comes here makes the kernel read on (<c>PG_readahead</c>).</summary>
    public bool HasReadaheadMark { get; set; }
}

/// <summary>The pages of one file (<c>struct address_space</c>).</summary>
internal sealed class PageCache
{
    private readonly Dictionary<long, CachePage> _pages = [];
    private readonly SortedSet<long> _dirty = [];

    /// <summary>Those that wait for a page to be read.</summary>
    public SimWaitQueue Readers { get; } = new("a page of a file");

    public int DirtyPages => _dirty.Count;

    /// <summary>When the oldest of the dirty pages became so.</summary>
    public long DirtySince { get; private set; }

    public CachePage? Find(long index) => _pages.GetValueOrDefault(index);

    public CachePage Add(long index)
    {
        var page = new CachePage(index);
        _pages[index] = page;
        return page;
    }

    public void Remove(CachePage page)
    {
        if (_pages.Remove(page.Index))
        {
            Clean(page);
        }
    }

    public void MarkDirty(CachePage page, long now)
    {
        if (_dirty.Count == 0)
        {
            DirtySince = now;
        }

        page.IsDirty = true;
        _dirty.Add(page.Index);
    }

    public void Clean(CachePage page)
    {
        page.IsDirty = false;
        _dirty.Remove(page.Index);
    }

    /// <summary>The first dirty page from an index on; null if there is none.</summary>
    public CachePage? NextDirty(long from)
    {
        if (_dirty.Count == 0)
        {
            // The usual case, and a view would be an allocation.
            return null;
        }

        foreach (long index in _dirty.GetViewBetween(from, long.MaxValue))
        {
            return _pages[index];
        }

        return null;
    }

    /// <summary>Drops what lies behind the end of the file, and clears the rest of its last page.</summary>
    public void Truncate(long size)
    {
        long keep = (size + CachePage.Bytes - 1) >> CachePage.Shift;
        foreach (CachePage page in _pages.Values.Where(page => page.Index >= keep).ToArray())
        {
            Remove(page);
        }

        int inLast = (int)(size & (CachePage.Bytes - 1));
        if (inLast > 0 && Find(size >> CachePage.Shift) is { } last)
        {
            last.Data.AsSpan(inLast).Clear();
        }
    }

    /// <summary>Drops what is the same with the daemon (<c>invalidate_inode_pages2</c>).</summary>
    public void DropClean() => DropClean(0, long.MaxValue);

    /// <summary>Drops what is the same with the daemon, of the pages from one to another inclusive.</summary>
    public void DropClean(long first, long last)
    {
        foreach (CachePage page in _pages.Values.Where(page => page.Index >= first && page.Index <= last).ToArray())
        {
            if (!page.IsDirty && !page.IsInWriteback && !page.IsReading)
            {
                Remove(page);
            }
        }
    }

    /// <summary>Drops pages whatever they hold, and clears the edges of the range within pages that stay.</summary>
    public void Punch(long offset, long length)
    {
        for (long at = offset; at < offset + length;)
        {
            int inPage = (int)(at & (CachePage.Bytes - 1));
            int bytes = (int)Math.Min(CachePage.Bytes - inPage, offset + length - at);
            if (Find(at >> CachePage.Shift) is { } page)
            {
                if (bytes == CachePage.Bytes)
                {
                    Remove(page);
                }
                else
                {
                    page.Data.AsSpan(inPage, bytes).Clear();
                }
            }

            at += bytes;
        }
    }

    /// <summary>The last index before <paramref name="index"/>, at most <paramref name="max"/> pages back, that is missing; −1 if none is.</summary>
    public long MissBefore(long index, long max)
    {
        long at = index;
        for (long left = max; left > 0; left--, at--)
        {
            if (at < 0 || Find(at) is null)
            {
                break;
            }
        }

        return at;
    }

    /// <summary>The first index from <paramref name="index"/> on, at most <paramref name="max"/> pages on, that is missing.</summary>
    public long MissFrom(long index, long max)
    {
        long at = index;
        for (long left = max; left > 0 && Find(at) is not null; left--)
        {
            at++;
        }

        return at;
    }
}
