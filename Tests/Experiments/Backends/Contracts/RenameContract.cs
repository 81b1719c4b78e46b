using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Backends.Contracts;

public abstract class RenameContract : FileSystemContract
{
    private protected RenameContract(Func<IFileSystem> make)
        : base(make)
    {
    }

    [Fact]
    public void ARenamedFileIsTheSameFile()
    {
        ulong file = MakeFile(Root, "old", "text");
        ulong directory = MakeDirectory(Root, "directory");
        Fs.Rename(Root, "old", directory, "new").Ok();
        Assert.Equal(Errno.ENOENT, Fs.Lookup(Root, "old").Error);
        Assert.Equal(file, Fs.Lookup(directory, "new").Ok().Nodeid);
        Fs.Rename(directory, "new", directory, "newer").Ok();
        Assert.Equal(["newer"], Fs.List(directory));
        Assert.Equal("text", Fs.ReadText(file));
        Assert.Equal(1u, Fs.Getattr(file).Ok().Nlink);
    }

    [Fact]
    public void TheReplacedFileLosesItsName()
    {
        ulong source = MakeFile(Root, "source", "source");
        ulong target = MakeFile(Root, "target", "target");
        Fs.Rename(Root, "source", Root, "target").Ok();
        Assert.Equal(["target"], Fs.List(Root));
        Assert.Equal(source, Fs.Lookup(Root, "target").Ok().Nodeid);
        Assert.Equal(0u, Fs.Getattr(target).Ok().Nlink);
        Assert.Equal("target", Fs.ReadText(target));
    }

    [Fact]
    public void RenamingOntoAnotherNameOfTheSameFileDoesNothing()
    {
        ulong file = MakeFile(Root, "one");
        Fs.Link(file, Root, "two").Ok();
        Fs.Rename(Root, "one", Root, "two").Ok();
        Fs.Rename(Root, "one", Root, "one").Ok();
        Assert.Equal(["one", "two"], Fs.List(Root).Order());
        Assert.Equal(2u, Fs.Getattr(file).Ok().Nlink);
    }

    [Fact]
    public void ADirectoryReplacesOnlyAnEmptyDirectory()
    {
        ulong source = MakeDirectory(Root, "source");
        MakeFile(source, "inside");
        ulong full = MakeDirectory(Root, "full");
        MakeFile(full, "inside");
        ulong empty = MakeDirectory(Root, "empty");
        MakeFile(Root, "file");
        Assert.Equal(Errno.ENOTEMPTY, Fs.Rename(Root, "source", Root, "full"));
        Assert.Equal(Errno.ENOTDIR, Fs.Rename(Root, "source", Root, "file"));
        Assert.Equal(Errno.EISDIR, Fs.Rename(Root, "file", Root, "empty"));
        Assert.Equal(Errno.EISDIR, Fs.Rename(Root, "file", Root, "full"));
        Fs.Rename(Root, "source", Root, "empty").Ok();
        Assert.Equal(source, Fs.Lookup(Root, "empty").Ok().Nodeid);
        Assert.Equal(0u, Fs.Getattr(empty).Ok().Nlink);
        Assert.Equal(4u, Fs.Getattr(Root).Ok().Nlink);
    }

    [Fact]
    public void ADirectoryCannotBeMovedBelowItself()
    {
        ulong a = MakeDirectory(Root, "a");
        ulong b = MakeDirectory(a, "b");
        ulong c = MakeDirectory(b, "c");
        MakeFile(c, "file");
        Assert.Equal(Errno.EINVAL, Fs.Rename(Root, "a", a, "x"));
        Assert.Equal(Errno.EINVAL, Fs.Rename(Root, "a", c, "x"));
        Assert.Equal(Errno.EINVAL, Fs.Rename(a, "b", c, "x"));
        Assert.Equal(Errno.ENOTEMPTY, Fs.Rename(b, "c", Root, "a"));
        Assert.Equal(Errno.EISDIR, Fs.Rename(c, "file", Root, "a"));
        Fs.Rename(b, "c", Root, "c").Ok();
        Fs.Rename(Root, "a", c, "a").Ok();
        Assert.Equal(Errno.EINVAL, Fs.Rename(Root, "c", a, "c"));
    }

    [Fact]
    public void DotDotFollowsAMovedDirectory()
    {
        ulong a = MakeDirectory(Root, "a");
        ulong b = MakeDirectory(Root, "b");
        ulong moved = MakeDirectory(a, "moved");
        ulong Parent() => Fs.ListAll(moved).Single(listed => listed.Name == "..").Ino;
        Assert.Equal(Fs.Getattr(a).Ok().Ino, Parent());
        Fs.Rename(a, "moved", b, "moved").Ok();
        Assert.Equal(Fs.Getattr(b).Ok().Ino, Parent());
        Fs.Rename(Root, "a", b, "other").Ok();
        Fs.Rename(b, "moved", b, "other", RenameFlags.Exchange).Ok();
        Fs.Rename(b, "moved", Root, "a").Ok();
        Fs.Rename(b, "other", Root, "a", RenameFlags.Exchange).Ok();
        Assert.Equal(Fs.Getattr(Root).Ok().Ino, Parent());
    }

    [Fact]
    public void NoreplaceLeavesTheTargetAlone()
    {
        ulong target = MakeFile(Root, "target");
        MakeFile(Root, "source");
        Fs.Link(target, Root, "same").Ok();
        Assert.Equal(Errno.EEXIST, Fs.Rename(Root, "source", Root, "target", RenameFlags.Noreplace));
        Assert.Equal(Errno.EEXIST, Fs.Rename(Root, "same", Root, "target", RenameFlags.Noreplace));
        Assert.Equal(Errno.ENOENT, Fs.Rename(Root, "missing", Root, "target", RenameFlags.Noreplace));
        Fs.Rename(Root, "source", Root, "free", RenameFlags.Noreplace).Ok();
        Assert.Equal(["free", "same", "target"], Fs.List(Root).Order());
        Assert.Equal(target, Fs.Lookup(Root, "target").Ok().Nodeid);
    }

    [Fact]
    public void ExchangeSwapsWhatTwoNamesMean()
    {
        ulong directory = MakeDirectory(Root, "directory");
        ulong inside = MakeDirectory(directory, "inside");
        MakeFile(inside, "full");
        ulong file = MakeFile(Root, "file");
        Assert.Equal(Errno.ENOENT, Fs.Rename(Root, "file", Root, "missing", RenameFlags.Exchange));
        Assert.Equal(Errno.EINVAL, Fs.Rename(Root, "directory", directory, "inside", RenameFlags.Exchange));
        Assert.Equal(Errno.EINVAL, Fs.Rename(directory, "inside", Root, "directory", RenameFlags.Exchange));
        Fs.Rename(Root, "file", directory, "inside", RenameFlags.Exchange).Ok();
        Assert.Equal(inside, Fs.Lookup(Root, "file").Ok().Nodeid);
        Assert.Equal(file, Fs.Lookup(directory, "inside").Ok().Nodeid);
        Assert.Equal(2u, Fs.Getattr(directory).Ok().Nlink);
        Assert.Equal(4u, Fs.Getattr(Root).Ok().Nlink);
        Assert.Equal(1u, Fs.Getattr(file).Ok().Nlink);
    }

    [Fact]
    public void ContradictoryFlagsAreEINVAL()
    {
        MakeFile(Root, "a");
        MakeFile(Root, "b");
        Assert.Equal(Errno.EINVAL, Fs.Rename(Root, "a", Root, "b", RenameFlags.Exchange | RenameFlags.Noreplace));
        Assert.Equal(Errno.EINVAL, Fs.Rename(Root, "a", Root, "b", RenameFlags.Exchange | RenameFlags.Whiteout));
        Assert.Equal(Errno.EINVAL, Fs.Rename(Root, "a", Root, "b", (RenameFlags)8));
    }

    [Fact]
    public void WhiteoutLeavesADeviceWithoutNumberBehind()
    {
        ulong file = MakeFile(Root, "file");
        ulong other = MakeDirectory(Root, "other");
        Fs.Rename(Root, "file", Root, "moved", RenameFlags.Whiteout).Ok();
        Fs.Rename(Root, "moved", other, "further", RenameFlags.Whiteout).Ok();
        foreach (string name in new[] { "file", "moved" })
        {
            EntryOut whiteout = Fs.Lookup(Root, name).Ok();
            Assert.Equal((uint)FilePermissions.S_IFCHR, whiteout.Attr.Mode & (uint)FilePermissions.S_IFMT);
            Assert.Equal(0u, whiteout.Attr.Rdev);
        }

        Assert.Equal(file, Fs.Lookup(other, "further").Ok().Nodeid);
        Assert.Equal(["file", "moved", "other"], Fs.List(Root).Order());
    }
}
