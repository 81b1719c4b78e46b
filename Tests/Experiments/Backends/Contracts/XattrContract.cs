using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Backends.Contracts;

public abstract class XattrContract : FileSystemContract
{
    private readonly ulong _file;

    private protected XattrContract(Func<IFileSystem> make)
        : base(make) => _file = MakeFile(Root, "file");

    [Fact]
    public void AnAttributeIsKeptUntilItIsReplacedOrRemoved()
    {
        foreach (string name in new[] { "user.name", "trusted.name", "security.name" })
        {
            Fs.Setxattr(_file, name, [1, 2, 3]).Ok();
            Assert.Equal([1, 2, 3], Fs.Getxattr(_file, name).Ok());
            Fs.Setxattr(_file, name, []).Ok();
            Assert.Empty(Fs.Getxattr(_file, name).Ok());
            Fs.Removexattr(_file, name).Ok();
            Assert.Equal(Errno.ENODATA, Fs.Getxattr(_file, name).Error);
            Assert.Equal(Errno.ENODATA, Fs.Removexattr(_file, name));
        }

        Assert.Empty(Fs.Listxattr(_file));
    }

    [Fact]
    public void CreateAndReplaceCheckWhatIsThere()
    {
        Assert.Equal(Errno.ENODATA, Fs.Setxattr(_file, "user.name", [1], XattrFlags.XATTR_REPLACE));
        Fs.Setxattr(_file, "user.name", [1], XattrFlags.XATTR_CREATE).Ok();
        Assert.Equal(Errno.EEXIST, Fs.Setxattr(_file, "user.name", [2], XattrFlags.XATTR_CREATE));
        Assert.Equal([1], Fs.Getxattr(_file, "user.name").Ok());
        Fs.Setxattr(_file, "user.name", [2], XattrFlags.XATTR_REPLACE).Ok();
        Assert.Equal([2], Fs.Getxattr(_file, "user.name").Ok());
        Assert.Equal(Errno.EINVAL, Fs.Setxattr(_file, "user.name", [3], XattrFlags.XATTR_CREATE | XattrFlags.XATTR_REPLACE));
    }

    [Fact]
    public void AValueMayHave64KiBAndNoMore()
    {
        byte[] largest = new byte[65_536];
        new Random(1).NextBytes(largest);
        Fs.Setxattr(_file, "user.large", largest).Ok();
        Assert.Equal(largest, Fs.Getxattr(_file, "user.large").Ok());
        Assert.Equal(Errno.E2BIG, Fs.Setxattr(_file, "user.large", new byte[65_537]));
        Assert.Equal(Errno.ERANGE, Fs.Setxattr(_file, "user." + new string('n', 251), [1]));
        Fs.Setxattr(_file, "user." + new string('n', 250), [1]).Ok();
    }

    [Fact]
    public void ABufferThatIsTooSmallIsERANGE()
    {
        Fs.Setxattr(_file, "user.name", [1, 2, 3]).Ok();
        Assert.Equal(3, Fs.Getxattr(_file, "user.name", Memory<byte>.Empty).Ok());
        Assert.Equal(Errno.ERANGE, Fs.Getxattr(_file, "user.name", new byte[2]).Error);
        Assert.Equal(3, Fs.Getxattr(_file, "user.name", new byte[100]).Ok());
        Assert.Equal(10, Fs.Listxattr(_file, Memory<byte>.Empty).Ok());
        Assert.Equal(Errno.ERANGE, Fs.Listxattr(_file, new byte[9]).Error);
        Assert.Equal(10, Fs.Listxattr(_file, new byte[10]).Ok());
    }

    [Fact]
    public void AThousandAttributesAreKeptApart()
    {
        string[] names = [.. Enumerable.Range(0, 1000).Select(i => $"user.attribute-{i * 7919 % 1000}")];
        foreach (string name in names)
        {
            Fs.Setxattr(_file, name, System.Text.Encoding.UTF8.GetBytes(name)).Ok();
        }

        Assert.Equal(names.Order(), Fs.Listxattr(_file).Order());
        Assert.All(names, name => Assert.Equal(System.Text.Encoding.UTF8.GetBytes(name), Fs.Getxattr(_file, name).Ok()));
        foreach (string name in names.Take(500))
        {
            Fs.Removexattr(_file, name).Ok();
        }

        Assert.Equal(names.Skip(500).Order(), Fs.Listxattr(_file).Order());
    }

    [Fact]
    public void EveryKindOfNodeHasItsOwnAttributes()
    {
        ulong directory = MakeDirectory(Root, "directory");
        ulong link = Fs.Symlink(Root, "link", "file").Ok().Nodeid;
        Fs.Setxattr(directory, "user.name", [1]).Ok();
        Fs.Setxattr(link, "trusted.name", [2]).Ok();
        Assert.Empty(Fs.Listxattr(_file));
        Assert.Equal(["user.name"], Fs.Listxattr(directory));
        Assert.Equal(["trusted.name"], Fs.Listxattr(link));
    }

    [Fact]
    public void UnknownNamespacesAreRefused()
    {
        foreach (string name in new[] { "name", "other.name", "system.other", ".name", "users.name" })
        {
            Assert.Equal(Errno.EOPNOTSUPP, Fs.Setxattr(_file, name, [1]));
            Assert.Equal(Errno.EOPNOTSUPP, Fs.Getxattr(_file, name).Error);
        }

        Assert.Equal(Errno.EINVAL, Fs.Setxattr(_file, "user.", [1]));
    }

    [Fact]
    public void TrustedAttributesAreListedForRootOnly()
    {
        Fs.Setxattr(_file, "trusted.name", [1]).Ok();
        Fs.Setxattr(_file, "user.name", [1]).Ok();
        Assert.Equal(["trusted.name", "user.name"], Fs.Listxattr(_file).Order());
        Assert.Equal(["user.name"], Fs.As(1000, 1000).Listxattr(_file));
    }

    [Fact]
    public void AChangeTakesTheCapabilitiesOfAProgram()
    {
        const string Capability = "security.capability";
        void Set() => Fs.Setxattr(_file, Capability, [1, 0, 0, 2]).Ok();
        Set();
        Fs.Getattr(_file).Ok();
        Fs.Chmod(_file, 0x1ED).Ok();
        Assert.Equal([Capability], Fs.Listxattr(_file));
        Fs.Write(_file, 0, "x").Ok();
        Assert.Empty(Fs.Listxattr(_file));
        Set();
        Fs.Truncate(_file, 0).Ok();
        Assert.Empty(Fs.Listxattr(_file));
        Set();
        Fs.Chown(_file, 1, 1).Ok();
        Assert.Empty(Fs.Listxattr(_file));
    }
}
