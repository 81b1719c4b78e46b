using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Backends.Contracts;

public abstract class DataContract : FileSystemContract
{
    private const ulong Page = 4096;
    private const ulong BytesMax = long.MaxValue;

    private protected DataContract(Func<IFileSystem> make)
        : base(make)
    {
    }

    [Fact]
    public void ReadingEndsAtTheEndOfTheFile()
    {
        ulong file = MakeFile(Root, "file", "0123456789");
        Assert.Equal("3456"u8, Fs.Read(file, 3, 4).Ok());
        Assert.Equal("89"u8, Fs.Read(file, 8, 100).Ok());
        Assert.Empty(Fs.Read(file, 10, 100).Ok());
        Assert.Empty(Fs.Read(file, BytesMax, 100).Ok());
        Assert.Empty(Fs.Read(file, ulong.MaxValue, 100).Ok());
    }

    [Fact]
    public void ADirectoryHasNoData()
    {
        ulong directory = MakeDirectory(Root, "directory");
        Assert.Equal(Errno.EISDIR, Fs.Open(directory).Error);
    }

    [Fact]
    public void WhatWasNeverWrittenReadsAsZeros()
    {
        ulong file = MakeFile(Root, "file");
        Fs.Write(file, (3 * Page) + 5, "end").Ok();
        byte[] expected = [.. new byte[(3 * Page) + 5], .. "end"u8];
        Assert.Equal(expected, Fs.Read(file, 0, 100_000).Ok());
        Assert.Equal(8ul, Fs.Getattr(file).Ok().Blocks);
    }

    [Fact]
    public void AnEmptyWriteChangesNothing()
    {
        ulong file = MakeFile(Root, "file", "text");
        Assert.Equal(0, Fs.Write(file, 100, []).Ok());
        Assert.Equal(4ul, Fs.Getattr(file).Ok().Size);
    }

    [Fact]
    public void TruncatedDataDoNotComeBack()
    {
        ulong file = MakeFile(Root, "file");
        Fs.Write(file, 0, [.. Enumerable.Repeat((byte)7, 10_000)]).Ok();
        Assert.Equal(100ul, Fs.Truncate(file, 100).Ok().Size);
        Assert.Equal(8ul, Fs.Getattr(file).Ok().Blocks);
        Fs.Truncate(file, 10_000).Ok();
        byte[] expected = [.. Enumerable.Repeat((byte)7, 100), .. new byte[9_900]];
        Assert.Equal(expected, Fs.Read(file, 0, 20_000).Ok());
        Assert.Equal(8ul, Fs.Getattr(file).Ok().Blocks);
        Assert.Equal(0ul, Fs.Truncate(file, 0).Ok().Blocks);
    }

    [Fact]
    public void AnAppendGoesToTheEndWhereverThatIs()
    {
        ulong file = MakeFile(Root, "file", "one");
        Fs.Write(file, 0, [.. "two"u8], OpenFlags.O_WRONLY | OpenFlags.O_APPEND).Ok();
        Fs.Write(file, 100, [.. "three"u8], OpenFlags.O_WRONLY | OpenFlags.O_APPEND).Ok();
        Assert.Equal("onetwothree", Fs.ReadText(file));
    }

    [Fact]
    public void AnAppendThatComesFromThePageCacheHasItsPlace()
    {
        ulong file = MakeFile(Root, "file", "0123456789");
        Fs.Write(file, 2, [.. "xx"u8], OpenFlags.O_WRONLY | OpenFlags.O_APPEND, WriteFlags.Cache).Ok();
        Assert.Equal("01xx456789", Fs.ReadText(file));
    }

    [Fact]
    public void OpeningWithTruncEmptiesTheFile()
    {
        ulong file = MakeFile(Root, "file", "text");
        Fs.Open(file, OpenFlags.O_RDONLY).Ok();
        Assert.Equal("text", Fs.ReadText(file));
        Fs.Open(file, OpenFlags.O_WRONLY | OpenFlags.O_TRUNC).Ok();
        Assert.Equal(0ul, Fs.Getattr(file).Ok().Size);
    }

    [Fact]
    public void TheLargestFileHasTwoToThe63MinusOneBytes()
    {
        ulong file = MakeFile(Root, "file");
        Assert.Equal(BytesMax, Fs.Truncate(file, BytesMax).Ok().Size);
        Assert.Equal(2, Fs.Write(file, BytesMax - 2, "xyz").Ok());
        Assert.Equal("xy"u8, Fs.Read(file, BytesMax - 2, 100).Ok());
        Assert.Equal(Errno.EFBIG, Fs.Write(file, BytesMax, "x").Error);
        Assert.Equal(BytesMax - 4095, Fs.SeekData(file, 0).Ok());
        Fs.Write(file, 0, "x").Ok();
        Assert.Equal(BytesMax - 1, Fs.Truncate(file, BytesMax - 1).Ok().Size);
        Assert.Equal(BytesMax, Fs.Truncate(file, BytesMax).Ok().Size);
        Assert.Equal("x\0"u8, Fs.Read(file, BytesMax - 2, 100).Ok());
        Assert.Equal(8ul, Fs.Truncate(file, BytesMax - 4096).Ok().Blocks);
    }

    [Fact]
    public void SeekFindsDataAndHoles()
    {
        ulong file = MakeFile(Root, "file");
        Fs.Write(file, 2 * Page, "data").Ok();
        Fs.Write(file, 200 * Page, "data").Ok();
        Fs.Truncate(file, 300 * Page).Ok();
        Assert.Equal(2 * Page, Fs.SeekData(file, 0).Ok());
        Assert.Equal(2 * Page + 1, Fs.SeekData(file, 2 * Page + 1).Ok());
        Assert.Equal(200 * Page, Fs.SeekData(file, 3 * Page).Ok());
        Assert.Equal(Errno.ENXIO, Fs.SeekData(file, 201 * Page).Error);
        Assert.Equal(0ul, Fs.SeekHole(file, 0).Ok());
        Assert.Equal(3 * Page, Fs.SeekHole(file, 2 * Page).Ok());
        Assert.Equal(250 * Page, Fs.SeekHole(file, 250 * Page).Ok());
        Assert.Equal(Errno.ENXIO, Fs.SeekHole(file, 300 * Page).Error);
        Assert.Equal(Errno.ENXIO, Fs.SeekData(file, 300 * Page).Error);
        Assert.Equal(Errno.EINVAL, Fs.Lseek(file, 0, whence: 0).Error);
    }

    [Fact]
    public void TheEndOfAFileIsAHole()
    {
        ulong file = MakeFile(Root, "file", "text");
        Assert.Equal(4ul, Fs.SeekHole(file, 0).Ok());
        Assert.Equal(4ul, Fs.SeekHole(file, 3).Ok());
        Assert.Equal(Errno.ENXIO, Fs.SeekHole(file, 4).Error);
    }

    [Fact]
    public void CopyFileRangeCopiesBetweenFilesAndWithinOne()
    {
        ulong source = MakeFile(Root, "source", "0123456789");
        ulong target = MakeFile(Root, "target", "abcdef");
        Assert.Equal(4ul, Fs.CopyFileRange(source, 2, target, 1, 4).Ok());
        Assert.Equal("a2345f", Fs.ReadText(target));
        Assert.Equal(3ul, Fs.CopyFileRange(source, 7, target, 8, 100).Ok());
        Assert.Equal("a2345f\0\0789", Fs.ReadText(target));
        Assert.Equal(0ul, Fs.CopyFileRange(source, 10, target, 0, 100).Ok());
        Assert.Equal(5ul, Fs.CopyFileRange(source, 0, source, 5, 5).Ok());
        Assert.Equal("0123401234", Fs.ReadText(source));
        Assert.Equal(Errno.EINVAL, Fs.CopyFileRange(source, 0, source, 3, 5).Error);
    }

    [Fact]
    public void ALargeCopyArrivesWhole()
    {
        byte[] data = new byte[3_000_001];
        new Random(1).NextBytes(data);
        ulong source = MakeFile(Root, "source");
        ulong target = MakeFile(Root, "target");
        Fs.Write(source, 0, data).Ok();
        ulong done = 0;
        while (done < (ulong)data.Length)
        {
            done += Fs.CopyFileRange(source, done, target, done, (ulong)data.Length - done).Ok();
        }

        Assert.Equal(data, Fs.Read(target, 0, data.Length + 1).Ok());
    }
}
