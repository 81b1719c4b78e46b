using Harness.Runtime.Native;
using Harness.Tests.Mounts;
using Mono.Unix.Native;
using static Harness.Tests.Mounts.OtherUser;
using static Harness.Tests.Mounts.Posix;

namespace Harness.Tests.Posix;

public sealed class PermissionsOfMemory(MemoryMount mount) : PermissionTests<MemoryMount>(mount);

public sealed class PermissionsOnCluster(ClusterMount mount) : PermissionTests<ClusterMount>(mount);

public sealed class PermissionsOfPassthrough(PassthroughMount mount) : PermissionTests<PassthroughMount>(mount);

public sealed class PermissionsOfPassthroughByHandle(HandlePassthroughMount mount) : PermissionTests<HandlePassthroughMount>(mount);

public abstract class PermissionTests<TMount>(TMount mount) : IClassFixture<TMount>
    where TMount : MountFixture
{
    [RealMountTheory]
    [InlineData(0x100, 0, 0)] // 0400
    [InlineData(0x020, 0, 1)] // 0040
    [InlineData(0x004, 0, 2)] // 0004
    [InlineData(0x080, 1, 0)] // 0200
    [InlineData(0x010, 1, 1)] // 0020
    [InlineData(0x002, 1, 2)] // 0002
    public void EachClassOfUsersHasItsOwnBitAndNoOther(uint mode, int access, int ofClass)
    {
        string file = Path.Combine(mount.NewDirectory(), "f");
        Write(file);
        Ok(Chown(file, Alice, SharedGroup));
        Ok(Chmod(file, mode));

        Errno[] results = new Errno[3];
        As(Alice, AliceGroup, [SharedGroup], () => results[0] = TryOpen(file, access));
        As(Bob, BobGroup, [SharedGroup], () => results[1] = TryOpen(file, access));
        As(Bob, BobGroup, [], () => results[2] = TryOpen(file, access));
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(i == ofClass ? Success : Errno.EACCES, results[i]);
        }

        Ok(TryOpen(file, access));
    }

    [RealMountFact]
    public void GroupOfTheProcessCountsAsMuchAsASupplementaryOne()
    {
        string file = Path.Combine(mount.NewDirectory(), "f");
        Write(file);
        Ok(Chown(file, 0, SharedGroup));
        Ok(Chmod(file, 0x020));
        As(Bob, SharedGroup, [], () => Ok(TryOpen(file, ReadOnly)));
        As(Bob, BobGroup, [AliceGroup, SharedGroup], () => Ok(TryOpen(file, ReadOnly)));
        As(Bob, BobGroup, [AliceGroup], () => Assert.Equal(Errno.EACCES, TryOpen(file, ReadOnly)));
    }

    [RealMountFact]
    public void WithoutSearchPermissionNothingBelowIsReached()
    {
        string directory = Path.Combine(mount.NewDirectory(), "d");
        Ok(Mkdir(directory));
        string file = Path.Combine(directory, "f");
        Write(file, "text", 0x1B6);
        Ok(Chmod(directory, 0x1E4)); // 0744
        AsBob(() =>
        {
            Assert.Equal(["f"], List(directory));
            Assert.Equal(Errno.EACCES, TryStat(file, out _));
            Assert.Equal(Errno.EACCES, TryOpen(file, ReadOnly));
        });

        Ok(Chmod(directory, 0x1E1)); // 0741
        AsBob(() =>
        {
            Assert.Equal("text", Read(file));
            Assert.Equal(Errno.EACCES, TryOpen(directory, ReadOnly | FileFlags.Directory));
        });
    }

    [RealMountFact]
    public void NamesChangeOnlyInADirectoryThatMayBeWritten()
    {
        string directory = Path.Combine(mount.NewDirectory(), "d");
        Ok(Mkdir(directory));
        string file = Path.Combine(directory, "f");
        Write(file);
        Ok(Chown(file, Bob, BobGroup));
        AsBob(() =>
        {
            Assert.Equal(Errno.EACCES, TryOpen(Path.Combine(directory, "g"), WriteOnly | Creating));
            Assert.Equal(Errno.EACCES, Mkdir(Path.Combine(directory, "g")));
            Assert.Equal(Errno.EACCES, Mknod(Path.Combine(directory, "g"), (uint)FilePermissions.S_IFIFO | 0x1B6));
            Assert.Equal(Errno.EACCES, Symlink("x", Path.Combine(directory, "g")));
            Assert.Equal(Errno.EACCES, Link(file, Path.Combine(directory, "g")));
            Assert.Equal(Errno.EACCES, Rename(file, Path.Combine(directory, "g")));
            Assert.Equal(Errno.EACCES, Unlink(file));
        });
        Assert.Equal(["f"], List(directory));
    }

    [RealMountFact]
    public void OnlyTheOwnerChangesPermissions()
    {
        string file = Path.Combine(mount.NewDirectory(), "f");
        AsAlice(() => Write(file, "text"));
        Ok(Chmod(file, 0x1B6));
        AsBob(() => Assert.Equal(Errno.EPERM, Chmod(file, 0x1FF)));
        AsAlice(() => Ok(Chmod(file, 0x180)));
        Assert.Equal(0x180u, ModeOf(file));
    }

    [RealMountFact]
    public void OnlyRootGivesAFileAway()
    {
        string file = Path.Combine(mount.NewDirectory(), "f");
        AsAlice(() =>
        {
            Write(file);
            Assert.Equal(Errno.EPERM, Chown(file, Bob, AliceGroup));
            Assert.Equal(Errno.EPERM, Chown(file, Alice, BobGroup));
            Ok(Chown(file, Alice, SharedGroup));
            Ok(Chown(file, uint.MaxValue, AliceGroup));
        });
        AsBob(() => Assert.Equal(Errno.EPERM, Chown(file, uint.MaxValue, BobGroup)));
        Assert.Equal((Alice, AliceGroup), (Stat(file).Uid, Stat(file).Gid));
        Ok(Chown(file, Bob, BobGroup));
        Assert.Equal((Bob, BobGroup), (Stat(file).Uid, Stat(file).Gid));
    }

    [RealMountFact]
    public void OnlyTheOwnerSetsTimesAndWhoMayWriteSetsThemToNow()
    {
        string file = Path.Combine(mount.NewDirectory(), "f");
        AsAlice(() => Write(file));
        Ok(Chmod(file, 0x1B6));
        var now = new TimeSpec { Nanoseconds = FileFlags.UtimeNow };
        AsBob(() =>
        {
            Assert.Equal(Errno.EPERM, Utimens(file, default, default));
            Assert.Equal(Errno.EPERM, Utimens(file, new TimeSpec { Nanoseconds = FileFlags.UtimeOmit }, now));
            Ok(Utimens(file, now, now));
        });
        Ok(Chmod(file, 0x1A4));
        AsBob(() => Assert.Equal(Errno.EACCES, Utimens(file, now, now)));
        AsAlice(() => Ok(Utimens(file, default, default)));
    }

    [RealMountFact]
    public void TruncateNeedsWritePermissionAndFtruncateAnOpenThatHadIt()
    {
        string file = Path.Combine(mount.NewDirectory(), "f");
        AsAlice(() =>
        {
            Write(file, "text");
            using OpenedFile open = Open(file, ReadWrite);
            Ok(Chmod(file, 0));
            Assert.Equal(Errno.EACCES, Truncate(file, 1));
            Ok(open.Truncate(2));
        });
        Assert.Equal(2ul, Stat(file).Size);
        AsBob(() => Assert.Equal(Errno.EACCES, Truncate(file, 0)));
    }

    [RealMountFact]
    public void AccessAnswersForTheRealUser()
    {
        string file = Path.Combine(mount.NewDirectory(), "f");
        Write(file);
        Ok(Chown(file, Alice, AliceGroup));
        Ok(Chmod(file, 0x1A0)); // 0640
        AsAlice(() =>
        {
            Ok(Access(file, 6));
            Assert.Equal(Errno.EACCES, Access(file, 1));
        });
        AsBob(() =>
        {
            Ok(Access(file, 0));
            Assert.Equal(Errno.EACCES, Access(file, 4));
        });

        // Root may do everything but execute what nobody may execute.
        Ok(Access(file, 6));
        Assert.Equal(Errno.EACCES, Access(file, 1));
        Ok(Chmod(file, 1));
        Ok(Access(file, 1));
    }

    [RealMountFact]
    public void PermissionsThatAreTakenAwayStayInForceForFilesThatAreOpen()
    {
        string file = Path.Combine(mount.NewDirectory(), "f");
        AsAlice(() =>
        {
            Write(file, "text");
            using OpenedFile open = Open(file, ReadWrite);
            Ok(Chmod(file, 0));
            Assert.Equal("text", open.Read(0, 10));
            open.Write("TEXT"u8, 0);
            Assert.Equal(Errno.EACCES, TryOpen(file, ReadOnly));
        });
    }

    [RealMountFact]
    public void FileMadeWithoutPermissionsIsStillOpenForItsMaker()
    {
        string file = Path.Combine(mount.NewDirectory(), "f");
        AsAlice(() =>
        {
            using OpenedFile open = Open(file, ReadWrite | Creating | Exclusive, 0);
            open.Write("text"u8, 0);
            Assert.Equal("text", open.Read(0, 10));
            Assert.Equal(Errno.EACCES, TryOpen(file, ReadOnly));
        });
        Assert.Equal(0u, ModeOf(file));
    }
}
