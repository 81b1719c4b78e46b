using Harness.Experiments.Backends.Memory;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Backends;

public sealed class MemoryLimitsTests : IDisposable
{
    private const ulong Root = FileSystemClient.Root;
    private const int Page = 4096;
    private const int PagesMax = 100;
    private const int InodesMax = 20;

    private readonly MemoryFileSystem _fileSystem = MemoryBackend.Make(
        new MemoryOptions { CapacityBytes = PagesMax * Page, InodesMax = InodesMax }, TimeProvider.System);

    private readonly FileSystemClient _fs;
    private readonly ulong _file;

    public MemoryLimitsTests()
    {
        _fs = new FileSystemClient(_fileSystem);
        _file = _fs.Create(Root, "file").Ok().Entry.Nodeid;
    }

    public void Dispose() => _fileSystem.Dispose();

    [Fact]
    public void AFullFileSystemIsENOSPCUntilSomethingIsFreed()
    {
        Assert.Equal(PagesMax * Page, _fs.Write(_file, 0, new byte[(PagesMax * Page) + 1]).Ok());
        Assert.Equal((ulong)(PagesMax * Page), _fs.Getattr(_file).Ok().Size);
        Assert.Equal(Errno.ENOSPC, _fs.Write(_file, PagesMax * Page, "x").Error);
        Assert.Equal((0ul, 0ul), (_fs.Statfs().Bfree, _fs.Statfs().Bavail));
        Assert.Equal(1, _fs.Write(_file, 5, "x").Ok());
        _fs.Truncate(_file, Page * (PagesMax - 1)).Ok();
        Assert.Equal(1ul, _fs.Statfs().Bfree);
        ulong other = _fs.Create(Root, "other").Ok().Entry.Nodeid;
        Assert.Equal(2, _fs.Write(other, 0, "ab").Ok());
        Assert.Equal(Errno.ENOSPC, _fs.Write(other, Page, "x").Error);
    }

    [Fact]
    public void AWriteFromThePageCacheIsNeverShort()
    {
        Errno error = _fs.Write(_file, 0, new byte[(PagesMax * Page) + 1], writeFlags: WriteFlags.Cache).Error;
        Assert.Equal(Errno.ENOSPC, error);
    }

    [Fact]
    public void WhatIsReservedCanBeWrittenThoughTheRestIsFull()
    {
        _fs.Fallocate(_file, FallocateMode.None, 0, 60 * Page).Ok();
        ulong other = _fs.Create(Root, "other").Ok().Entry.Nodeid;
        Assert.Equal(40 * Page, _fs.Write(other, 0, new byte[PagesMax * Page]).Ok());
        Assert.Equal(60 * Page, _fs.Write(_file, 0, new byte[PagesMax * Page]).Ok());
        Assert.Equal(0ul, _fs.Statfs().Bfree);
    }

    [Fact]
    public void AnAllocationThatDoesNotFitChangesNothing()
    {
        _fs.Write(_file, 0, "text").Ok();
        foreach (FallocateMode mode in new[] { FallocateMode.None, FallocateMode.KeepSize, FallocateMode.ZeroRange })
        {
            Assert.Equal(Errno.ENOSPC, _fs.Fallocate(_file, mode, 0, (PagesMax + 1) * Page));
            Assert.Equal(Errno.ENOSPC, _fs.Fallocate(_file, mode, 0, long.MaxValue));
        }

        Assert.Equal("text", _fs.ReadText(_file));
        Assert.Equal(PagesMax - 1ul, _fs.Statfs().Bfree);
        _fs.Fallocate(_file, FallocateMode.None, 0, PagesMax * Page).Ok();
    }

    [Fact]
    public void UnlinkingGivesPagesBackWhenTheFileIsForgotten()
    {
        _fs.Write(_file, 0, new byte[10 * Page]).Ok();
        _fs.Fallocate(_file, FallocateMode.KeepSize, 10 * Page, 5 * Page).Ok();
        _fs.Unlink(Root, "file").Ok();
        Assert.Equal(PagesMax - 15ul, _fs.Statfs().Bfree);
        _fs.Forget(_file, 1);
        Assert.Equal((ulong)PagesMax, _fs.Statfs().Bfree);
        Assert.Equal(InodesMax - 1ul, _fs.Statfs().Ffree);
    }

    [Fact]
    public void EveryNameCountsAsAnInode()
    {
        Assert.Equal(((ulong)InodesMax, InodesMax - 2ul), (_fs.Statfs().Files, _fs.Statfs().Ffree));
        for (int i = 0; i < InodesMax - 2; i++)
        {
            Assert.True((i % 2 == 0 ? _fs.Mkdir(Root, $"name-{i}") : _fs.Link(_file, Root, $"name-{i}")).IsOk);
        }

        Assert.Equal(0ul, _fs.Statfs().Ffree);
        Assert.Equal(Errno.ENOSPC, _fs.Mkdir(Root, "more").Error);
        Assert.Equal(Errno.ENOSPC, _fs.Create(Root, "more").Error);
        Assert.Equal(Errno.ENOSPC, _fs.Symlink(Root, "more", "target").Error);
        Assert.Equal(Errno.ENOSPC, _fs.Link(_file, Root, "more").Error);
        Assert.Equal(Errno.ENOSPC, _fs.Tmpfile(Root).Error);
        Assert.Equal(Errno.ENOSPC, _fs.Rename(Root, "file", Root, "more", RenameFlags.Whiteout));
        _fs.Rename(Root, "file", Root, "more").Ok();
        _fs.Unlink(Root, "name-1").Ok();
        _fs.Mknod(Root, "again", FilePermissions.S_IFIFO).Ok();
    }

    [Fact]
    public void AttributesTakeSpaceToo()
    {
        _fs.Setxattr(_file, "user.small", [1]).Ok();
        Assert.Equal(PagesMax - 1ul, _fs.Statfs().Bfree);
        _fs.Setxattr(_file, "user.large", new byte[65_536]).Ok();
        Assert.Equal(PagesMax - 17ul, _fs.Statfs().Bfree);
        Errno error = Errnos.Ok;
        for (int i = 0; i < 10 && error == Errnos.Ok; i++)
        {
            error = _fs.Setxattr(_file, $"user.large-{i}", new byte[65_536]);
        }

        Assert.Equal(Errno.ENOSPC, error);
        foreach (string name in _fs.Listxattr(_file))
        {
            _fs.Removexattr(_file, name).Ok();
        }

        Assert.Equal((ulong)PagesMax, _fs.Statfs().Bfree);
    }

    [Fact]
    public void StatfsTellsTheLimits()
    {
        Kstatfs totals = _fs.Statfs();
        Assert.Equal((PagesMax, Page, Page, 255), ((int)totals.Blocks, (int)totals.Bsize, (int)totals.Frsize, (int)totals.Namelen));
    }

    [Fact]
    public void ByDefaultHalfOfTheMemoryIsTheLimit()
    {
        var options = new MemoryOptions();
        Assert.Equal(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2, options.CapacityBytes);
        Assert.Equal(options.CapacityBytes / 8192, options.InodesMax);
    }

    [Fact]
    public void ImpossibleLimitsAreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new MemoryOptions { CapacityBytes = 100 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new MemoryOptions { CapacityBytes = long.MaxValue });
        Assert.Throws<ArgumentOutOfRangeException>(() => new MemoryOptions { InodesMax = 0 });
    }
}
