using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Backends.Contracts;

public abstract class NamesContract : FileSystemContract
{
    private protected NamesContract(Func<IFileSystem> make)
        : base(make)
    {
    }

    [Fact]
    public void WhatIsMadeIsFoundByItsName()
    {
        foreach (string name in new[] { "file", "with space", "ünïcödé", "..hidden", "new\nline" })
        {
            ulong made = MakeFile(Root, name);
            EntryOut found = Fs.Lookup(Root, name).Ok();
            Assert.Equal(made, found.Nodeid);
            Assert.Equal(Fs.Getattr(made).Ok(), found.Attr);
        }
    }

    [Fact]
    public void AMissingNameIsENOENT()
    {
        Assert.Equal(Errno.ENOENT, Fs.Lookup(Root, "missing").Error);
        Assert.Equal(Errno.ENOENT, Fs.Unlink(Root, "missing"));
        Assert.Equal(Errno.ENOENT, Fs.Rmdir(Root, "missing"));
        Assert.Equal(Errno.ENOENT, Fs.Rename(Root, "missing", Root, "other"));
    }

    [Fact]
    public void ANameMayHave255Bytes()
    {
        string longest = new('n', 255);
        ulong node = MakeFile(Root, longest);
        Assert.Equal(node, Fs.Lookup(Root, longest).Ok().Nodeid);
        Assert.Equal([longest], Fs.List(Root));
        Fs.Rename(Root, longest, Root, new string('m', 255)).Ok();
        Fs.Unlink(Root, new string('m', 255)).Ok();
    }

    [Fact]
    public void ALongerNameIsENAMETOOLONG()
    {
        string tooLong = new('n', 256);
        ulong file = MakeFile(Root, "file");
        Assert.Equal(Errno.ENAMETOOLONG, Fs.Lookup(Root, tooLong).Error);
        Assert.Equal(Errno.ENAMETOOLONG, Fs.Create(Root, tooLong).Error);
        Assert.Equal(Errno.ENAMETOOLONG, Fs.Mkdir(Root, tooLong).Error);
        Assert.Equal(Errno.ENAMETOOLONG, Fs.Mknod(Root, tooLong, FilePermissions.S_IFIFO).Error);
        Assert.Equal(Errno.ENAMETOOLONG, Fs.Symlink(Root, tooLong, "target").Error);
        Assert.Equal(Errno.ENAMETOOLONG, Fs.Link(file, Root, tooLong).Error);
        Assert.Equal(Errno.ENAMETOOLONG, Fs.Unlink(Root, tooLong));
        Assert.Equal(Errno.ENAMETOOLONG, Fs.Rmdir(Root, tooLong));
        Assert.Equal(Errno.ENAMETOOLONG, Fs.Rename(Root, "file", Root, tooLong));
        Assert.Equal(Errno.ENAMETOOLONG, Fs.Rename(Root, tooLong, Root, "file"));
        Assert.Equal(["file"], Fs.List(Root));
    }

    [Fact]
    public void ANameThatIsThereIsEEXIST()
    {
        ulong file = MakeFile(Root, "file", "kept");
        MakeDirectory(Root, "directory");
        foreach (string name in new[] { "file", "directory" })
        {
            Assert.Equal(Errno.EEXIST, Fs.Create(Root, name, OpenFlags.O_RDWR | OpenFlags.O_CREAT | OpenFlags.O_EXCL).Error);
            Assert.Equal(Errno.EEXIST, Fs.Mkdir(Root, name).Error);
            Assert.Equal(Errno.EEXIST, Fs.Mknod(Root, name, FilePermissions.S_IFREG).Error);
            Assert.Equal(Errno.EEXIST, Fs.Symlink(Root, name, "target").Error);
            Assert.Equal(Errno.EEXIST, Fs.Link(file, Root, name).Error);
        }

        Assert.Equal("kept", Fs.ReadText(file));
        Assert.Equal(1u, Fs.Getattr(file).Ok().Nlink);
    }

    [Fact]
    public void CreateWithoutExclOpensWhatIsThere()
    {
        ulong file = MakeFile(Root, "file", "kept");
        CreateOut opened = Fs.Create(Root, "file", mode: 0x1FF).Ok();
        Assert.Equal(file, opened.Entry.Nodeid);
        Assert.Equal(4ul, opened.Entry.Attr.Size);
        Assert.Equal(0x1A4u, opened.Entry.Attr.Mode & 0xFFF);
        Assert.Equal(0ul, Fs.Create(Root, "file", OpenFlags.O_RDWR | OpenFlags.O_CREAT | OpenFlags.O_TRUNC).Ok().Entry.Attr.Size);
        Assert.Equal("", Fs.ReadText(file));
    }

    [Fact]
    public void CreateOfADirectoryIsEISDIR()
    {
        MakeDirectory(Root, "directory");
        Assert.Equal(Errno.EISDIR, Fs.Create(Root, "directory").Error);
        Assert.Equal(Errno.EISDIR, Fs.Open(Fs.Lookup(Root, "directory").Ok().Nodeid).Error);
        Assert.Equal(Errno.ENOTDIR, Fs.Opendir(MakeFile(Root, "file")).Error);
    }

    [Fact]
    public void LinkCountsFollowLinkAndUnlink()
    {
        ulong file = MakeFile(Root, "one", "text");
        ulong directory = MakeDirectory(Root, "directory");
        EntryOut linked = Fs.Link(file, directory, "two").Ok();
        Assert.Equal(file, linked.Nodeid);
        Assert.Equal(2u, linked.Attr.Nlink);
        Assert.Equal(3u, Fs.Link(file, Root, "three").Ok().Attr.Nlink);
        Fs.Unlink(Root, "one").Ok();
        Assert.Equal(2u, Fs.Getattr(file).Ok().Nlink);
        Fs.Unlink(directory, "two").Ok();
        Assert.Equal(1u, Fs.Getattr(file).Ok().Nlink);
        Assert.Equal("text", Fs.ReadText(Fs.Lookup(Root, "three").Ok().Nodeid));
        Fs.Unlink(Root, "three").Ok();
        Assert.Equal(0u, Fs.Getattr(file).Ok().Nlink);
    }

    [Fact]
    public void LinkingADirectoryIsEPERM() => Assert.Equal(Errno.EPERM, Fs.Link(MakeDirectory(Root, "d"), Root, "e").Error);

    [Fact]
    public void AnUnlinkedFileCanStillBeUsedButNotLinked()
    {
        ulong file = MakeFile(Root, "file", "text");
        Fs.Unlink(Root, "file").Ok();
        Assert.Equal("text", Fs.ReadText(file));
        Fs.Write(file, 4, "s").Ok();
        Assert.Equal("texts", Fs.ReadText(file));
        Assert.Equal(2ul, Fs.Truncate(file, 2).Ok().Size);
        Assert.Equal(Errno.ENOENT, Fs.Link(file, Root, "again").Error);
        Assert.Empty(Fs.List(Root));
    }

    [Fact]
    public void UnlinkAndRmdirKnowWhatTheyRemove()
    {
        ulong directory = MakeDirectory(Root, "directory");
        MakeFile(Root, "file");
        MakeFile(directory, "inside");
        Assert.Equal(Errno.EISDIR, Fs.Unlink(Root, "directory"));
        Assert.Equal(Errno.ENOTDIR, Fs.Rmdir(Root, "file"));
        Assert.Equal(Errno.ENOTEMPTY, Fs.Rmdir(Root, "directory"));
        Fs.Unlink(directory, "inside").Ok();
        Fs.Rmdir(Root, "directory").Ok();
        Assert.Equal(["file"], Fs.List(Root));
    }

    [Fact]
    public void ADirectoryCountsTheDirectoriesInIt()
    {
        ulong parent = MakeDirectory(Root, "parent");
        Assert.Equal(2u, Fs.Getattr(parent).Ok().Nlink);
        MakeDirectory(parent, "a");
        MakeDirectory(parent, "b");
        MakeFile(parent, "file");
        Assert.Equal(4u, Fs.Getattr(parent).Ok().Nlink);
        Fs.Rename(parent, "a", Root, "a").Ok();
        Assert.Equal(3u, Fs.Getattr(parent).Ok().Nlink);
        Fs.Rmdir(parent, "b").Ok();
        Assert.Equal(2u, Fs.Getattr(parent).Ok().Nlink);
        Assert.Equal(4u, Fs.Getattr(Root).Ok().Nlink);
    }

    [Fact]
    public void NamesBelowAFileAreENOTDIR()
    {
        ulong file = MakeFile(Root, "file");
        MakeDirectory(Root, "directory");
        Assert.Equal(Errno.ENOTDIR, Fs.Lookup(file, "name").Error);
        Assert.Equal(Errno.ENOTDIR, Fs.Create(file, "name").Error);
        Assert.Equal(Errno.ENOTDIR, Fs.Mkdir(file, "name").Error);
        Assert.Equal(Errno.ENOTDIR, Fs.Unlink(file, "name"));
        Assert.Equal(Errno.ENOTDIR, Fs.Rmdir(file, "name"));
        Assert.Equal(Errno.ENOTDIR, Fs.Rename(Root, "directory", file, "name"));
        Assert.Equal(Errno.ENOTDIR, Fs.Tmpfile(file).Error);
    }

    [Fact]
    public void ARemovedDirectoryTakesNoNames()
    {
        ulong file = MakeFile(Root, "file");
        ulong directory = MakeDirectory(Root, "directory");
        Fs.Rmdir(Root, "directory").Ok();
        Assert.Equal(0u, Fs.Getattr(directory).Ok().Nlink);
        Assert.Equal(Errno.ENOENT, Fs.Lookup(directory, "name").Error);
        Assert.Equal(Errno.ENOENT, Fs.Create(directory, "name").Error);
        Assert.Equal(Errno.ENOENT, Fs.Mkdir(directory, "name").Error);
        Assert.Equal(Errno.ENOENT, Fs.Symlink(directory, "name", "target").Error);
        Assert.Equal(Errno.ENOENT, Fs.Link(file, directory, "name").Error);
        Assert.Equal(Errno.ENOENT, Fs.Rename(Root, "file", directory, "name"));
        Assert.Equal(Errno.ENOENT, Fs.Tmpfile(directory).Error);
        Assert.Equal(["file"], Fs.List(Root));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(4095)]
    public void ASymbolicLinkTellsItsTarget(int length)
    {
        string target = new('t', length);
        EntryOut link = Fs.Symlink(Root, "link", target).Ok();
        Assert.Equal(target, Fs.Readlink(link.Nodeid).Ok());
        Assert.Equal((ulong)length, link.Attr.Size);
        Assert.Equal((uint)(FilePermissions.S_IFLNK | FilePermissions.ACCESSPERMS), link.Attr.Mode);
    }

    [Fact]
    public void ATargetLongerThanAPathIsENAMETOOLONG()
    {
        Assert.Equal(Errno.ENAMETOOLONG, Fs.Symlink(Root, "link", new string('t', 4096)).Error);
        Assert.Equal(Errno.EINVAL, Fs.Readlink(MakeFile(Root, "file")).Error);
    }

    [Theory]
    [InlineData(FilePermissions.S_IFREG, 0u)]
    [InlineData(FilePermissions.S_IFIFO, 0u)]
    [InlineData(FilePermissions.S_IFSOCK, 0u)]
    [InlineData(FilePermissions.S_IFCHR, 0x103u)]
    [InlineData(FilePermissions.S_IFBLK, 0x12345678u)]
    public void EveryKindOfNodeKeepsItsTypeAndDevice(FilePermissions type, uint rdev)
    {
        EntryOut node = Fs.Mknod(Root, "node", type | (FilePermissions)0x1A4, rdev).Ok();
        Assert.Equal((uint)type | 0x1A4, node.Attr.Mode);
        Assert.Equal(rdev, node.Attr.Rdev);
        Assert.Equal(1u, node.Attr.Nlink);
        Assert.Equal((uint)type >> 12, Fs.ListAll(Root).Single(listed => listed.Name == "node").Type);
    }

    [Fact]
    public void ATemporaryFileHasNoNameUntilItIsLinked()
    {
        CreateOut temporary = Fs.Tmpfile(Root).Ok();
        Assert.Equal(0u, temporary.Entry.Attr.Nlink);
        Assert.Empty(Fs.List(Root));
        ulong node = temporary.Entry.Nodeid;
        Fs.Write(node, 0, "text").Ok();
        Assert.Equal(1u, Fs.Link(node, Root, "named").Ok().Attr.Nlink);
        Assert.Equal("text", Fs.ReadText(Fs.Lookup(Root, "named").Ok().Nodeid));
        Fs.Unlink(Root, "named").Ok();
        Assert.Equal(Errno.ENOENT, Fs.Link(node, Root, "again").Error);
    }

    [Fact]
    public void AnExclusiveTemporaryFileStaysWithoutName() =>
        Assert.Equal(Errno.ENOENT, Fs.Link(Fs.Tmpfile(Root, OpenFlags.O_RDWR | OpenFlags.O_EXCL).Ok().Entry.Nodeid, Root, "name").Error);
}
