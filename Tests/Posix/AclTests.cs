using System.Buffers.Binary;
using Harness.Tests.Mounts;
using Mono.Unix.Native;
using static Harness.Tests.Mounts.OtherUser;
using static Harness.Tests.Mounts.Posix;

namespace Harness.Tests.Posix;

public sealed class AclsInMemory(MemoryMount mount) : AclTests<MemoryMount>(mount);

public sealed class AclsOnCluster(ClusterMount mount) : AclTests<ClusterMount>(mount);

public sealed class AclsInPassthrough(PassthroughMount mount) : AclTests<PassthroughMount>(mount);

/// <summary>Access control lists (acl(5)), in the form of their attributes (include/uapi/linux/posix_acl_xattr.h).</summary>
public abstract class AclTests<TMount>(TMount mount) : IClassFixture<TMount>
    where TMount : MountFixture
{
    private const string Access = "system.posix_acl_access";
    private const string Default = "system.posix_acl_default";
    private const ushort UserObject = 1;
    private const ushort NamedUser = 2;
    private const ushort GroupObject = 4;
    private const ushort NamedGroup = 8;
    private const ushort Mask = 16;
    private const ushort Other = 32;

    [RealMountFact]
    public void NamedUserAndGroupGetWhatTheListGrants()
    {
        string file = NewFile(0x180);
        Ok(Setxattr(file, Access, List((UserObject, 6, 0), (NamedUser, 6, Alice), (GroupObject, 0, 0), (NamedGroup, 4, SharedGroup), (Mask, 6, 0), (Other, 0, 0))));
        AsAlice(() => Ok(TryOpen(file, ReadWrite)));
        As(Bob, BobGroup, [SharedGroup], () =>
        {
            Ok(TryOpen(file, ReadOnly));
            Assert.Equal(Errno.EACCES, TryOpen(file, WriteOnly));
        });
        AsBob(() => Assert.Equal(Errno.EACCES, TryOpen(file, ReadOnly)));
    }

    [RealMountFact]
    public void MaskBoundsWhatNamedOnesGetAndIsTheModesGroup()
    {
        string file = NewFile(0x180);
        byte[] list = List((UserObject, 6, 0), (NamedUser, 7, Alice), (GroupObject, 7, 0), (Mask, 4, 0), (Other, 0, 0));
        Ok(Setxattr(file, Access, list));
        Assert.Equal(0x1A0u, ModeOf(file)); // 0640
        AsAlice(() =>
        {
            Ok(TryOpen(file, ReadOnly));
            Assert.Equal(Errno.EACCES, TryOpen(file, WriteOnly));
        });
        Ok(Chmod(file, 0x1B0)); // 0660
        AsAlice(() => Ok(TryOpen(file, ReadWrite)));
        Assert.Equal(List((UserObject, 6, 0), (NamedUser, 7, Alice), (GroupObject, 7, 0), (Mask, 6, 0), (Other, 0, 0)), Getxattr(file, Access));
    }

    [RealMountFact]
    public void DefaultListIsInheritedInPlaceOfTheUmask()
    {
        string directory = NewDirectoryWithDefault();
        As(Bob, BobGroup, [], () =>
        {
            Write(Path.Combine(directory, "f"), mode: 0x1B6);
            Ok(Mkdir(Path.Combine(directory, "d"), 0x1FF));
        }, umask: 0x3F);

        // 0666 and the list's rwx, rwx, r-x: the execute bits go, the umask does not count.
        Assert.Equal(0x1B4u, ModeOf(Path.Combine(directory, "f")));
        Assert.Equal(
            List((UserObject, 6, 0), (NamedUser, 7, Alice), (GroupObject, 5, 0), (Mask, 6, 0), (Other, 4, 0)),
            Getxattr(Path.Combine(directory, "f"), Access));
        Assert.Equal(Errno.ENODATA, Getxattr(Path.Combine(directory, "f"), Default, new byte[100], out _));
        Assert.Equal(0x1FDu, ModeOf(Path.Combine(directory, "d")));
        Assert.Equal(Getxattr(directory, Default), Getxattr(Path.Combine(directory, "d"), Default));
    }

    [RealMountFact]
    public void DefaultListCountsForEveryKindOfFile()
    {
        string directory = NewDirectoryWithDefault();
        WithUmask(0x3F, () =>
        {
            Ok(Mknod(Path.Combine(directory, "fifo"), (uint)FilePermissions.S_IFIFO | 0x1B6));
            using OpenedFile temporary = Open(directory, ReadWrite | Harness.Runtime.Native.FileFlags.Temporary, 0x1B6);
            Assert.Equal(0x1B4u, temporary.Status.Mode & Permissions);
            Ok(Symlink("x", Path.Combine(directory, "link")));
        });
        Assert.Equal(0x1B4u, ModeOf(Path.Combine(directory, "fifo")));
        Assert.Equal(0x1FFu, ModeOf(Path.Combine(directory, "link")));
    }

    [RealMountFact]
    public void ListThatSaysNoMoreThanAModeBecomesOne()
    {
        string file = NewFile(0x180);
        Ok(Setxattr(file, Access, List((UserObject, 7, 0), (GroupObject, 5, 0), (Other, 4, 0))));
        Assert.Equal(0x1ECu, ModeOf(file));
        Assert.Equal(Errno.ENODATA, Getxattr(file, Access, new byte[100], out _));
    }

    [RealMountFact]
    public void ListsThatMakeNoSenseAreRefused()
    {
        string file = NewFile(0x180);
        Assert.Equal(Errno.EINVAL, Setxattr(file, Access, List((UserObject, 7, 0), (NamedUser, 7, Alice), (GroupObject, 5, 0), (Other, 4, 0))));
        Assert.Equal(Errno.EINVAL, Setxattr(file, Access, List((UserObject, 7, 0), (Other, 4, 0))));
        Assert.Equal(Errno.EINVAL, Setxattr(file, Access, [1, 2, 3]));
        Errno onFile = Setxattr(file, Default, List((UserObject, 7, 0), (GroupObject, 5, 0), (Other, 4, 0)));
        Assert.Equal(Errno.EACCES, onFile);
        Assert.Equal(0x180u, ModeOf(file));
    }

    [RealMountFact]
    public void OnlyTheOwnerChangesAList()
    {
        string file = NewFile(0x1B6);
        AsBob(() => Assert.Equal(Errno.EPERM, Setxattr(file, Access, List((UserObject, 7, 0), (GroupObject, 5, 0), (Other, 4, 0)))));
        Ok(Chown(file, Bob, BobGroup));
        AsBob(() => Ok(Setxattr(file, Access, List((UserObject, 6, 0), (NamedUser, 7, Alice), (GroupObject, 5, 0), (Mask, 7, 0), (Other, 4, 0)))));
        AsBob(() => Ok(Removexattr(file, Access)));
        Assert.Equal(Errno.ENODATA, Getxattr(file, Access, new byte[100], out _));
    }

    [RealMountFact]
    public void ListByAStrangerToTheGroupDropsSetGroupId()
    {
        byte[] list = List((UserObject, 6, 0), (NamedUser, 7, Alice), (GroupObject, 5, 0), (Mask, 7, 0), (Other, 4, 0));
        string file = NewFile(0x1ED);
        Ok(Chown(file, Bob, SharedGroup));
        Ok(Chmod(file, SetGid | 0x1ED));
        As(Bob, BobGroup, [SharedGroup], () => Ok(Setxattr(file, Access, list)));
        Assert.Equal(SetGid, ModeOf(file) & SetGid);
        AsBob(() => Ok(Setxattr(file, Access, list)));
        Assert.Equal(0u, ModeOf(file) & SetGid);
    }

    [RealMountFact("setfacl", "getfacl")]
    public void ProgramsSeeTheSameLists()
    {
        string directory = mount.NewDirectory();
        Programs.Run(directory, "setfacl", "-m", "u:20001:rwx,g:30003:r,d:u:20002:rx", ".");
        Write(Path.Combine(directory, "f"));
        string[] lines = Programs.Run(directory, "getfacl", "-n", ".").Split('\n');
        Assert.Contains("user:20001:rwx", lines);
        Assert.Contains("group:30003:r--", lines);
        Assert.Contains("default:user:20002:r-x", lines);
        Assert.Contains("user:20002:r-x\t#effective:r--", Programs.Run(directory, "getfacl", "-n", "f").Split('\n'));
        Programs.Run(directory, "setfacl", "-b", ".");
        Assert.DoesNotContain("20001", Programs.Run(directory, "getfacl", "-n", "."), StringComparison.Ordinal);
    }

    private string NewFile(uint mode)
    {
        string file = Path.Combine(mount.NewDirectory(), "f");
        Write(file);
        Ok(Chmod(file, mode));
        return file;
    }

    private string NewDirectoryWithDefault()
    {
        string directory = mount.NewDirectory();
        Ok(Setxattr(directory, Default, List((UserObject, 7, 0), (NamedUser, 7, Alice), (GroupObject, 5, 0), (Mask, 7, 0), (Other, 5, 0))));
        return directory;
    }

    private static byte[] List(params (ushort Tag, ushort Permissions, uint Id)[] entries)
    {
        byte[] list = new byte[4 + (8 * entries.Length)];
        list[0] = 2;
        foreach ((int i, (ushort tag, ushort permissions, uint id)) in entries.Index())
        {
            Span<byte> entry = list.AsSpan(4 + (8 * i));
            BinaryPrimitives.WriteUInt16LittleEndian(entry, tag);
            BinaryPrimitives.WriteUInt16LittleEndian(entry[2..], permissions);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[4..], tag is NamedUser or NamedGroup ? id : uint.MaxValue);
        }

        return list;
    }
}
