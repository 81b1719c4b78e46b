namespace Harness.Experiments.Backends.Memory;

/// <summary>
/// The memory of all files: pages of 4 KiB, named by number, cut from slabs of 1 MiB. Who takes pages returns them to the same pool.
/// </summary>
/// <remarks>
/// Numbers instead of references keep the page tables at 4 bytes a page and out of the garbage collector's sight. Pages of 4 KiB, because
/// they cost a random 4 KiB write just that, make holes as fine as ext4's, and copy as fast as larger ones: a read of 1 MiB runs at 10.2 GB/s
/// of a CPU's time, a copy of 1 MiB out of one array at 10.1 GB/s (sequential, 256 MiB in all).
/// Memory that comes back is used again before any new slab is made, so that the slabs never exceed the most that was held at once. Of the
/// slabs that are wholly free, <see cref="FreeSlabsKept"/> stay; the rest go to the garbage collector.
/// </remarks>
internal sealed class PagePool
{
    /// <summary>Bytes of a page.</summary>
    public const int PageBytes = 1 << PageShift;

    /// <summary>Binary logarithm of <see cref="PageBytes"/>.</summary>
    public const int PageShift = 12;

    /// <summary>The most that page numbers can tell apart, in bytes.</summary>
    public const long CapacityBytesMax = ((long)int.MaxValue - Slab.Pages) << PageShift;

    private const int FreeSlabsKept = 256;

    private readonly Lock _gate = new();
    private readonly Stack<Slab> _withRoom = new();
    private readonly Stack<int> _unusedNumbers = new();
    private int _freeSlabs;

    // Slab 0 does not exist, so that no page has the number 0.
    private int _slabCount = 1;
    private byte[]?[] _bytes = new byte[]?[16];
    private Slab?[] _slabs = new Slab?[16];

    /// <summary>A pool whose <see cref="Budget"/> is this many bytes, in whole pages.</summary>
    public PagePool(long capacityBytes) => Budget = new Budget(capacityBytes >> PageShift);

    /// <summary>
    /// The pages that may be held. Charged by who promises to hold pages, before he takes them: a promise (fallocate) costs no memory yet.
    /// </summary>
    public Budget Budget { get; }

    /// <summary>Slabs that take memory now.</summary>
    public int SlabCount
    {
        get
        {
            lock (_gate)
            {
                return _slabCount - 1 - _unusedNumbers.Count;
            }
        }
    }

    /// <summary>The bytes of a page that was taken. A new page holds whatever its last owner left.</summary>
    public Span<byte> Page(int page) =>
        Volatile.Read(ref _bytes)[page >> Slab.PagesShift].AsSpan((page & (Slab.Pages - 1)) << PageShift, PageBytes);

    /// <summary>Takes as many pages as <paramref name="pages"/> has room for, in ascending runs where possible.</summary>
    public void Take(Span<int> pages)
    {
        lock (_gate)
        {
            int taken = 0;
            while (taken < pages.Length)
            {
                if (!_withRoom.TryPeek(out Slab? slab))
                {
                    slab = AddSlab();
                }

                bool wasFree = slab.FreeCount == Slab.Pages;
                taken += slab.Take(pages[taken..]);
                _freeSlabs -= wasFree && slab.FreeCount < Slab.Pages ? 1 : 0;
                if (slab.FreeCount == 0)
                {
                    // Full, or dismissed while it lay in the stack.
                    _withRoom.Pop();
                }
            }
        }
    }

    /// <summary>Returns pages.</summary>
    public void Return(ReadOnlySpan<int> pages)
    {
        lock (_gate)
        {
            foreach (int page in pages)
            {
                Slab slab = _slabs[page >> Slab.PagesShift]!;
                slab.Return(page);
                if (slab.FreeCount == 1)
                {
                    _withRoom.Push(slab);
                }
                else if (slab.FreeCount == Slab.Pages && ++_freeSlabs > FreeSlabsKept)
                {
                    Dismiss(slab);
                }
            }
        }
    }

    private Slab AddSlab()
    {
        if (!_unusedNumbers.TryPop(out int number))
        {
            number = _slabCount++;
        }

        if (number == _slabs.Length)
        {
            Array.Resize(ref _slabs, number * 2);
            byte[]?[] larger = new byte[]?[number * 2];
            _bytes.CopyTo(larger, 0);
            Volatile.Write(ref _bytes, larger);
        }

        var slab = new Slab(number);
        _slabs[number] = slab;
        _bytes[number] = GC.AllocateUninitializedArray<byte>(Slab.Pages * PageBytes);
        _withRoom.Push(slab);
        _freeSlabs++;
        return slab;
    }

    private void Dismiss(Slab slab)
    {
        slab.Dismiss();
        _freeSlabs--;
        _slabs[slab.Number] = null;
        _bytes[slab.Number] = null;
        _unusedNumbers.Push(slab.Number);
    }
}
