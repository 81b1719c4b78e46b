using System.Buffers.Binary;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Backends.Contracts;

/// <summary>What POSIX_ACL leaves to the file system; the rules are those of acl(5).</summary>
public abstract class AclContract : FileSystemContract
{
    private const string Access = "system.posix_acl_access";
    private const string Default = "system.posix_acl_default";
    private const uint PermissionBits = 0xFFF;

    private const int UserObj = 1;
    private const int User = 2;
    private const int GroupObj = 4;
    private const int Mask = 16;
    private const int Other = 32;

    private readonly ulong _file;
    private readonly ulong _directory;

    private protected AclContract(Func<IFileSystem> make)
        : base(make)
    {
        _file = MakeFile(Root, "file");
        _directory = MakeDirectory(Root, "directory");
    }

    [Fact]
    public void AListChangesTheMode()
    {
        byte[] list = List((UserObj, 7), (User, 6), (GroupObj, 4), (Mask, 5), (Other, 1));
        Fs.Setxattr(_file, Access, list).Ok();
        Assert.Equal(list, Fs.Getxattr(_file, Access).Ok());
        Assert.Equal(Octal(0, 7, 5, 1), Mode(_file));
    }

    [Fact]
    public void AListThatSaysNoMoreThanAModeBecomesTheMode()
    {
        Fs.Setxattr(_file, Access, List((UserObj, 7), (User, 6), (GroupObj, 4), (Mask, 5), (Other, 1))).Ok();
        Fs.Setxattr(_file, Access, List((UserObj, 6), (GroupObj, 2), (Other, 0))).Ok();
        Assert.Equal(Octal(0, 6, 2, 0), Mode(_file));
        Assert.Equal(Errno.ENODATA, Fs.Getxattr(_file, Access).Error);
        Assert.Empty(Fs.Listxattr(_file));
    }

    [Fact]
    public void ChmodChangesTheListsMaskAndNotItsGroup()
    {
        Fs.Setxattr(_file, Access, List((UserObj, 7), (User, 6), (GroupObj, 4), (Mask, 5), (Other, 1))).Ok();
        Fs.Chmod(_file, Octal(0, 6, 2, 0)).Ok();
        Assert.Equal(List((UserObj, 6), (User, 6), (GroupObj, 4), (Mask, 2), (Other, 0)), Fs.Getxattr(_file, Access).Ok());
    }

    [Fact]
    public void RemovingAListKeepsTheMode()
    {
        Fs.Setxattr(_file, Access, List((UserObj, 7), (User, 6), (GroupObj, 4), (Mask, 5), (Other, 1))).Ok();
        Fs.Removexattr(_file, Access).Ok();
        Fs.Removexattr(_file, Access).Ok();
        Assert.Equal(Errno.ENODATA, Fs.Getxattr(_file, Access).Error);
        Assert.Equal(Octal(0, 7, 5, 1), Mode(_file));
        Fs.Chmod(_file, Octal(0, 6, 4, 4)).Ok();
        Assert.Equal(Errno.ENODATA, Fs.Getxattr(_file, Access).Error);
    }

    [Fact]
    public void SetGidIsClearedWhenTheKernelSaysSo()
    {
        byte[] list = List((UserObj, 7), (GroupObj, 7), (Other, 7));
        Fs.Chmod(_file, Octal(2, 7, 7, 7)).Ok();
        Fs.Setxattr(_file, Access, list).Ok();
        Assert.Equal(Octal(2, 7, 7, 7), Mode(_file));
        Fs.Setxattr(_file, Access, list, killSgid: true).Ok();
        Assert.Equal(Octal(0, 7, 7, 7), Mode(_file));
    }

    [Fact]
    public void WhatIsMadeInheritsTheDefaultListAndNotTheUmask()
    {
        byte[] list = List((UserObj, 7), (User, 7), (GroupObj, 5), (Mask, 7), (Other, 5));
        Fs.Setxattr(_directory, Default, list).Ok();

        Attr file = Fs.Create(_directory, "file", mode: Octal(0, 6, 6, 4), umask: Octal(0, 0, 7, 7)).Ok().Entry.Attr;
        Assert.Equal(Octal(0, 6, 6, 4), file.Mode & PermissionBits);
        Assert.Equal(List((UserObj, 6), (User, 7), (GroupObj, 5), (Mask, 6), (Other, 4)), Fs.Getxattr(file.Ino, Access).Ok());
        Assert.Equal(Errno.ENODATA, Fs.Getxattr(file.Ino, Default).Error);

        Attr inner = Fs.Mkdir(_directory, "inner", mode: Octal(0, 7, 5, 0), umask: Octal(0, 0, 7, 7)).Ok().Attr;
        Assert.Equal(Octal(0, 7, 5, 0), inner.Mode & PermissionBits);
        Assert.Equal(list, Fs.Getxattr(inner.Ino, Default).Ok());
        Assert.Equal(List((UserObj, 7), (User, 7), (GroupObj, 5), (Mask, 5), (Other, 0)), Fs.Getxattr(inner.Ino, Access).Ok());
    }

    [Fact]
    public void ADefaultListWithoutNamedEntriesOnlyLimitsTheMode()
    {
        Fs.Setxattr(_directory, Default, List((UserObj, 7), (GroupObj, 4), (Other, 0))).Ok();
        Attr file = Fs.Create(_directory, "file", mode: Octal(0, 6, 6, 6)).Ok().Entry.Attr;
        Assert.Equal(Octal(0, 6, 4, 0), file.Mode & PermissionBits);
        Assert.Empty(Fs.Listxattr(file.Ino));
        Attr link = Fs.Symlink(_directory, "link", "target").Ok().Attr;
        Assert.Equal(Octal(0, 7, 7, 7), link.Mode & PermissionBits);
    }

    [Fact]
    public void OnlyDirectoriesHaveADefaultList()
    {
        byte[] list = List((UserObj, 7), (GroupObj, 5), (Other, 5));
        Assert.Equal(Errno.EACCES, Fs.Setxattr(_file, Default, list));
        Fs.Setxattr(_directory, Default, list).Ok();
        Assert.Equal(list, Fs.Getxattr(_directory, Default).Ok());
        Assert.Equal(Octal(0, 7, 5, 5), Mode(_directory));
        Fs.Setxattr(_directory, Default, List()).Ok();
        Assert.Equal(Errno.ENODATA, Fs.Getxattr(_directory, Default).Error);
    }

    [Fact]
    public void WhatIsNoListIsEINVAL()
    {
        byte[] wrongVersion = List((UserObj, 7), (GroupObj, 5), (Other, 5));
        wrongVersion[0] = 1;
        foreach (byte[] value in new[]
        {
            wrongVersion,
            [1, 2, 3, 4, 5],
            List((UserObj, 7), (GroupObj, 5)),
            List((UserObj, 7), (Other, 5), (GroupObj, 5)),
            List((UserObj, 7), (UserObj, 7), (GroupObj, 5), (Other, 5)),
            List((UserObj, 7), (User, 7), (GroupObj, 5), (Other, 5)),
            List((UserObj, 8), (GroupObj, 5), (Other, 5)),
            List((UserObj, 7), (GroupObj, 5), (64, 5), (Other, 5)),
        })
        {
            Assert.Equal(Errno.EINVAL, Fs.Setxattr(_file, Access, value));
        }

        Assert.Empty(Fs.Listxattr(_file));
    }

    private static uint Octal(uint special, uint owner, uint group, uint other) => (special << 9) | (owner << 6) | (group << 3) | other;

    /// <summary>An access control list as <c>struct posix_acl_xattr_header</c> and its entries; named entries are for user 1000.</summary>
    private static byte[] List(params (int Tag, int Permissions)[] entries)
    {
        byte[] bytes = new byte[4 + (8 * entries.Length)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, 2);
        for (int i = 0; i < entries.Length; i++)
        {
            Span<byte> entry = bytes.AsSpan(4 + (8 * i), 8);
            BinaryPrimitives.WriteUInt16LittleEndian(entry, (ushort)entries[i].Tag);
            BinaryPrimitives.WriteUInt16LittleEndian(entry[2..], (ushort)entries[i].Permissions);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[4..], entries[i].Tag == User ? 1000 : uint.MaxValue);
        }

        return bytes;
    }

    private uint Mode(ulong node) => Fs.Getattr(node).Ok().Mode & PermissionBits;
}
