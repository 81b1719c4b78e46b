using Harness.Runtime.Native;
using Harness.Tests.Mounts;
using Mono.Unix.Native;
using static Harness.Tests.Mounts.Posix;

namespace Harness.Tests.Posix;

public sealed class RenameInMemory(MemoryMount mount) : RenameTests<MemoryMount>(mount);

public sealed class RenameOnCluster(ClusterMount mount) : RenameTests<ClusterMount>(mount);

public sealed class RenameInPassthrough(PassthroughMount mount) : RenameTests<PassthroughMount>(mount);

public sealed class RenameInPassthroughByHandle(HandlePassthroughMount mount) : RenameTests<HandlePassthroughMount>(mount);

public abstract class RenameTests<TMount>(TMount mount) : IClassFixture<TMount>
    where TMount : MountFixture
{
    private const uint Noreplace = 1;
    private const uint Exchange = 2;

    [RealMountFact]
    public void FileReplacesFile()
    {
        (string a, string b) = NewPair();
        Write(a, "a");
        Write(b, "b");
        ulong ino = Stat(a).Ino;
        Ok(Rename(a, b));
        Assert.Equal((ino, "a"), (Stat(b).Ino, Read(b)));
        Assert.Equal(Errno.ENOENT, TryStat(a, out _));
    }

    [RealMountFact]
    public void ReplacedFileLivesOnWhereItIsOpenOrHasAnotherName()
    {
        (string a, string b) = NewPair();
        Write(a, "a");
        Write(b, "b");
        Ok(Link(b, b + ".other"));
        using OpenedFile open = Open(b, ReadOnly);
        Ok(Rename(a, b));
        Assert.Equal("b", open.Read(0, 10));
        Assert.Equal("b", Read(b + ".other"));
        Assert.Equal(1u, open.Status.Nlink);
    }

    [RealMountFact]
    public void DirectoryReplacesAnEmptyOne()
    {
        (string a, string b) = NewPair();
        Ok(Mkdir(a));
        Ok(Mkdir(b));
        Write(Path.Combine(a, "f"), "text");
        Ok(Rename(a, b));
        Assert.Equal("text", Read(Path.Combine(b, "f")));
    }

    [RealMountFact]
    public void DirectoryThatIsNotEmptyIsNotReplaced()
    {
        (string a, string b) = NewPair();
        Ok(Mkdir(a));
        Ok(Mkdir(b));
        Write(Path.Combine(b, "f"));
        Errno error = Rename(a, b);
        Assert.True(error is Errno.ENOTEMPTY or Errno.EEXIST, $"{error}");
        Assert.Equal(["f"], List(b));
    }

    [RealMountFact]
    public void FilesAndDirectoriesDoNotReplaceEachOther()
    {
        (string a, string b) = NewPair();
        Write(a);
        Ok(Mkdir(b));
        Assert.Equal(Errno.EISDIR, Rename(a, b));
        Assert.Equal(Errno.ENOTDIR, Rename(b, a));
    }

    [RealMountFact]
    public void DirectoryDoesNotMoveIntoItself()
    {
        (string a, _) = NewPair();
        Ok(Mkdir(a));
        Ok(Mkdir(Path.Combine(a, "b")));
        Assert.Equal(Errno.EINVAL, Rename(a, Path.Combine(a, "c")));
        Assert.Equal(Errno.EINVAL, Rename(a, Path.Combine(a, "b")));
        Assert.Equal(Errno.EINVAL, Rename(a, Path.Combine(a, "b", "c")));
        Errno onto = Rename(Path.Combine(a, "b"), a);
        Assert.True(onto is Errno.ENOTEMPTY or Errno.EEXIST, $"{onto}");
    }

    [RealMountFact]
    public void RenameOfANameToItselfOrToAnotherOfTheSameFileDoesNothing()
    {
        (string a, string b) = NewPair();
        Write(a, "text");
        Ok(Link(a, b));
        Ok(Rename(a, b));
        Ok(Rename(a, a));
        Assert.Equal((2u, "text"), (Stat(a).Nlink, Read(b)));
    }

    [RealMountFact]
    public void DirectoryThatMovesTakesItsParentsLinkAlong()
    {
        string root = mount.NewDirectory();
        string from = Path.Combine(root, "from");
        string to = Path.Combine(root, "to");
        Ok(Mkdir(from));
        Ok(Mkdir(to));
        Ok(Mkdir(Path.Combine(from, "d")));
        Assert.Equal((3u, 2u), (Stat(from).Nlink, Stat(to).Nlink));
        Ok(Rename(Path.Combine(from, "d"), Path.Combine(to, "d")));
        Assert.Equal((2u, 3u), (Stat(from).Nlink, Stat(to).Nlink));
        Assert.Equal(Stat(to).Ino, Stat(Path.Combine(to, "d", "..")).Ino);
    }

    [RealMountFact]
    public void DirectoryThatReplacesAnotherLeavesItsParentOneLinkLess()
    {
        string root = mount.NewDirectory();
        foreach (string name in new[] { "from", "from/d", "to", "to/d" })
        {
            Ok(Mkdir(Path.Combine(root, name)));
        }

        Ok(Rename(Path.Combine(root, "from", "d"), Path.Combine(root, "to", "d")));
        Assert.Equal((2u, 3u), (Stat(Path.Combine(root, "from")).Nlink, Stat(Path.Combine(root, "to")).Nlink));
    }

    [RealMountFact]
    public void NoreplaceLeavesWhatIsThere()
    {
        (string a, string b) = NewPair();
        Write(a, "a");
        Write(b, "b");
        Assert.Equal(Errno.EEXIST, Rename(a, b, Noreplace));
        Assert.Equal(("a", "b"), (Read(a), Read(b)));
        Ok(Unlink(b));
        Ok(Rename(a, b, Noreplace));
        Assert.Equal("a", Read(b));
    }

    [RealMountFact]
    public void ExchangeSwapsFilesOfAllKinds()
    {
        string root = mount.NewDirectory();
        string a = Path.Combine(root, "a");
        string b = Path.Combine(root, "d", "b");
        Ok(Mkdir(Path.Combine(root, "d")));
        Write(a, "text");
        Ok(Mkdir(b));
        Ok(Mkdir(Path.Combine(b, "c")));
        Ok(Rename(a, b, Exchange));
        Assert.Equal("text", Read(b));
        Assert.Equal(["c"], List(a));

        // The directory changed parents, the file has none.
        Assert.Equal((4u, 2u), (Stat(root).Nlink, Stat(Path.Combine(root, "d")).Nlink));
        Assert.Equal(Stat(root).Ino, Stat(Path.Combine(a, "..")).Ino);
    }

    [RealMountFact]
    public void ExchangeNeedsBoth()
    {
        (string a, string b) = NewPair();
        Write(a);
        Assert.Equal(Errno.ENOENT, Rename(a, b, Exchange));
        Assert.Equal(Errno.ENOENT, Rename(b, a, Exchange));
    }

    [RealMountFact]
    public void ExchangeDoesNotPutADirectoryIntoItself()
    {
        (string a, _) = NewPair();
        Ok(Mkdir(a));
        Ok(Mkdir(Path.Combine(a, "b")));
        Assert.Equal(Errno.EINVAL, Rename(a, Path.Combine(a, "b"), Exchange));
        Assert.Equal(Errno.EINVAL, Rename(Path.Combine(a, "b"), a, Exchange));
    }

    [RealMountFact]
    public void FlagsThatExcludeEachOtherAreRefused()
    {
        (string a, string b) = NewPair();
        Write(a);
        Assert.Equal(Errno.EINVAL, Rename(a, b, Noreplace | Exchange));
        Assert.Equal(Errno.EINVAL, Rename(a, b, 0x80));
    }

    [RealMountFact]
    public void MissingNamesAndParentsAreToldApartFromWrongOnes()
    {
        (string a, string b) = NewPair();
        Assert.Equal(Errno.ENOENT, Rename(a, b));
        Write(a);
        Assert.Equal(Errno.ENOENT, Rename(a, Path.Combine(b, "c")));
        Assert.Equal(Errno.ENOTDIR, Rename(a, Path.Combine(a, "c")));
        Assert.Equal(Errno.ENOTDIR, Rename(a + "/", b));
        Assert.Equal(Errno.EBUSY, Rename(Path.GetDirectoryName(a)! + "/.", b));
        Assert.Equal(Errno.EBUSY, Rename(Path.GetDirectoryName(a)! + "/..", b));
    }

    [RealMountFact]
    public void SymbolicLinkIsRenamedAndReplacedItself()
    {
        (string a, string b) = NewPair();
        Write(a, "text");
        Ok(Symlink(a, b));
        Ok(Rename(b, b + "2"));
        Assert.Equal(a, Readlink(b + "2"));
        Write(b, "other");
        Ok(Rename(b, b + "2"));
        Assert.Equal("other", Read(b + "2"));
        Assert.Equal("text", Read(a));
    }

    [RealMountFact]
    public void OpenDirectoryCanBeMovedAndUsed()
    {
        (string a, string b) = NewPair();
        Ok(Mkdir(a));
        using OpenedFile open = Open(a, ReadOnly | FileFlags.Directory);
        Ok(Rename(a, b));
        Ok(Errnos(PosixNative.MkdirAt(open.Fd, "c", 0x1ED)));
        Assert.Equal(["c"], List(b));
    }

    private (string A, string B) NewPair()
    {
        string directory = mount.NewDirectory();
        return (Path.Combine(directory, "a"), Path.Combine(directory, "b"));
    }
}
