using System.Numerics;

namespace Harness.Experiments.Backends.Memory;

/// <summary>Which pages of a slab are free. Guarded by its pool.</summary>
/// <param name="number">The slab's number, from which its pages have theirs.</param>
internal sealed class Slab(int number)
{
    /// <summary>Binary logarithm of <see cref="Pages"/>.</summary>
    public const int PagesShift = 8;

    /// <summary>Pages of a slab: together 1 MiB.</summary>
    public const int Pages = 1 << PagesShift;

    private const int WordBits = 64;

    private readonly ulong[] _free = [.. Enumerable.Repeat(ulong.MaxValue, Pages / WordBits)];

    /// <summary>The slab's number.</summary>
    public int Number { get; } = number;

    /// <summary>How many pages are free.</summary>
    public int FreeCount { get; private set; } = Pages;

    /// <summary>Takes free pages, lowest first.</summary>
    /// <returns>How many there were.</returns>
    public int Take(Span<int> pages)
    {
        int taken = 0;
        for (int word = 0; word < _free.Length; word++)
        {
            for (; _free[word] != 0 && taken < pages.Length; taken++)
            {
                int bit = BitOperations.TrailingZeroCount(_free[word]);
                _free[word] &= _free[word] - 1;
                pages[taken] = (Number << PagesShift) + (word * WordBits) + bit;
            }
        }

        FreeCount -= taken;
        return taken;
    }

    /// <summary>Returns a page that was taken.</summary>
    public void Return(int page)
    {
        int index = page & (Pages - 1);
        ulong bit = 1UL << (index % WordBits);
        if ((_free[index / WordBits] & bit) != 0)
        {
            throw new InvalidOperationException($"Page {page} was returned twice.");
        }

        _free[index / WordBits] |= bit;
        FreeCount++;
    }

    /// <summary>Makes the slab one that has nothing to give and never will.</summary>
    public void Dismiss()
    {
        Array.Clear(_free);
        FreeCount = 0;
    }
}
