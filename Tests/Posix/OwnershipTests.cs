using Harness.Runtime.Native;
using Harness.Tests.Mounts;
using Mono.Unix.Native;
using static Harness.Tests.Mounts.OtherUser;
using static Harness.Tests.Mounts.Posix;

namespace Harness.Tests.Posix;

public sealed class OwnershipInMemory(MemoryMount mount) : OwnershipTests<MemoryMount>(mount);

public sealed class OwnershipOnCluster(ClusterMount mount) : OwnershipTests<ClusterMount>(mount);

public sealed class OwnershipInPassthrough(PassthroughMount mount) : OwnershipTests<PassthroughMount>(mount);

public sealed class OwnershipInPassthroughByHandle(HandlePassthroughMount mount) : OwnershipTests<HandlePassthroughMount>(mount);

public sealed class OwnershipInKernelPassthrough(KernelPassthroughMount mount) : OwnershipTests<KernelPassthroughMount>(mount);

/// <summary>What can be made.</summary>
public static class FileKinds
{
    public static TheoryData<string> All => ["file", "directory", "symlink", "fifo", "regular node", "socket", "temporary file"];
}

/// <summary>What belongs to whom when it has just been made, and with which permissions.</summary>
public abstract class OwnershipTests<TMount>(TMount mount) : IClassFixture<TMount>
    where TMount : MountFixture
{
    [RealMountTheory]
    [MemberData(nameof(FileKinds.All), MemberType = typeof(FileKinds))]
    public void WhatAUserMakesIsTheUsers(string kind)
    {
        string directory = mount.NewDirectory();
        FileStatus made = default;
        As(Alice, AliceGroup, [SharedGroup], () => made = Make(kind, directory, 0x1B4));
        Assert.Equal((Alice, AliceGroup), (made.Uid, made.Gid));
        Assert.Equal(kind == "symlink" ? 0x1FFu : 0x1B4u, made.Mode & Permissions);
    }

    [RealMountTheory]
    [MemberData(nameof(FileKinds.All), MemberType = typeof(FileKinds))]
    public void UmaskTakesPermissionsAway(string kind)
    {
        string directory = mount.NewDirectory();
        FileStatus made = default;
        As(Alice, AliceGroup, [], () => made = Make(kind, directory, 0x1FF), umask: 0x17); // 027
        Assert.Equal(kind == "symlink" ? 0x1FFu : 0x1E8u, made.Mode & Permissions);
    }

    [RealMountTheory]
    [MemberData(nameof(FileKinds.All), MemberType = typeof(FileKinds))]
    public void DirectoryWithSetGroupIdGivesItsGroup(string kind)
    {
        string directory = Path.Combine(mount.NewDirectory(), "d");
        Ok(Mkdir(directory));
        Ok(Chown(directory, 0, SharedGroup));
        Ok(Chmod(directory, SetGid | 0x1FF));
        FileStatus made = default;
        AsBob(() => made = Make(kind, directory, 0x1B4));
        Assert.Equal((Bob, SharedGroup), (made.Uid, made.Gid));
        uint inherited = kind == "directory" ? SetGid : 0;
        Assert.Equal(kind == "symlink" ? 0x1FFu : inherited | 0x1B4u, made.Mode & Permissions);
    }

    [RealMountFact]
    public void UmaskOfOneCallerDoesNotTouchAnother()
    {
        string directory = mount.NewDirectory();
        for (uint mask = 0; mask < 0x40; mask += 9)
        {
            string name = $"{mask}";
            As(Alice, AliceGroup, [], () => Write(Path.Combine(directory, name), mode: 0x1B6), umask: mask);
            Write(Path.Combine(directory, "root" + name), mode: 0x1B6);
            Assert.Equal(0x1B6 & ~mask, ModeOf(Path.Combine(directory, name)));
            Assert.Equal((0u, 0u), (Stat(Path.Combine(directory, "root" + name)).Uid, Stat(Path.Combine(directory, "root" + name)).Gid));
        }
    }

    [RealMountFact]
    public void UsersWhoMakeFilesAtOnceGetEachTheirOwn()
    {
        string directory = mount.NewDirectory();
        const int FilesEach = 50;
        void MakeAll(uint uid) => As(uid, uid + 10_000, [], () =>
        {
            for (int i = 0; i < FilesEach; i++)
            {
                Write(Path.Combine(directory, $"{uid}.{i}"));
            }
        });
        uint[] users = [Alice, Bob, Alice + 10, Bob + 10];
        Thread[] threads = [.. users.Select(uid => new Thread(() => MakeAll(uid)))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        foreach (uint uid in users)
        {
            for (int i = 0; i < FilesEach; i++)
            {
                FileStatus made = Stat(Path.Combine(directory, $"{uid}.{i}"));
                Assert.Equal((uid, uid + 10_000), (made.Uid, made.Gid));
            }
        }
    }

    [RealMountFact]
    public void UserMakesFilesWhereOnlyASupplementaryGroupMayWrite()
    {
        string directory = Path.Combine(mount.NewDirectory(), "d");
        Ok(Mkdir(directory));
        Ok(Chown(directory, 0, SharedGroup));
        Ok(Chmod(directory, 0x1F8)); // 0770
        AsAlice(() => Write(Path.Combine(directory, "f")));
        Assert.Equal((Alice, AliceGroup), (Stat(Path.Combine(directory, "f")).Uid, Stat(Path.Combine(directory, "f")).Gid));
        AsBob(() => Assert.Equal(Errno.EACCES, TryOpen(Path.Combine(directory, "g"), WriteOnly | Creating)));
    }

    [RealMountFact]
    public void SetGroupIdIsKeptForMembersOfTheGroupOnly()
    {
        string directory = Path.Combine(mount.NewDirectory(), "d");
        Ok(Mkdir(directory));
        Ok(Chown(directory, 0, SharedGroup));
        Ok(Chmod(directory, SetGid | 0x1FF));
        AsAlice(() => Write(Path.Combine(directory, "member"), mode: SetGid | 0x1F8));
        AsBob(() => Write(Path.Combine(directory, "stranger"), mode: SetGid | 0x1F8));
        Assert.Equal(SetGid | 0x1F8, ModeOf(Path.Combine(directory, "member")));
        Assert.Equal(0x1F8u, ModeOf(Path.Combine(directory, "stranger")));
    }

    [RealMountFact]
    public void DevicesAreMadeByRootAloneAndKeepTheirNumbers()
    {
        string device = Path.Combine(mount.NewDirectory(), "device");
        const uint Character = (uint)FilePermissions.S_IFCHR;
        AsAlice(() => Assert.Equal(Errno.EPERM, Mknod(device, Character | 0x1B6, 0x103)));

        // Major 259, minor 300000: more bits than fit into one byte each.
        const ulong Number = ((300_000 & ~0xFFul) << 12) | (259 << 8) | (300_000 & 0xFF);
        WithUmask(0, () => Ok(Mknod(device, Character | 0x1B6, Number)));
        FileStatus made = Stat(device);
        Assert.Equal((Character | 0x1B6, 259u, 300_000u), (made.Mode, made.RdevMajor, made.RdevMinor));
    }

    private static FileStatus Make(string kind, string directory, uint mode)
    {
        string path = Path.Combine(directory, "made");
        switch (kind)
        {
            case "file":
                using (Open(path, WriteOnly | Creating | Exclusive, mode))
                {
                    break;
                }

            case "directory":
                Ok(Mkdir(path, mode));
                break;
            case "symlink":
                Ok(Symlink("target", path));
                break;
            case "fifo":
                Ok(Mknod(path, (uint)FilePermissions.S_IFIFO | mode));
                break;
            case "regular node":
                Ok(Mknod(path, (uint)FilePermissions.S_IFREG | mode));
                break;
            case "socket":
                Ok(Mknod(path, (uint)FilePermissions.S_IFSOCK | mode));
                break;
            default:
                using (OpenedFile temporary = Open(directory, WriteOnly | FileFlags.Temporary, mode))
                {
                    return temporary.Status;
                }
        }

        return Stat(path);
    }
}
