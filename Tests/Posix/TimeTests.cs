using Harness.Runtime.Native;
using Harness.Tests.Mounts;
using Mono.Unix.Native;
using static Harness.Tests.Mounts.Posix;

namespace Harness.Tests.Posix;

public sealed class TimesInMemory(MemoryMount mount) : TimeTests<MemoryMount>(mount);

public sealed class TimesOnCluster(ClusterMount mount) : TimeTests<ClusterMount>(mount);

public sealed class TimesInWritebackMemory(WritebackMemoryMount mount) : TimeTests<WritebackMemoryMount>(mount);

public sealed class TimesInPassthrough(PassthroughMount mount) : TimeTests<PassthroughMount>(mount);

public sealed class TimesInWritebackPassthrough(WritebackPassthroughMount mount) : TimeTests<WritebackPassthroughMount>(mount);

public sealed class TimesInKernelPassthrough(KernelPassthroughMount mount) : TimeTests<KernelPassthroughMount>(mount);

/// <summary>The three times of a file, and which call changes which of them.</summary>
public abstract class TimeTests<TMount>(TMount mount) : IClassFixture<TMount>
    where TMount : MountFixture
{
    private static readonly TimeSpec s_omit = new() { Nanoseconds = FileFlags.UtimeOmit };
    private static readonly TimeSpec s_now = new() { Nanoseconds = FileFlags.UtimeNow };

    [RealMountTheory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(1_700_000_000, 999_999_999)]
    [InlineData(4_000_000_000, 500_000_001)]
    [InlineData(-1, 5)]
    [InlineData(-2_000_000_000, 999_999_999)]
    public void TimesAreKeptToTheNanosecond(long seconds, long nanoseconds)
    {
        string file = NewFile();
        var atime = new TimeSpec { Seconds = seconds, Nanoseconds = nanoseconds };
        var mtime = new TimeSpec { Seconds = seconds + 1, Nanoseconds = 999_999_999 - nanoseconds };
        Ok(Utimens(file, atime, mtime));
        FileStatus status = Stat(file);
        Assert.Equal((seconds, nanoseconds), (status.Atime.Seconds, status.Atime.Nanoseconds));
        Assert.Equal((mtime.Seconds, mtime.Nanoseconds), (status.Mtime.Seconds, status.Mtime.Nanoseconds));
    }

    [RealMountFact]
    public void OmittedTimeStaysAndNowIsNow()
    {
        string file = NewFile();
        Ok(Utimens(file, s_omit, s_now));
        Assert.True(Times.IsLongAgo(Stat(file).Atime));
        Assert.False(Times.IsLongAgo(Stat(file).Mtime));
        Ok(Utimens(file, s_now, Times.LongAgo));
        Assert.False(Times.IsLongAgo(Stat(file).Atime));
        Assert.True(Times.IsLongAgo(Stat(file).Mtime));
        Ok(Utimens(file, Times.LongAgo, s_omit));
        Assert.True(Times.IsLongAgo(Stat(file).Atime));
    }

    [RealMountFact]
    public void NanosecondsOfMoreThanASecondAreRefused() =>
        Assert.Equal(Errno.EINVAL, Utimens(NewFile(), new TimeSpec { Nanoseconds = 1_000_000_000 }, Times.LongAgo));

    [RealMountFact]
    public void TimesOfASymbolicLinkAreItsOwn()
    {
        string file = NewFile();
        string link = file + ".link";
        Ok(Symlink(file, link));
        var time = new TimeSpec { Seconds = 5, Nanoseconds = 6 };
        Ok(Utimens(link, time, time));
        Assert.Equal((5L, 6u), (Stat(link).Mtime.Seconds, Stat(link).Mtime.Nanoseconds));
        Assert.True(Times.IsLongAgo(Stat(file).Mtime));
        Ok(Utimens(link, time, time, flags: 0));
        Assert.Equal(5L, Stat(file).Mtime.Seconds);
    }

    [RealMountFact]
    public void MtimeThatIsSetAfterAWriteStays()
    {
        string file = NewFile();
        using (OpenedFile open = Open(file, WriteOnly))
        {
            open.Write("x"u8, 0);
            Ok(Utimens(file, Times.LongAgo, Times.LongAgo));
            Assert.True(Times.IsLongAgo(open.Status.Mtime));
        }

        Assert.True(Times.IsLongAgo(Stat(file).Mtime));
    }

    [RealMountFact]
    public void WriteChangesMtimeAtOnceAndForGood()
    {
        string file = NewFile();
        using (OpenedFile open = Open(file, WriteOnly))
        {
            open.Write("x"u8, 0);
            Assert.False(Times.IsLongAgo(open.Status.Mtime));
        }

        Assert.False(Times.IsLongAgo(Stat(file).Mtime));
    }

    [RealMountFact]
    public void TruncationsChangeMtime()
    {
        string file = NewFile();
        Ok(Truncate(file, 3));
        Assert.False(Times.IsLongAgo(Stat(file).Mtime));
        file = NewFile();
        Ok(TryOpen(file, WriteOnly | Truncating));
        Assert.False(Times.IsLongAgo(Stat(file).Mtime));

        // Even of what is empty already (open(2), O_TRUNC).
        Ok(Utimens(file, Times.LongAgo, Times.LongAgo));
        Ok(TryOpen(file, WriteOnly | Truncating));
        Assert.False(Times.IsLongAgo(Stat(file).Mtime));
    }

    [RealMountFact]
    public void NamesThatComeAndGoChangeTheirDirectory()
    {
        string directory = mount.NewDirectory();
        string path = Path.Combine(directory, "a");
        Changes(directory, () => Write(path), "create");
        Changes(directory, () => Ok(Link(path, path + "2")), "link");
        Changes(directory, () => Ok(Rename(path, path + "3")), "rename");
        Changes(directory, () => Ok(Unlink(path + "3")), "unlink");
        Changes(directory, () => Ok(Mkdir(path)), "mkdir");
        Changes(directory, () => Ok(Rmdir(path)), "rmdir");
        Changes(directory, () => Ok(Symlink("x", path)), "symlink");
        Changes(directory, () => Ok(Mknod(path + "4", (uint)FilePermissions.S_IFIFO)), "mknod");
    }

    [RealMountFact]
    public void RenameToAnotherDirectoryChangesBoth()
    {
        string from = mount.NewDirectory();
        string to = mount.NewDirectory();
        Write(Path.Combine(from, "f"));
        Ok(Utimens(from, Times.LongAgo, Times.LongAgo));
        Ok(Utimens(to, Times.LongAgo, Times.LongAgo));
        Ok(Rename(Path.Combine(from, "f"), Path.Combine(to, "f")));
        Assert.False(Times.IsLongAgo(Stat(from).Mtime));
        Assert.False(Times.IsLongAgo(Stat(to).Mtime));
    }

    [RealMountFact]
    public void ChangesOfAttributesMoveCtimeAndLeaveMtime()
    {
        string file = NewFile();
        MovesCtime(file, () => Ok(Chmod(file, 0x180)), "chmod");
        MovesCtime(file, () => Ok(Chown(file, 1, 1)), "chown");
        MovesCtime(file, () => Ok(Link(file, file + ".2")), "link");
        MovesCtime(file, () => Ok(Unlink(file + ".2")), "unlink");
        MovesCtime(file, () => Ok(Utimens(file, s_now, s_omit)), "utimensat");
        MovesCtime(file, () => Ok(Setxattr(file, "user.x", "y"u8)), "setxattr");
        MovesCtime(file, () => Ok(Removexattr(file, "user.x")), "removexattr");
        MovesCtime(file, () => Ok(Rename(file, file + ".3")), "rename", file + ".3");
    }

    [RealMountFact]
    public void FailedCallsChangeNoTime()
    {
        string directory = mount.NewDirectory();
        string path = Path.Combine(directory, "f");
        Write(path);
        Ok(Utimens(directory, Times.LongAgo, Times.LongAgo));
        FileTime before = Stat(directory).Ctime;
        Times.AwaitTick(before);
        Assert.Equal(Errno.EEXIST, Mkdir(path));
        Assert.Equal(Errno.ENOENT, Unlink(path + "2"));
        Assert.Equal(Errno.ENOTDIR, Rmdir(path));
        Assert.Equal(Errno.EEXIST, TryOpen(path, WriteOnly | Creating | Exclusive));
        Assert.True(Times.IsLongAgo(Stat(directory).Mtime));
        Assert.Equal(Times.Nanos(before), Times.Nanos(Stat(directory).Ctime));
    }

    [RealMountFact]
    public void NewFileHasOneTimeForAll()
    {
        string file = Path.Combine(mount.NewDirectory(), "f");
        Write(file);
        FileStatus status = Stat(file);
        Assert.Equal(Times.Nanos(status.Mtime), Times.Nanos(status.Ctime));
        Assert.Equal(Times.Nanos(status.Mtime), Times.Nanos(status.Atime));
    }

    [RealMountFact]
    public void FallocateAndMappedWritesChangeMtime()
    {
        string file = NewFile();
        using OpenedFile open = Open(file, ReadWrite);
        Ok(open.Allocate(0, 0, 100));
        Assert.False(Times.IsLongAgo(open.Status.Mtime));
        Ok(Utimens(file, Times.LongAgo, Times.LongAgo));
        using (var mapping = new Mapping(open, 100))
        {
            mapping.Write(0, "X"u8);
            mapping.Sync();
        }

        Ok(open.Sync());
        Assert.False(Times.IsLongAgo(open.Status.Mtime));
    }

    private string NewFile() => Times.NewOldFile(mount.NewDirectory());

    private static void Changes(string directory, Action change, string what)
    {
        Ok(Utimens(directory, Times.LongAgo, Times.LongAgo));
        change();
        Assert.False(Times.IsLongAgo(Stat(directory).Mtime), what);
    }

    private static void MovesCtime(string file, Action change, string what, string? path = null)
    {
        FileStatus before = Stat(file);
        Times.AwaitTick(before.Ctime);
        change();
        FileStatus after = Stat(path ?? file);
        Assert.True(Times.Nanos(after.Ctime) > Times.Nanos(before.Ctime), what);
        Assert.True(Times.Nanos(after.Mtime) == Times.Nanos(before.Mtime), what);
    }
}
