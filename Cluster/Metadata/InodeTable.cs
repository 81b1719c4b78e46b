namespace Harness.Cluster.Metadata;

/// <summary>All inodes by number, in pages of 64.</summary>
/// <remarks>
/// Numbers are given out in order, so pages are dense: an inode costs its 96 bytes and a 64th of a dictionary's entry, where an object of its
/// own in a dictionary would cost 56 bytes more. A page goes when its last inode does. References stay valid until then.
/// </remarks>
internal sealed class InodeTable
{
    private const int PageShift = 6;
    private const ulong PageMask = (1UL << PageShift) - 1;

    private readonly Dictionary<ulong, Page> _pages = [];
    private Inode _none;

    /// <summary>How many inodes there are.</summary>
    public int Count { get; private set; }

    /// <summary>Inode numbers of one page.</summary>
    public const ulong PageInodes = PageMask + 1;

    /// <summary>The first number of each page, in order.</summary>
    public ulong[] Pages()
    {
        ulong[] pages = [.. _pages.Keys.Select(static page => page << PageShift)];
        Array.Sort(pages);
        return pages;
    }

    /// <summary>The inode, or one that does not exist.</summary>
    public ref Inode Find(ulong number)
    {
        if (_pages.TryGetValue(number >> PageShift, out Page? page))
        {
            return ref page.Inodes[(int)(number & PageMask)];
        }

        _none = default;
        return ref _none;
    }

    /// <summary>Makes room for an inode that is not there.</summary>
    public ref Inode Add(ulong number)
    {
        if (!_pages.TryGetValue(number >> PageShift, out Page? page))
        {
            page = new Page();
            _pages.Add(number >> PageShift, page);
        }

        ref Inode inode = ref page.Inodes[(int)(number & PageMask)];
        inode.Number = number;
        page.Used++;
        Count++;
        return ref inode;
    }

    /// <summary>Removes an inode that is there.</summary>
    public void Remove(ulong number)
    {
        Page page = _pages[number >> PageShift];
        page.Inodes[(int)(number & PageMask)] = default;
        Count--;
        if (--page.Used == 0)
        {
            _pages.Remove(number >> PageShift);
        }
    }

    private sealed class Page
    {
        public Inode[] Inodes { get; } = new Inode[1 << PageShift];

        public int Used { get; set; }
    }
}
