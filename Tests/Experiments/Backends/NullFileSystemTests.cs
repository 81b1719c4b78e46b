using Harness.Experiments.Backends;
using Harness.Experiments.Backends.Null;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Backends;

public sealed class NullFileSystemTests
{
    private const ulong Root = FileSystemClient.Root;
    private const ulong FileBytes = 1UL << 40;

    private readonly FileSystemClient _fs = new(new NullFileSystem(
        new BackendOptions { OpenFlags = FopenFlags.DirectIo, Uid = 3, Gid = 4 }, new ManualTime()));

    private readonly ulong _file;

    public NullFileSystemTests() => _file = _fs.Lookup(Root, "zero.0").Ok().Nodeid;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ThereAreSixteenFilesOfOneTiB(bool plus)
    {
        string[] names = [.. Enumerable.Range(0, 16).Select(i => $"zero.{i}")];
        Assert.Equal(names, _fs.List(Root, size: 500, plus));
        Assert.Equal(16, names.Select(name => _fs.Lookup(Root, name).Ok().Nodeid).Distinct().Count());
        foreach (string name in names)
        {
            EntryOut entry = _fs.Lookup(Root, name).Ok();
            Assert.Equal((FileBytes, (uint)FilePermissions.S_IFREG | 0x1B6, 3u, 4u), (entry.Attr.Size, entry.Attr.Mode, entry.Attr.Uid, entry.Attr.Gid));
            Assert.Equal(entry.Attr, _fs.Getattr(entry.Nodeid).Ok());
        }
    }

    [Fact]
    public void ReadingFillsTheBufferWithZeros()
    {
        Assert.Equal(new byte[100_000], _fs.Read(_file, 123, 100_000).Ok());
        Assert.Equal(new byte[10], _fs.Read(_file, FileBytes - 10, 100).Ok());
        Assert.Empty(_fs.Read(_file, FileBytes, 100).Ok());
    }

    [Fact]
    public void WritesVanish()
    {
        Attr before = _fs.Getattr(_file).Ok();
        Assert.Equal(3, _fs.Write(_file, 5, "abc").Ok());
        Assert.Equal(new byte[10], _fs.Read(_file, 0, 10).Ok());
        Assert.Equal(before, _fs.Getattr(_file).Ok());
        Assert.Equal(Errno.EFBIG, _fs.Write(_file, FileBytes, "abc").Error);
    }

    [Fact]
    public void PreparingAFileForABenchmarkSucceedsAndChangesNothing()
    {
        Attr before = _fs.Getattr(_file).Ok();
        Assert.Equal(before, _fs.Truncate(_file, 0).Ok());
        _fs.Fallocate(_file, FallocateMode.None, 0, 1 << 30).Ok();
        Assert.Equal(FopenFlags.DirectIo, _fs.Open(_file, OpenFlags.O_RDWR | OpenFlags.O_TRUNC).Ok().OpenFlags);
        Assert.Equal(_file, _fs.Create(Root, "zero.0").Ok().Entry.Nodeid);
        _fs.Flush(_file, 1).Ok();
        Assert.Equal(before, _fs.Getattr(_file).Ok());
        Assert.Equal(100ul, _fs.SeekData(_file, 100).Ok());
        Assert.Equal(FileBytes, _fs.SeekHole(_file, 100).Ok());
    }

    [Fact]
    public void NamesDoNotChange()
    {
        Assert.Equal(Errno.EROFS, _fs.Create(Root, "other").Error);
        Assert.Equal(Errno.EEXIST, _fs.Create(Root, "zero.0", OpenFlags.O_CREAT | OpenFlags.O_EXCL).Error);
        Assert.Equal(Errno.EROFS, _fs.Mkdir(Root, "other").Error);
        Assert.Equal(Errno.EROFS, _fs.Unlink(Root, "zero.0"));
        Assert.Equal(Errno.EROFS, _fs.Rename(Root, "zero.0", Root, "other"));
        Assert.Equal(Errno.EROFS, _fs.Link(_file, Root, "other").Error);
        Assert.Equal(Errno.ENOENT, _fs.Lookup(Root, "zero.16").Error);
        Assert.Equal(Errno.EPERM, _fs.Chmod(_file, 0).Error);
    }

    [Fact]
    public void ThereIsRoomForAllFiles()
    {
        Kstatfs totals = _fs.Statfs();
        Assert.Equal((16 * FileBytes, 17ul), (totals.Blocks * totals.Bsize, totals.Files));
    }
}
