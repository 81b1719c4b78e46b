using Harness.Tests.Mounts;
using Mono.Unix.Native;
using static Harness.Tests.Mounts.OtherUser;
using static Harness.Tests.Mounts.Posix;

namespace Harness.Tests.Posix;

public sealed class XattrsInMemory(MemoryMount mount) : XattrTests<MemoryMount>(mount);

public sealed class XattrsOnCluster(ClusterMount mount) : XattrTests<ClusterMount>(mount);

public sealed class XattrsInPassthrough(PassthroughMount mount) : XattrTests<PassthroughMount>(mount);

public sealed class XattrsInPassthroughByHandle(HandlePassthroughMount mount) : XattrTests<HandlePassthroughMount>(mount);

/// <summary>Extended attributes (xattr(7)). How many bytes of them a file may have is the host's affair, so few are asked of it.</summary>
public abstract class XattrTests<TMount>(TMount mount) : IClassFixture<TMount>
    where TMount : MountFixture
{
    private const int Create = 1;
    private const int Replace = 2;

    [RealMountTheory]
    [InlineData("file")]
    [InlineData("directory")]
    public void AttributeIsSetReadListedAndRemoved(string kind)
    {
        string path = NewPath(kind);
        Ok(Setxattr(path, "user.one", "1"u8));
        Ok(Setxattr(path, "user.two", "22"u8));
        Ok(Setxattr(path, "trusted.three", []));
        Assert.Equal("22"u8, Getxattr(path, "user.two"));
        Assert.Empty(Getxattr(path, "trusted.three"));
        Assert.Equal(["trusted.three", "user.one", "user.two"], Listxattr(path));
        Ok(Removexattr(path, "user.one"));
        Assert.Equal(["trusted.three", "user.two"], Listxattr(path));
        Assert.Equal(Errno.ENODATA, Getxattr(path, "user.one", new byte[10], out _));
        Assert.Equal(Errno.ENODATA, Removexattr(path, "user.one"));
    }

    [RealMountFact]
    public void FlagsSayWhetherItMustBeThere()
    {
        string path = NewPath("file");
        Assert.Equal(Errno.ENODATA, Setxattr(path, "user.x", "a"u8, Replace));
        Ok(Setxattr(path, "user.x", "a"u8, Create));
        Assert.Equal(Errno.EEXIST, Setxattr(path, "user.x", "b"u8, Create));
        Ok(Setxattr(path, "user.x", "longer"u8, Replace));
        Assert.Equal("longer"u8, Getxattr(path, "user.x"));
        Ok(Setxattr(path, "user.x", "s"u8));
        Assert.Equal("s"u8, Getxattr(path, "user.x"));
        Assert.Equal(Errno.EINVAL, Setxattr(path, "user.x", "b"u8, 8));
    }

    [RealMountFact]
    public void SizeIsToldBeforeTheValueIsRead()
    {
        string path = NewPath("file");
        Ok(Setxattr(path, "user.x", "12345"u8));
        Ok(Getxattr(path, "user.x", [], out int length));
        Assert.Equal(5, length);
        Assert.Equal(Errno.ERANGE, Getxattr(path, "user.x", new byte[4], out _));
        Ok(Getxattr(path, "user.x", new byte[5], out length));
        Assert.Equal(5, length);
        Ok(Listxattr(path, [], out length));
        Assert.Equal("user.x".Length + 1, length);
        Assert.Equal(Errno.ERANGE, Listxattr(path, new byte[6], out _));
    }

    [RealMountFact]
    public void ValuesAreAnyBytes()
    {
        string path = NewPath("file");
        byte[] value = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        Ok(Setxattr(path, "user.bytes", value));
        Assert.Equal(value, Getxattr(path, "user.bytes"));
        Ok(Setxattr(path, "user.na/me", "slash"u8));
        Assert.Equal("slash"u8, Getxattr(path, "user.na/me"));
    }

    [RealMountFact]
    public void ManyAttributesAreListedAllTheSame()
    {
        string path = NewPath("file");
        string[] names = [.. Enumerable.Range(0, 80).Select(i => $"user.{i:D2}").Order(StringComparer.Ordinal)];
        foreach (string name in names)
        {
            Ok(Setxattr(path, name, System.Text.Encoding.ASCII.GetBytes(name)));
        }

        Assert.Equal(names, Listxattr(path));
        Assert.All(names, name => Assert.Equal(name, System.Text.Encoding.ASCII.GetString(Getxattr(path, name))));
        foreach (string name in names.Where((_, i) => i % 2 == 0))
        {
            Ok(Removexattr(path, name));
        }

        Assert.Equal(names.Where((_, i) => i % 2 == 1), Listxattr(path));
    }

    [RealMountFact]
    public void LargestValueHas64KibibytesWhereTheHostHasRoom()
    {
        string path = NewPath("file");
        byte[] value = new byte[65536];
        new Random(1).NextBytes(value);
        Errno error = Setxattr(path, "user.large", value);
        if (mount.Served.Length > 0)
        {
            string onHost = Path.Combine(mount.Served, "large");
            Write(onHost);
            Assert.Equal(Setxattr(onHost, "user.large", value), error);
        }
        else
        {
            Ok(error);
            Assert.Equal(value, Getxattr(path, "user.large"));
        }

        Assert.Equal(Errno.E2BIG, Setxattr(path, "user.large", new byte[65537]));
    }

    [RealMountFact]
    public void NameHas255BytesAndANamespace()
    {
        string path = NewPath("file");
        string longest = "user." + new string('n', 250);
        Ok(Setxattr(path, longest, "x"u8));
        Assert.Equal([longest], Listxattr(path));
        Assert.Equal(Errno.ERANGE, Setxattr(path, longest + "n", "x"u8));
        Assert.Equal(Errno.ERANGE, Getxattr(path, longest + "n", new byte[1], out _));
        Assert.Equal(Errno.EOPNOTSUPP, Setxattr(path, "nonsense", "x"u8));
        Assert.Equal(Errno.EOPNOTSUPP, Setxattr(path, "other.x", "x"u8));
        Assert.Equal(Errno.EINVAL, Setxattr(path, "user.", "x"u8));
    }

    [RealMountFact]
    public void UserAttributesNeedTheFilesPermissions()
    {
        string path = NewPath("file");
        Ok(Setxattr(path, "user.x", "1"u8));
        Ok(Chmod(path, 0x1A4));
        AsBob(() =>
        {
            Assert.Equal("1"u8, Getxattr(path, "user.x"));
            Assert.Equal(Errno.EACCES, Setxattr(path, "user.x", "2"u8));
            Assert.Equal(Errno.EACCES, Removexattr(path, "user.x"));
        });
        Ok(Chmod(path, 0x182));
        AsBob(() =>
        {
            Assert.Equal(Errno.EACCES, Getxattr(path, "user.x", new byte[1], out _));
            Ok(Setxattr(path, "user.x", "2"u8));
        });
    }

    [RealMountFact]
    public void TrustedAttributesExistForRootAlone()
    {
        string path = NewPath("file");
        Ok(Setxattr(path, "trusted.x", "1"u8));
        Ok(Setxattr(path, "user.x", "1"u8));
        Ok(Chown(path, Bob, BobGroup));
        AsBob(() =>
        {
            Assert.Equal(["user.x"], Listxattr(path));
            Ok(Listxattr(path, [], out int length));
            Assert.Equal("user.x".Length + 1, length);
            Assert.Equal(Errno.ENODATA, Getxattr(path, "trusted.x", new byte[1], out _));
            Assert.Equal(Errno.EPERM, Setxattr(path, "trusted.x", "1"u8));
        });
        Assert.Equal(["trusted.x", "user.x"], Listxattr(path));
    }

    [RealMountFact]
    public void OnlyFilesAndDirectoriesHaveUserAttributes()
    {
        string path = NewPath("file");
        Ok(Symlink(path, path + ".link"));
        Ok(Mknod(path + ".fifo", (uint)FilePermissions.S_IFIFO));
        Assert.Equal(Errno.EPERM, Setxattr(path + ".link", "user.x", "1"u8));
        Assert.Equal(Errno.EPERM, Setxattr(path + ".fifo", "user.x", "1"u8));
        Ok(Setxattr(path + ".link", "trusted.x", "1"u8));
        Assert.Equal(["trusted.x"], Listxattr(path + ".link"));
        Assert.Empty(Listxattr(path));
    }

    [RealMountFact]
    public void StickyDirectoryTakesAttributesFromItsOwnerOnly()
    {
        string path = NewPath("directory");
        Ok(Chmod(path, Sticky | 0x1FF));
        AsBob(() => Assert.Equal(Errno.EPERM, Setxattr(path, "user.x", "1"u8)));
        Ok(Setxattr(path, "user.x", "1"u8));
    }

    [RealMountFact]
    public void AttributesFollowTheFileThroughLinksAndRenames()
    {
        string path = NewPath("file");
        Ok(Setxattr(path, "user.x", "1"u8));
        Ok(Link(path, path + ".2"));
        Ok(Rename(path, path + ".3"));
        Assert.Equal("1"u8, Getxattr(path + ".2", "user.x"));
        Ok(Setxattr(path + ".3", "user.x", "2"u8));
        Assert.Equal("2"u8, Getxattr(path + ".2", "user.x"));
    }

    private string NewPath(string kind)
    {
        string path = Path.Combine(mount.NewDirectory(), "x");
        if (kind == "file")
        {
            Write(path);
        }
        else
        {
            Ok(Mkdir(path));
        }

        return path;
    }
}
