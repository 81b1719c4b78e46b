using Harness.Experiments.Backends.Memory;
using Harness.FuseProtocol.Wire;

namespace Harness.Tests.Experiments.Backends;

/// <summary>The page pool and what a file keeps in it.</summary>
public sealed class MemoryStorageTests
{
    private const int Page = PagePool.PageBytes;
    private const long Capacity = 1L << 30;

    [Fact]
    public void NoPageIsGivenTwice()
    {
        var pool = new PagePool(Capacity);
        int[] pages = new int[1000];
        pool.Take(pages);
        Assert.Equal(1000, pages.Distinct().Count());
        Assert.DoesNotContain(pages, page => page <= 0);
        int[] returned = [.. pages.Where((_, i) => i % 3 == 0)];
        pool.Return(returned);
        int[] again = new int[returned.Length];
        pool.Take(again);
        Assert.Equal(returned.Order(), again.Order());
    }

    [Fact]
    public void APageReturnedTwiceIsABug()
    {
        var pool = new PagePool(Capacity);
        int[] pages = new int[2];
        pool.Take(pages);
        pool.Return(pages);
        Assert.Throws<InvalidOperationException>(() => pool.Return(pages));
    }

    [Fact]
    public void MemoryIsUsedAgainSoThatItDoesNotGrow()
    {
        var pool = new PagePool(Capacity);
        byte[] data = new byte[3 << 20];
        for (int i = 0; i < 1000; i++)
        {
            var content = new FileContent(pool);
            Assert.Equal(data.Length, content.Write((ulong)i * 100, data).Ok());
            content.Drop();
        }

        Assert.InRange(pool.SlabCount, 3, 5);
        Assert.Equal(Capacity / Page, pool.Budget.Free);
    }

    [Fact]
    public void OfTheMemoryThatIsFreeOnlySomeIsKept()
    {
        var pool = new PagePool(Capacity);
        int[] pages = new int[600 * 256];
        pool.Take(pages);
        Assert.Equal(600, pool.SlabCount);
        pool.Return(pages.AsSpan(1));
        Assert.Equal(257, pool.SlabCount);
        int[] again = new int[pages.Length - 1];
        pool.Take(again);
        Assert.Equal(600, pool.SlabCount);
        Assert.Equal(pages.Length, again.Append(pages[0]).Distinct().Count());
        pool.Page(again[^1])[^1] = 1;
    }

    [Fact]
    public void APageThatWasUsedBeforeShowsNothingOfIt()
    {
        var pool = new PagePool(Capacity);
        var old = new FileContent(pool);
        old.Write(0, [.. Enumerable.Repeat((byte)0xAA, 64 * Page)]).Ok();
        old.Drop();
        var content = new FileContent(pool);
        for (int i = 0; i < 64; i++)
        {
            content.Write((ulong)((i * Page) + i + 10), [1]).Ok();
        }

        byte[] read = new byte[64 * Page];
        content.Read(0, read);
        Assert.Equal(64, read.Count(value => value == 1));
        Assert.Equal(read.Length - 64, read.Count(value => value == 0));
    }

    [Fact]
    public void AWriteThatOvertakesTheEndOfItsFileIsESTALE()
    {
        var pool = new PagePool(Capacity);
        var content = new FileContent(pool);
        content.Drop();
        Assert.Equal(Mono.Unix.Native.Errno.ESTALE, content.Write(0, [1]).Error);
        Assert.Equal(Mono.Unix.Native.Errno.ESTALE, content.Allocate(FallocateMode.None, 0, 1));
        Assert.Equal(Capacity / Page, pool.Budget.Free);
    }

    [Fact]
    public void ATableFindsPagesAnywhereAndShrinksWhenTheyGo()
    {
        var table = new PageTable();
        long[] pages = [0, 1, 63, 64, 4095, 4096, 1L << 30, (1L << 51) - 1];
        foreach (long page in pages)
        {
            table.GetLeaf(page)[(int)(page & 63)] = 7;
        }

        foreach (long page in pages)
        {
            Assert.Equal(7, table.FindLeaf(page)![(int)(page & 63)]);
        }

        Assert.Null(table.FindLeaf(128));
        Assert.Null(table.FindLeaf((1L << 51) - 100));
        var starts = new List<long>();
        for (long at = 0; table.NextLeaf(at, out long start) is not null; at = start + 64)
        {
            starts.Add(start);
        }

        Assert.Equal([0, 64, 4032, 4096, 1L << 30, (1L << 51) - 64], starts);
        foreach (long start in starts)
        {
            table.Prune(start);
            Assert.NotNull(table.FindLeaf(start));
            Array.Clear(table.FindLeaf(start)!);
            table.Prune(start);
            Assert.Null(table.FindLeaf(start));
        }

        Assert.Null(table.NextLeaf(0, out _));
    }
}
