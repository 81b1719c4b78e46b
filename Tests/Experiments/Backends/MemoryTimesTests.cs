using Harness.Experiments.Backends.Memory;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Backends;

/// <summary>Which call changes which time of which file; as ext4 does it, with the rules of POSIX.</summary>
public sealed class MemoryTimesTests : IDisposable
{
    private const ulong Root = FileSystemClient.Root;
    private const string Access = "atime";
    private const string Modify = "mtime";
    private const string Change = "ctime";

    private readonly ManualTime _time = new();
    private MemoryFileSystem _fileSystem;
    private FileSystemClient _fs;
    private ulong _directory;
    private ulong _file;

    public MemoryTimesTests() => Restart(new MemoryOptions { CapacityBytes = MemoryBackend.CapacityBytes });

    public void Dispose() => _fileSystem.Dispose();

    [Fact]
    public void AWriteChangesDataAndStatusTime() => AssertChanged(
        () => _fs.Write(_file, 0, "x").Ok(), (_file, [Modify, Change]), (_directory, []));

    [Fact]
    public void TruncateAndFallocateChangeDataAndStatusTime()
    {
        AssertChanged(() => _fs.Truncate(_file, 10).Ok(), (_file, [Modify, Change]));
        AssertChanged(() => _fs.Truncate(_file, 10).Ok(), (_file, [Modify, Change]));
        AssertChanged(() => _fs.Fallocate(_file, FallocateMode.None, 0, 20).Ok(), (_file, [Modify, Change]));
        AssertChanged(() => _fs.Open(_file, OpenFlags.O_RDWR | OpenFlags.O_TRUNC).Ok(), (_file, [Modify, Change]));
    }

    [Fact]
    public void OpeningAndLookingChangesNothing() => AssertChanged(
        () =>
        {
            _fs.Open(_file).Ok();
            _fs.Lookup(_directory, "file").Ok();
            _fs.Lseek(_file, 0, 4);
            _fs.Getattr(_file).Ok();
        },
        (_file, []),
        (_directory, []));

    [Fact]
    public void ACopyReadsOneAndWritesTheOther()
    {
        ulong other = _fs.Create(_directory, "other").Ok().Entry.Nodeid;
        AssertChanged(() => _fs.CopyFileRange(_file, 0, other, 0, 4).Ok(), (_file, [Access]), (other, [Modify, Change]));
    }

    [Fact]
    public void ChangingAttributesChangesTheStatusTime()
    {
        AssertChanged(() => _fs.Chmod(_file, 0x1FF).Ok(), (_file, [Change]), (_directory, []));
        AssertChanged(() => _fs.Chown(_file, 1, 1).Ok(), (_file, [Change]));
        AssertChanged(() => _fs.Setxattr(_file, "user.name", [1]).Ok(), (_file, [Change]));
        AssertChanged(() => _fs.Removexattr(_file, "user.name").Ok(), (_file, [Change]));
        AssertChanged(() => _fs.Setxattr(_file, "system.posix_acl_access", []).Ok(), (_file, [Change]));
    }

    [Fact]
    public void SettingTimesChangesTheStatusTime()
    {
        AssertChanged(() => _fs.Setattr(_file, new SetattrIn { Valid = SetattrValid.Atime, Atime = 1 }).Ok(), (_file, [Access, Change]));
        AssertChanged(() => _fs.Setattr(_file, new SetattrIn { Valid = SetattrValid.Mtime, Mtime = 1 }).Ok(), (_file, [Modify, Change]));
    }

    [Fact]
    public void NowIsTheTimeOfTheFileSystem()
    {
        _time.Advance(TimeSpan.FromTicks(12_345_678));
        var now = new SetattrIn
        {
            Valid = SetattrValid.Atime | SetattrValid.AtimeNow | SetattrValid.Mtime | SetattrValid.MtimeNow,
            Atime = 1,
            Mtime = 1,
        };
        Attr attr = _fs.Setattr(_file, now).Ok();
        Assert.Equal((ulong)_time.GetUtcNow().ToUnixTimeSeconds(), attr.Atime);
        Assert.Equal(234_567_800u, attr.Atimensec);
        Assert.Equal((attr.Atime, attr.Atimensec, attr.Atime, attr.Atimensec), (attr.Mtime, attr.Mtimensec, attr.Ctime, attr.Ctimensec));
    }

    [Fact]
    public void MakingANameChangesItsDirectory()
    {
        AssertChanged(() => _fs.Create(_directory, "a").Ok(), (_directory, [Modify, Change]), (_file, []));
        AssertChanged(() => _fs.Mkdir(_directory, "b").Ok(), (_directory, [Modify, Change]));
        AssertChanged(() => _fs.Symlink(_directory, "c", "target").Ok(), (_directory, [Modify, Change]));
        AssertChanged(() => _fs.Mknod(_directory, "d", FilePermissions.S_IFIFO).Ok(), (_directory, [Modify, Change]));
        AssertChanged(() => _fs.Link(_file, _directory, "e").Ok(), (_directory, [Modify, Change]), (_file, [Change]));
        AssertChanged(() => _fs.Tmpfile(_directory).Ok(), (_directory, []));
    }

    [Fact]
    public void RemovingANameChangesItsDirectoryAndTheFile()
    {
        _fs.Mkdir(_directory, "inner").Ok();
        AssertChanged(() => _fs.Rmdir(_directory, "inner").Ok(), (_directory, [Modify, Change]));
        AssertChanged(() => _fs.Unlink(_directory, "file").Ok(), (_directory, [Modify, Change]), (_file, [Change]));
    }

    [Fact]
    public void RenamingChangesBothDirectoriesAndTheStatusOfTheFiles()
    {
        ulong other = _fs.Mkdir(Root, "other").Ok().Nodeid;
        ulong target = _fs.Create(other, "target").Ok().Entry.Nodeid;
        AssertChanged(
            () => _fs.Rename(_directory, "file", other, "target").Ok(),
            (_directory, [Modify, Change]),
            (other, [Modify, Change]),
            (_file, [Change]),
            (target, [Change]));
    }

    [Fact]
    public void WhatFailsChangesNothing() => AssertChanged(
        () =>
        {
            Assert.Equal(Errno.EEXIST, _fs.Mkdir(_directory, "file").Error);
            Assert.Equal(Errno.ENOTDIR, _fs.Rmdir(_directory, "file"));
            Assert.Equal(Errno.EEXIST, _fs.Rename(_directory, "file", _directory, "file", RenameFlags.Noreplace));
            Assert.Equal(Errno.ENODATA, _fs.Removexattr(_file, "user.name"));
            Assert.Equal(Errno.EFBIG, _fs.Truncate(_file, ulong.MaxValue).Error);
            Assert.Equal(Errno.EINVAL, _fs.Fallocate(_file, FallocateMode.None, 0, 0));
        },
        (_file, []),
        (_directory, []));

    [Fact]
    public void ReadingMarksAFileOnceAfterAChangeAndOnceADay()
    {
        void Read() => _fs.Read(_file, 0, 4).Ok();
        AssertChanged(Read, (_file, [Access]));
        AssertChanged(Read, (_file, []));
        _fs.Write(_file, 0, "x").Ok();
        AssertChanged(Read, (_file, [Access]));
        _fs.Chmod(_file, 0).Ok();
        AssertChanged(Read, (_file, [Access]));
        AssertChanged(Read, (_file, []));
        _time.Advance(TimeSpan.FromDays(1));
        AssertChanged(Read, (_file, [Access]));
    }

    [Fact]
    public void ListingAndReadlinkMarkTheirNodes()
    {
        ulong link = _fs.Symlink(_directory, "link", "target").Ok().Nodeid;
        AssertChanged(() => _fs.Readlink(link).Ok(), (link, [Access]));
        AssertChanged(() => _fs.List(_directory), (_directory, [Access]));
        AssertChanged(() => _fs.List(_directory), (_directory, []));
    }

    [Fact]
    public void StrictAtimeMarksEachRead()
    {
        Restart(new MemoryOptions { CapacityBytes = MemoryBackend.CapacityBytes, Atime = AtimeUpdate.Strict });
        AssertChanged(() => _fs.Read(_file, 0, 4).Ok(), (_file, [Access]));
        AssertChanged(() => _fs.Read(_file, 0, 4).Ok(), (_file, [Access]));
    }

    [Fact]
    public void NoatimeMarksNoRead()
    {
        Restart(new MemoryOptions { CapacityBytes = MemoryBackend.CapacityBytes, Atime = AtimeUpdate.Never });
        AssertChanged(() => _fs.Read(_file, 0, 4).Ok(), (_file, []));
    }

    [Fact]
    public void AWriteFromAMappedPageChangesTheTimes() =>
        AssertChanged(() => _fs.Write(_file, 0, [1], writeFlags: WriteFlags.Cache).Ok(), (_file, [Modify, Change]));

    [Fact]
    public void WithTheWritebackCacheTheKernelKeepsTheTimes()
    {
        _fileSystem.Start(MemoryBackend.Agreed(InitFlags.WritebackCache));
        AssertChanged(() => _fs.Write(_file, 0, [1], writeFlags: WriteFlags.Cache).Ok(), (_file, []));
        var flushed = new SetattrIn
        {
            Valid = SetattrValid.Mtime | SetattrValid.Ctime,
            Mtime = 11,
            Mtimensec = 12,
            Ctime = 13,
            Ctimensec = 14,
        };
        Attr attr = _fs.Setattr(_file, flushed).Ok();
        Assert.Equal((11ul, 12u, 13ul, 14u), (attr.Mtime, attr.Mtimensec, attr.Ctime, attr.Ctimensec));
    }

    [Fact]
    public void WithTheWritebackCacheTheKernelKnowsTheEnd()
    {
        _fileSystem.Start(MemoryBackend.Agreed(InitFlags.WritebackCache));
        _fs.Write(_file, 10, [.. "end"u8], OpenFlags.O_WRONLY | OpenFlags.O_APPEND).Ok();
        Assert.Equal(13ul, _fs.Getattr(_file).Ok().Size);
    }

    [Fact]
    public void StatxTellsWhenAFileWasMade()
    {
        long made = _time.GetUtcNow().ToUnixTimeSeconds();
        ulong file = _fs.Create(Root, "new").Ok().Entry.Nodeid;
        _time.Advance(TimeSpan.FromSeconds(100));
        _fs.Write(file, 0, "x").Ok();
        Statx stat = _fs.Statx(file).Ok();
        Assert.Equal((made, made + 100), (stat.Btime.TvSec, stat.Mtime.TvSec));
    }

    [System.Diagnostics.CodeAnalysis.MemberNotNull(nameof(_fileSystem), nameof(_fs))]
    private void Restart(MemoryOptions options)
    {
        _fileSystem?.Dispose();
        _fileSystem = MemoryBackend.Make(options, _time);
        _fs = new FileSystemClient(_fileSystem);
        _directory = _fs.Mkdir(Root, "directory").Ok().Nodeid;
        _file = _fs.Create(_directory, "file").Ok().Entry.Nodeid;
        _fs.Write(_file, 0, "text").Ok();
    }

    /// <summary>Does something a second later, and checks which times of which nodes have changed.</summary>
    private void AssertChanged(Action act, params (ulong Node, string[] Times)[] expected)
    {
        Attr[] before = [.. expected.Select(one => _fs.Getattr(one.Node).Ok())];
        _time.Advance(TimeSpan.FromSeconds(1));
        act();
        for (int i = 0; i < expected.Length; i++)
        {
            Attr after = _fs.Getattr(expected[i].Node).Ok();
            var changed = new List<string>();
            Note(changed, Access, before[i].Atime, after.Atime);
            Note(changed, Modify, before[i].Mtime, after.Mtime);
            Note(changed, Change, before[i].Ctime, after.Ctime);
            Assert.Equal(expected[i].Times, changed);
        }
    }

    private static void Note(List<string> changed, string name, ulong before, ulong after)
    {
        if (before != after)
        {
            changed.Add(name);
        }
    }
}
