using Harness.Runtime.Native;
using Harness.Tests.Mounts;
using Mono.Unix.Native;
using static Harness.Tests.Mounts.Posix;

namespace Harness.Tests.Posix;

public sealed class LinksInMemory(MemoryMount mount) : LinkTests<MemoryMount>(mount);

public sealed class LinksOnCluster(ClusterMount mount) : LinkTests<ClusterMount>(mount);

public sealed class LinksInPassthrough(PassthroughMount mount) : LinkTests<PassthroughMount>(mount);

public sealed class LinksInPassthroughByHandle(HandlePassthroughMount mount) : LinkTests<HandlePassthroughMount>(mount);

public sealed class LinksInKernelPassthrough(KernelPassthroughMount mount) : LinkTests<KernelPassthroughMount>(mount);

/// <summary>Several names for a file, none, and what becomes of it.</summary>
public abstract class LinkTests<TMount>(TMount mount) : IClassFixture<TMount>
    where TMount : MountFixture
{
    [RealMountFact]
    public void AllNamesOfAFileLeadToOneFile()
    {
        string root = mount.NewDirectory();
        string a = Path.Combine(root, "a");
        string b = Path.Combine(root, "d", "b");
        Ok(Mkdir(Path.Combine(root, "d")));
        Write(a, "text");
        Ok(Link(a, b));
        Assert.Equal((Stat(a).Ino, 2u), (Stat(b).Ino, Stat(b).Nlink));
        using (OpenedFile open = Open(b, WriteOnly))
        {
            open.Write("TEXT"u8, 0);
        }

        Assert.Equal("TEXT", Read(a));
        Ok(Chmod(b, 0x180));
        Assert.Equal(0x180u, ModeOf(a));
        Ok(Unlink(a));
        Assert.Equal((1u, "TEXT"), (Stat(b).Nlink, Read(b)));
    }

    [RealMountFact]
    public void LinkReplacesNothingAndNamesNoDirectory()
    {
        string a = Path.Combine(mount.NewDirectory(), "a");
        Write(a, "a");
        Write(a + "2", "b");
        Assert.Equal(Errno.EEXIST, Link(a, a + "2"));
        Assert.Equal("b", Read(a + "2"));
        Ok(Mkdir(a + "3"));
        Assert.Equal(Errno.EPERM, Link(a + "3", a + "4"));
        Assert.Equal(Errno.ENOENT, Link(a + "5", a + "6"));
        Assert.Equal(Errno.ENOTDIR, Link(a, Path.Combine(a, "b")));
    }

    [RealMountFact]
    public void LinkToASymbolicLinkNamesTheLink()
    {
        string a = Path.Combine(mount.NewDirectory(), "a");
        Ok(Symlink("nowhere", a));
        Ok(Link(a, a + "2"));
        Assert.Equal("nowhere", Readlink(a + "2"));
        Assert.Equal((Stat(a).Ino, 2u), (Stat(a + "2").Ino, Stat(a).Nlink));
    }

    [RealMountFact]
    public void PipesAndNodesCanBeLinkedToo()
    {
        string a = Path.Combine(mount.NewDirectory(), "a");
        Ok(Mknod(a, (uint)FilePermissions.S_IFIFO | 0x1B6));
        Ok(Link(a, a + "2"));
        Assert.Equal((Stat(a).Ino, Stat(a).Mode), (Stat(a + "2").Ino, Stat(a + "2").Mode));
    }

    [RealMountFact]
    public void DirectoryHasALinkForEachOfItsDirectories()
    {
        string directory = Path.Combine(mount.NewDirectory(), "d");
        Ok(Mkdir(directory));
        Assert.Equal(2u, Stat(directory).Nlink);
        for (uint i = 0; i < 5; i++)
        {
            Ok(Mkdir(Path.Combine(directory, $"{i}")));
            Assert.Equal(3 + i, Stat(directory).Nlink);
        }

        Write(Path.Combine(directory, "f"));
        Assert.Equal(7u, Stat(directory).Nlink);
        Ok(Rmdir(Path.Combine(directory, "3")));
        Assert.Equal(6u, Stat(directory).Nlink);
    }

    [RealMountFact]
    public void UnlinkedFileLivesWhileItIsOpen()
    {
        string file = Path.Combine(mount.NewDirectory(), "f");
        Write(file, "text");
        using OpenedFile open = Open(file, ReadWrite);
        using OpenedFile second = Open(file, ReadWrite);
        Ok(Unlink(file));
        Assert.Equal(Errno.ENOENT, TryStat(file, out _));
        Assert.Equal((0u, 4ul), (open.Status.Nlink, open.Status.Size));
        open.Write("more text"u8, 4);
        Assert.Equal("textmore text", second.Read(0, 100));
        Ok(second.Truncate(6));
        Assert.Equal("textmo", open.Read(0, 100));
        Ok(Errnos(PosixNative.Fchmod(open.Fd, 0x100)));
        Assert.Equal(0x100u, open.Status.Mode & Permissions);

        // The name is free for another file.
        Write(file, "another");
        Assert.Equal(("another", "textmo"), (Read(file), open.Read(0, 100)));
    }

    [RealMountFact]
    public void UnlinkTakesFilesAndRmdirEmptyDirectories()
    {
        string path = Path.Combine(mount.NewDirectory(), "d");
        Ok(Mkdir(path));
        Write(Path.Combine(path, "f"));
        Errno error = Unlink(path);
        Assert.True(error is Errno.EISDIR or Errno.EPERM, $"{error}");
        Assert.Equal(Errno.ENOTDIR, Rmdir(Path.Combine(path, "f")));
        error = Rmdir(path);
        Assert.True(error is Errno.ENOTEMPTY or Errno.EEXIST, $"{error}");
        Assert.Equal(Errno.EINVAL, Rmdir(path + "/."));
        error = Rmdir(path + "/..");
        Assert.True(error is Errno.ENOTEMPTY or Errno.EEXIST, $"{error}");
        Ok(Unlink(Path.Combine(path, "f")));
        Ok(Rmdir(path));
        Assert.Equal(Errno.ENOENT, Rmdir(path));
        Assert.Equal(Errno.ENOENT, Unlink(path));
    }

    [RealMountFact]
    public void RemovedDirectoryThatIsOpenTakesNoNames()
    {
        string directory = Path.Combine(mount.NewDirectory(), "d");
        Ok(Mkdir(directory));
        using OpenedFile open = Open(directory, ReadOnly | FileFlags.Directory);
        Ok(Rmdir(directory));
        Assert.Equal(0u, open.Status.Nlink);
        Assert.Equal(Errno.ENOENT, Errnos(PosixNative.MkdirAt(open.Fd, "x", 0x1FF)));
        Assert.Equal(Errno.ENOENT, open.TryReadDirectory());
    }

    [RealMountFact]
    public void TemporaryFileHasNoNameUntilItIsGivenOne()
    {
        string directory = mount.NewDirectory();
        string name = Path.Combine(directory, "f");
        using OpenedFile open = Open(directory, ReadWrite | FileFlags.Temporary, 0x180);
        Assert.Equal((0u, 0x180u), (open.Status.Nlink, open.Status.Mode & Permissions));
        Assert.Empty(List(directory));
        open.Write("text"u8, 0);
        Ok(Errnos(PosixNative.LinkAt(FileFlags.AtFdcwd, $"/proc/self/fd/{open.Fd}", FileFlags.AtFdcwd, name, FileFlags.AtSymlinkFollow)));
        Assert.Equal(("text", 1u), (Read(name), open.Status.Nlink));
        Assert.Equal(open.Status.Ino, Stat(name).Ino);
    }

    [RealMountFact]
    public void ExclusiveTemporaryFileStaysWithoutAName()
    {
        string directory = mount.NewDirectory();
        using OpenedFile open = Open(directory, ReadWrite | FileFlags.Temporary | Exclusive);
        Errno error = Errnos(PosixNative.LinkAt(
            FileFlags.AtFdcwd, $"/proc/self/fd/{open.Fd}", FileFlags.AtFdcwd, Path.Combine(directory, "f"), FileFlags.AtSymlinkFollow));
        Assert.Equal(Errno.ENOENT, error);
    }

    [RealMountFact]
    public void LastLinkOfAnOpenFileCannotBeBroughtBack()
    {
        string directory = mount.NewDirectory();
        string name = Path.Combine(directory, "f");
        Write(name);
        using OpenedFile open = Open(name, ReadOnly);
        Ok(Unlink(name));
        Errno error = Errnos(PosixNative.LinkAt(FileFlags.AtFdcwd, $"/proc/self/fd/{open.Fd}", FileFlags.AtFdcwd, name, FileFlags.AtSymlinkFollow));
        Assert.Equal(Errno.ENOENT, error);
    }

    [RealMountFact]
    public void ManyLinksAreCounted()
    {
        string file = Path.Combine(mount.NewDirectory(), "f");
        Write(file);
        for (uint i = 0; i < 500; i++)
        {
            Ok(Link(file, $"{file}.{i}"));
        }

        Assert.Equal(501u, Stat($"{file}.499").Nlink);
        for (uint i = 0; i < 500; i += 2)
        {
            Ok(Unlink($"{file}.{i}"));
        }

        Assert.Equal(251u, Stat(file).Nlink);
    }
}
