using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Backends.Contracts;

public abstract class FallocateContract : FileSystemContract
{
    private const ulong Page = 4096;
    private const ulong PageBlocks = 8;
    private const FallocateMode Punch = FallocateMode.PunchHole | FallocateMode.KeepSize;

    private readonly ulong _file;

    private protected FallocateContract(Func<IFileSystem> make)
        : base(make) => _file = MakeFile(Root, "file");

    [Fact]
    public void AllocatingReservesBlocksThatReadAsZerosAndSeekAsHoles()
    {
        Fs.Fallocate(_file, FallocateMode.None, Page + 1, 2 * Page).Ok();
        Attr attr = Fs.Getattr(_file).Ok();
        Assert.Equal((3 * Page + 1, 3 * PageBlocks), (attr.Size, attr.Blocks));
        Assert.Equal(new byte[3 * Page + 1], Fs.Read(_file, 0, 100_000).Ok());
        Assert.Equal(Errno.ENXIO, Fs.SeekData(_file, 0).Error);
        Fs.Write(_file, 2 * Page, "x").Ok();
        Assert.Equal(2 * Page, Fs.SeekData(_file, 0).Ok());
        Assert.Equal(3 * PageBlocks, Fs.Getattr(_file).Ok().Blocks);
    }

    [Fact]
    public void AllocatingChangesNoData()
    {
        Fill(3);
        Fs.Fallocate(_file, FallocateMode.None, 0, 5 * Page).Ok();
        Assert.Equal(5 * Page, Fs.Getattr(_file).Ok().Size);
        AssertPages([1, 2, 3, 0, 0]);
    }

    [Fact]
    public void KeepSizeReservesBehindTheEnd()
    {
        Fs.Write(_file, 0, "text").Ok();
        Fs.Fallocate(_file, FallocateMode.KeepSize, 0, 10 * Page).Ok();
        Attr attr = Fs.Getattr(_file).Ok();
        Assert.Equal((4ul, 10 * PageBlocks), (attr.Size, attr.Blocks));
        Assert.Equal("text", Fs.ReadText(_file));
        Assert.Equal(PageBlocks, Fs.Truncate(_file, 4).Ok().Blocks);
    }

    [Fact]
    public void PunchingMakesAHoleAndKeepsTheSize()
    {
        Fill(4);
        Fs.Fallocate(_file, Punch, Page, 2 * Page).Ok();
        AssertPages([1, 0, 0, 4]);
        Attr attr = Fs.Getattr(_file).Ok();
        Assert.Equal((4 * Page, 2 * PageBlocks), (attr.Size, attr.Blocks));
        Assert.Equal(Page, Fs.SeekHole(_file, 0).Ok());
        Assert.Equal(3 * Page, Fs.SeekData(_file, Page).Ok());
    }

    [Theory]
    [InlineData(10, 20)]
    [InlineData(4000, 200)]
    [InlineData(100, 8192)]
    [InlineData(4095, 4097)]
    [InlineData(0, 1)]
    [InlineData(8192, 100_000)]
    public void PunchingAndZeroingClearJustTheirRange(int offset, int length)
    {
        foreach (FallocateMode mode in new[] { Punch, FallocateMode.ZeroRange | FallocateMode.KeepSize })
        {
            byte[] data = [.. Enumerable.Range(0, 5 * (int)Page).Select(i => (byte)((i % 250) + 1))];
            Fs.Write(_file, 0, data).Ok();
            Fs.Fallocate(_file, mode, (ulong)offset, (ulong)length).Ok();
            data.AsSpan(offset, Math.Min(length, data.Length - offset)).Clear();
            Assert.Equal(data, Fs.Read(_file, 0, data.Length + 1).Ok());
        }
    }

    [Fact]
    public void ZeroingKeepsTheBlocks()
    {
        Fill(4);
        Fs.Fallocate(_file, FallocateMode.ZeroRange, Page, 4 * Page).Ok();
        AssertPages([1, 0, 0, 0, 0]);
        Attr attr = Fs.Getattr(_file).Ok();
        Assert.Equal((5 * Page, 5 * PageBlocks), (attr.Size, attr.Blocks));
        Assert.Equal(Errno.ENXIO, Fs.SeekData(_file, Page).Error);
    }

    [Fact]
    public void CollapsingTakesARangeOut()
    {
        Fill(6);
        Fs.Fallocate(_file, FallocateMode.CollapseRange, Page, 2 * Page).Ok();
        AssertPages([1, 4, 5, 6]);
        Assert.Equal((4 * Page, 4 * PageBlocks), (Fs.Getattr(_file).Ok().Size, Fs.Getattr(_file).Ok().Blocks));
        Assert.Equal(Errno.EINVAL, Fs.Fallocate(_file, FallocateMode.CollapseRange, 2 * Page, 2 * Page));
        Assert.Equal(Errno.EINVAL, Fs.Fallocate(_file, FallocateMode.CollapseRange, 1, Page));
        Assert.Equal(Errno.EINVAL, Fs.Fallocate(_file, FallocateMode.CollapseRange, 0, Page + 1));
    }

    [Fact]
    public void InsertingPutsAHoleIn()
    {
        Fill(3);
        Fs.Fallocate(_file, FallocateMode.InsertRange, Page, 100 * Page).Ok();
        Attr attr = Fs.Getattr(_file).Ok();
        Assert.Equal((103 * Page, 3 * PageBlocks), (attr.Size, attr.Blocks));
        AssertPages([1, .. new byte[100], 2, 3]);
        Assert.Equal(101 * Page, Fs.SeekData(_file, Page).Ok());
        Assert.Equal(Errno.EINVAL, Fs.Fallocate(_file, FallocateMode.InsertRange, 103 * Page, Page));
        Assert.Equal(Errno.EINVAL, Fs.Fallocate(_file, FallocateMode.InsertRange, 1, Page));
        Assert.Equal(Errno.EFBIG, Fs.Fallocate(_file, FallocateMode.InsertRange, 0, long.MaxValue - 4095));
    }

    [Fact]
    public void WhatMakesNoSenseIsRefused()
    {
        Assert.Equal(Errno.EINVAL, Fs.Fallocate(_file, FallocateMode.None, 0, 0));
        Assert.Equal(Errno.EFBIG, Fs.Fallocate(_file, FallocateMode.None, long.MaxValue, 2));
        Assert.Equal(Errno.EOPNOTSUPP, Fs.Fallocate(_file, FallocateMode.PunchHole, 0, Page));
        Assert.Equal(Errno.EOPNOTSUPP, Fs.Fallocate(_file, FallocateMode.UnshareRange, 0, Page));
        Assert.Equal(Errno.EOPNOTSUPP, Fs.Fallocate(_file, FallocateMode.CollapseRange | FallocateMode.KeepSize, 0, Page));
        Assert.Equal(Errno.EOPNOTSUPP, Fs.Fallocate(_file, (FallocateMode)0x100, 0, Page));
        Assert.Equal(0ul, Fs.Getattr(_file).Ok().Size);
    }

    /// <summary>Fills pages with their own number, counted from 1.</summary>
    private void Fill(int pages)
    {
        for (int i = 0; i < pages; i++)
        {
            Fs.Write(_file, (ulong)i * Page, [.. Enumerable.Repeat((byte)(i + 1), (int)Page)]).Ok();
        }
    }

    private void AssertPages(byte[] pages)
    {
        byte[] expected = [.. pages.SelectMany(page => Enumerable.Repeat(page, (int)Page))];
        Assert.Equal(expected, Fs.Read(_file, 0, expected.Length + 1).Ok());
    }
}
