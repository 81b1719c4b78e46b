using Harness.Runtime.Native;
using Harness.Tests.Mounts;
using Mono.Unix.Native;
using static Harness.Tests.Mounts.Posix;

namespace Harness.Tests.Posix;

public sealed class PathsInMemory(MemoryMount mount) : PathTests<MemoryMount>(mount);

public sealed class PathsOnCluster(ClusterMount mount) : PathTests<ClusterMount>(mount);

public sealed class PathsInPassthrough(PassthroughMount mount) : PathTests<PassthroughMount>(mount);

public sealed class PathsInPassthroughByHandle(HandlePassthroughMount mount) : PathTests<HandlePassthroughMount>(mount);

/// <summary>Names, paths, symbolic links and their limits.</summary>
public abstract class PathTests<TMount>(TMount mount) : IClassFixture<TMount>
    where TMount : MountFixture
{
    [RealMountFact]
    public void NameHas255BytesAtMost()
    {
        string root = mount.NewDirectory();
        string longest = Path.Combine(root, new string('n', 255));
        string tooLong = longest + "n";
        Write(longest, "text");
        Assert.Equal("text", Read(longest));
        Assert.Equal([new string('n', 255)], List(root));
        Ok(Rename(longest, Path.Combine(root, new string('m', 255))));
        Assert.Equal(Errno.ENAMETOOLONG, TryStat(tooLong, out _));
        Assert.Equal(Errno.ENAMETOOLONG, TryOpen(tooLong, WriteOnly | Creating));
        Assert.Equal(Errno.ENAMETOOLONG, Mkdir(tooLong));
        Assert.Equal(Errno.ENAMETOOLONG, Symlink("x", tooLong));
        Assert.Equal(Errno.ENAMETOOLONG, Mknod(tooLong, (uint)FilePermissions.S_IFIFO));
        Assert.Equal(Errno.ENAMETOOLONG, Unlink(tooLong));
        Assert.Equal(Errno.ENAMETOOLONG, Rmdir(tooLong));
        Assert.Equal(Errno.ENAMETOOLONG, Rename(Path.Combine(root, new string('m', 255)), tooLong));
        Assert.Equal(Errno.ENAMETOOLONG, Link(Path.Combine(root, new string('m', 255)), tooLong));
    }

    [RealMountFact]
    public void NameIsAnyBytes()
    {
        string root = mount.NewDirectory();
        string[] names = ["...", " ", "a b", "\t\n", "ä€𝄞", "\\", "-rf", "*", "a:b", "\"'`$"];
        foreach (string name in names)
        {
            Write(Path.Combine(root, name), name);
        }

        Assert.Equal(names.Order(StringComparer.Ordinal), List(root).Order(StringComparer.Ordinal));
        Assert.All(names, name => Assert.Equal(name, Read(Path.Combine(root, name))));
    }

    [RealMountFact]
    public void PathHas4095BytesAtMost()
    {
        string path = mount.NewDirectory();
        while (path.Length < 3800)
        {
            path = Path.Combine(path, new string('d', 99));
            Ok(Mkdir(path));
        }

        // One component more makes it as long as may be, with NUL 4096.
        string longest = Path.Combine(path, new string('d', 250));
        Ok(Mkdir(longest));
        longest = longest + "/" + new string('f', 4095 - longest.Length - 1);
        Write(longest, "text");
        Assert.Equal("text", Read(longest));
        Assert.Equal(Errno.ENAMETOOLONG, TryOpen(longest + "f", ReadOnly));
    }

    [RealMountFact]
    public void FileIsNoDirectoryOnTheWay()
    {
        string file = Path.Combine(mount.NewDirectory(), "f");
        Write(file);
        string below = Path.Combine(file, "x");
        Assert.Equal(Errno.ENOTDIR, TryStat(below, out _));
        Assert.Equal(Errno.ENOTDIR, TryOpen(below, WriteOnly | Creating));
        Assert.Equal(Errno.ENOTDIR, Mkdir(below));
        Assert.Equal(Errno.ENOTDIR, Unlink(below));
        Assert.Equal(Errno.ENOTDIR, TryOpen(file, ReadOnly | FileFlags.Directory));
        Assert.Equal(Errno.ENOTDIR, TryOpen(file + "/", ReadOnly));
        Assert.Equal(Errno.ENOTDIR, TryStat(file + "/", out _));
    }

    [RealMountFact]
    public void MissingNameIsMissingForEveryCall()
    {
        string missing = Path.Combine(mount.NewDirectory(), "x");
        Assert.Equal(Errno.ENOENT, TryStat(missing, out _));
        Assert.Equal(Errno.ENOENT, TryOpen(missing, ReadOnly));
        Assert.Equal(Errno.ENOENT, TryOpen(Path.Combine(missing, "y"), WriteOnly | Creating));
        Assert.Equal(Errno.ENOENT, Mkdir(Path.Combine(missing, "y")));
        Assert.Equal(Errno.ENOENT, Chmod(missing, 0));
        Assert.Equal(Errno.ENOENT, Chown(missing, 0, 0));
        Assert.Equal(Errno.ENOENT, Truncate(missing, 0));
        Assert.Equal(Errno.ENOENT, Utimens(missing, default, default));
        Assert.Equal(Errno.ENOENT, Setxattr(missing, "user.x", "y"u8));
        Assert.Equal(Errno.ENOENT, TryStat(string.Empty, out _));
    }

    [RealMountFact]
    public void ExistingNameIsNotMadeAgain()
    {
        string root = mount.NewDirectory();
        Write(Path.Combine(root, "f"));
        Ok(Mkdir(Path.Combine(root, "d")));
        Ok(Symlink("nowhere", Path.Combine(root, "s")));
        foreach (string name in new[] { "f", "d", "s" })
        {
            string path = Path.Combine(root, name);
            Assert.Equal(Errno.EEXIST, Mkdir(path));
            Assert.Equal(Errno.EEXIST, Symlink("x", path));
            Assert.Equal(Errno.EEXIST, Mknod(path, (uint)FilePermissions.S_IFREG));
            Assert.Equal(Errno.EEXIST, TryOpen(path, WriteOnly | Creating | Exclusive));
        }
    }

    [RealMountFact]
    public void SymbolicLinkHoldsUpTo4095Bytes()
    {
        string link = Path.Combine(mount.NewDirectory(), "s");
        for (int length = 1; length <= 4095; length += 1 + (length * 2))
        {
            Ok(Symlink(new string('t', length), $"{link}.{length}"));
            Assert.Equal(new string('t', length), Readlink($"{link}.{length}"));
            Assert.Equal((ulong)length, Stat($"{link}.{length}").Size);
        }

        Errno longest = Symlink(new string('t', 4095), link);
        Errno onHost = mount.Served.Length > 0 ? Symlink(new string('t', 4095), Path.Combine(mount.Served, "longest")) : Success;
        Assert.Equal(onHost, longest);
        Assert.Equal(Errno.ENAMETOOLONG, Symlink(new string('t', 4096), link + "2"));
        Assert.Equal(Errno.ENOENT, Symlink(string.Empty, link + "2"));
    }

    [RealMountFact]
    public void SymbolicLinksAreFollowedFortyTimes()
    {
        string root = mount.NewDirectory();
        Write(Path.Combine(root, "0"), "text");
        for (int i = 1; i <= 41; i++)
        {
            Ok(Symlink($"{i - 1}", Path.Combine(root, $"{i}")));
        }

        Assert.Equal("text", Read(Path.Combine(root, "40")));
        Assert.Equal(Errno.ELOOP, TryOpen(Path.Combine(root, "41"), ReadOnly));
    }

    [RealMountFact]
    public void LoopOfSymbolicLinksIsNoPath()
    {
        string root = mount.NewDirectory();
        string a = Path.Combine(root, "a");
        Ok(Symlink("b", a));
        Ok(Symlink("a", Path.Combine(root, "b")));
        Assert.Equal(Errno.ELOOP, TryOpen(a, ReadOnly));
        Assert.Equal(Errno.ELOOP, TryOpen(a, WriteOnly | Creating));
        Assert.Equal(Errno.ELOOP, Mkdir(Path.Combine(a, "x")));
        Assert.Equal(Errno.ELOOP, Truncate(a, 0));
        Assert.Equal("b", Readlink(a));
        Ok(Unlink(a));
    }

    [RealMountFact]
    public void SymbolicLinksLeadThroughDirectoriesAndOutOfTheMount()
    {
        string root = mount.NewDirectory();
        Ok(Mkdir(Path.Combine(root, "d")));
        Write(Path.Combine(root, "d", "f"), "text");
        Ok(Symlink("d", Path.Combine(root, "relative")));
        Ok(Symlink(Path.Combine(root, "d"), Path.Combine(root, "absolute")));
        Ok(Symlink("/proc/self", Path.Combine(root, "outside")));
        Assert.Equal("text", Read(Path.Combine(root, "relative", "f")));
        Assert.Equal("text", Read(Path.Combine(root, "absolute", "f")));
        Assert.Equal("text", Read(Path.Combine(root, "relative", "..", "absolute", ".", "f")));
        Ok(TryOpen(Path.Combine(root, "outside", "status"), ReadOnly));
    }

    [RealMountFact]
    public void OpenOfASymbolicLinkDoesWhatItsFlagsSay()
    {
        string root = mount.NewDirectory();
        string link = Path.Combine(root, "s");
        Ok(Symlink("f", link));
        Assert.Equal(Errno.ELOOP, TryOpen(link, ReadOnly | FileFlags.NoFollow));
        Assert.Equal(Errno.ENOENT, TryOpen(link, ReadOnly));
        Assert.Equal(Errno.EEXIST, TryOpen(link, WriteOnly | Creating | Exclusive));

        // Without O_EXCL the file that the link points to is made.
        Ok(TryOpen(link, WriteOnly | Creating));
        Assert.Equal((uint)FilePermissions.S_IFREG, Stat(Path.Combine(root, "f")).Mode & (uint)FilePermissions.S_IFMT);
    }

    [RealMountFact]
    public void DirectoryIsNotOpenedForWriting()
    {
        string directory = mount.NewDirectory();
        Assert.Equal(Errno.EISDIR, TryOpen(directory, WriteOnly));
        Assert.Equal(Errno.EISDIR, TryOpen(directory, ReadWrite));
        Assert.Equal(Errno.EISDIR, TryOpen(directory, WriteOnly | Creating));
        Assert.Equal(Errno.EISDIR, TryOpen(directory, ReadOnly | Creating));
        Assert.Equal(Errno.EISDIR, Truncate(directory, 0));
        using OpenedFile open = Open(directory, ReadOnly);
        Assert.Equal(Errno.EISDIR, open.TryRead(new byte[1], 0));
    }

    [RealMountFact]
    public void DotAndDotDotNameTheDirectoryAndItsParent()
    {
        string root = mount.NewDirectory();
        Ok(Mkdir(Path.Combine(root, "d")));
        Assert.Equal(Stat(Path.Combine(root, "d")).Ino, Stat(Path.Combine(root, "d", ".")).Ino);
        Assert.Equal(Stat(root).Ino, Stat(Path.Combine(root, "d", "..")).Ino);
        using OpenedFile open = Open(Path.Combine(root, "d"), ReadOnly);
        Assert.Equal([".", ".."], open.ReadDirectory().Order(StringComparer.Ordinal));
    }
}
