using Harness.Tests.Mounts;
using Mono.Unix.Native;
using static Harness.Tests.Mounts.Posix;

namespace Harness.Tests.Posix;

public sealed class LocksInMemory(MemoryMount mount) : LockTests<MemoryMount>(mount);

public sealed class LocksOnCluster(ClusterMount mount) : LockTests<ClusterMount>(mount);

public sealed class LocksInPassthrough(PassthroughMount mount) : LockTests<PassthroughMount>(mount);

/// <summary>Locks of whole files (flock(2)) and of ranges, by open file and by process (fcntl(2)).</summary>
public abstract class LockTests<TMount>(TMount mount) : IClassFixture<TMount>
    where TMount : MountFixture
{
    private const int SharedFile = 1;
    private const int ExclusiveFile = 2;
    private const int NonBlocking = 4;
    private const int UnlockFile = 8;
    private const short ReadRange = 0;
    private const short WriteRange = 1;
    private const short Unlock = 2;
    private const int GetLock = 5;
    private const int SetLock = 6;
    private const int SetLockAndWait = 7;
    private const int OpenFileGet = 36;
    private const int OpenFileSet = 37;
    private const int OpenFileSetAndWait = 38;

    [RealMountFact]
    public void FlockExcludesOtherOpenFiles()
    {
        (OpenedFile a, OpenedFile b) = NewPair();
        using (a)
        using (b)
        {
            Ok(Flock(a, ExclusiveFile | NonBlocking));
            Assert.Equal(Errno.EAGAIN, Flock(b, SharedFile | NonBlocking));
            Assert.Equal(Errno.EAGAIN, Flock(b, ExclusiveFile | NonBlocking));
            Ok(Flock(a, SharedFile | NonBlocking));
            Ok(Flock(b, SharedFile | NonBlocking));
            Assert.Equal(Errno.EAGAIN, Flock(a, ExclusiveFile | NonBlocking));
            Ok(Flock(b, UnlockFile));
            Ok(Flock(a, ExclusiveFile | NonBlocking));
        }
    }

    [RealMountFact]
    public void FlockGoesWithItsOpenFile()
    {
        (OpenedFile a, OpenedFile b) = NewPair();
        using (b)
        {
            Ok(Flock(a, ExclusiveFile | NonBlocking));
            a.Dispose();
            Await(() => Flock(b, ExclusiveFile | NonBlocking));
        }
    }

    [RealMountFact]
    public void FlockWaitsUntilTheOtherLetsGo()
    {
        (OpenedFile a, OpenedFile b) = NewPair();
        using (a)
        using (b)
        {
            Ok(Flock(a, ExclusiveFile));
            using var started = new ManualResetEventSlim();
            bool let = false;
            bool wasLet = false;
            var waiter = new Thread(() =>
            {
                started.Set();
                Ok(Flock(b, ExclusiveFile));
                wasLet = Volatile.Read(ref let);
            });
            waiter.Start();
            started.Wait();
            Volatile.Write(ref let, true);
            Ok(Flock(a, UnlockFile));
            waiter.Join();
            Assert.True(wasLet);
        }
    }

    [RealMountFact]
    public void RangesOfOpenFilesExcludeEachOtherWhereTheyMeet()
    {
        (OpenedFile a, OpenedFile b) = NewPair();
        using (a)
        using (b)
        {
            Ok(Range(a, OpenFileSet, WriteRange, 10, 10));
            Assert.Equal(Errno.EAGAIN, Range(b, OpenFileSet, ReadRange, 19, 1));
            Assert.Equal(Errno.EAGAIN, Range(b, OpenFileSet, WriteRange, 0, 11));
            Ok(Range(b, OpenFileSet, WriteRange, 0, 10));
            Ok(Range(b, OpenFileSet, WriteRange, 20, 0));
            Assert.Equal(Errno.EAGAIN, Range(a, OpenFileSet, WriteRange, 1L << 40, 1));
            Ok(Range(a, OpenFileSet, Unlock, 12, 4));
            Ok(Range(b, OpenFileSet, WriteRange, 12, 4));
            Assert.Equal(Errno.EAGAIN, Range(b, OpenFileSet, ReadRange, 11, 1));
            Assert.Equal(Errno.EAGAIN, Range(b, OpenFileSet, ReadRange, 16, 1));
        }
    }

    [RealMountFact]
    public void ReadersShareARange()
    {
        (OpenedFile a, OpenedFile b) = NewPair();
        using (a)
        using (b)
        {
            Ok(Range(a, OpenFileSet, ReadRange, 0, 100));
            Ok(Range(b, OpenFileSet, ReadRange, 50, 100));
            Assert.Equal(Errno.EAGAIN, Range(b, OpenFileSet, WriteRange, 60, 1));
            Ok(Range(b, OpenFileSet, WriteRange, 120, 1));
        }
    }

    [RealMountFact]
    public void ConflictingRangeIsNamed()
    {
        (OpenedFile a, OpenedFile b) = NewPair();
        using (a)
        using (b)
        {
            Ok(Range(a, OpenFileSet, WriteRange, 10, 10));
            ByteRange found = Find(b, OpenFileGet, WriteRange, 0, 100);
            Assert.Equal((WriteRange, 10L, 10L), (found.Type, found.Start, found.Length));
            Assert.Equal(Unlock, Find(b, OpenFileGet, ReadRange, 0, 10).Type);
            Assert.Equal(Unlock, Find(a, OpenFileGet, WriteRange, 10, 10).Type);
        }
    }

    [RealMountFact]
    public void LocksOfAProcessDoNotHoldItselfUp()
    {
        (OpenedFile a, OpenedFile b) = NewPair();
        using (a)
        using (b)
        {
            Ok(Range(a, SetLock, WriteRange, 0, 10));
            Ok(Range(b, SetLock, WriteRange, 5, 10));
            Assert.Equal(Unlock, Find(b, GetLock, WriteRange, 0, 20).Type);
        }
    }

    [RealMountFact]
    public void LocksOfAProcessHoldUpOthers()
    {
        (OpenedFile a, OpenedFile b) = NewPair();
        using (a)
        using (b)
        {
            Ok(Range(a, SetLock, WriteRange, 0, 10));
            OtherProcess.Run(() =>
            {
                Assert.Equal(Errno.EAGAIN, Range(b, SetLock, WriteRange, 5, 10));
                ByteRange found = Find(b, GetLock, WriteRange, 0, 20);
                Assert.Equal((WriteRange, 0L, 10L), (found.Type, found.Start, found.Length));
                Assert.Equal(Environment.ProcessId, found.Pid);
                Ok(Range(b, SetLock, WriteRange, 10, 10));
            });

            // The other has ended, and its locks with it.
            Await(() => Range(a, SetLock, WriteRange, 10, 10));
        }
    }

    [RealMountFact]
    public void AnyCloseDropsTheLocksOfAProcess()
    {
        (OpenedFile a, OpenedFile b) = NewPair();
        using (a)
        {
            Ok(Range(a, SetLock, WriteRange, 0, 10));
            b.Dispose();
            OtherProcess.Run(() => Ok(Range(a, SetLock, WriteRange, 0, 10)));
        }
    }

    [RealMountFact]
    public void WaiterForARangeGetsItWhenItIsFree()
    {
        (OpenedFile a, OpenedFile b) = NewPair();
        using (a)
        using (b)
        {
            Ok(Range(a, OpenFileSet, WriteRange, 0, 10));
            using var started = new ManualResetEventSlim();
            bool let = false;
            bool wasLet = false;
            var waiter = new Thread(() =>
            {
                started.Set();
                Ok(Range(b, OpenFileSetAndWait, WriteRange, 5, 1));
                wasLet = Volatile.Read(ref let);
            });
            waiter.Start();
            started.Wait();
            Volatile.Write(ref let, true);
            Ok(Range(a, OpenFileSet, Unlock, 0, 0));
            waiter.Join();
            Assert.True(wasLet);
        }
    }

    [RealMountFact]
    public void ProcessesThatWaitForEachOtherAreToldSo()
    {
        (OpenedFile a, OpenedFile b) = NewPair();
        using (a)
        using (b)
        {
            Ok(Range(a, SetLock, WriteRange, 0, 1));
            using var hasSecond = new ManualResetEventSlim();
            Errno others = Success;
            var other = new Thread(() => OtherProcess.Run(() =>
            {
                Ok(Range(b, SetLock, WriteRange, 1, 1));
                hasSecond.Set();
                others = Range(b, SetLockAndWait, WriteRange, 0, 1);
            }));
            other.Start();
            hasSecond.Wait();

            // Whichever of the two waits second is told; if that is the other, his locks end with him, and this one is served.
            Errno own = Range(a, SetLockAndWait, WriteRange, 1, 1);
            Ok(Range(a, SetLock, Unlock, 0, 0));
            other.Join();
            Assert.True(own == Errno.EDEADLK ^ others == Errno.EDEADLK, $"{own}, {others}");
        }
    }

    [RealMountFact]
    public void LockNeedsAFileThatIsOpenForIt()
    {
        string file = Path.Combine(mount.NewDirectory(), "f");
        Write(file);
        using OpenedFile reader = Open(file, ReadOnly);
        using OpenedFile writer = Open(file, WriteOnly);
        Assert.Equal(Errno.EBADF, Range(reader, OpenFileSet, WriteRange, 0, 1));
        Assert.Equal(Errno.EBADF, Range(writer, OpenFileSet, ReadRange, 0, 1));
        Assert.Equal(Errno.EINVAL, Range(reader, OpenFileSet, ReadRange, -1, 1));
        Ok(Flock(reader, ExclusiveFile | NonBlocking));
    }

    private (OpenedFile A, OpenedFile B) NewPair()
    {
        string file = Path.Combine(mount.NewDirectory(), "f");
        return (Open(file, ReadWrite | Creating), Open(file, ReadWrite));
    }

    private static Errno Flock(OpenedFile file, int operation) => Errnos(PosixNative.Flock(file.Fd, operation));

    private static unsafe Errno Range(OpenedFile file, int command, short type, long start, long length)
    {
        var range = new ByteRange { Type = type, Start = start, Length = length };
        return Errnos(PosixNative.FcntlLock(file.Fd, command, &range));
    }

    private static unsafe ByteRange Find(OpenedFile file, int command, short type, long start, long length)
    {
        var range = new ByteRange { Type = type, Start = start, Length = length };
        Ok(Errnos(PosixNative.FcntlLock(file.Fd, command, &range)));
        return range;
    }

    /// <summary>A file's end is told to the file system after close(2) has returned.</summary>
    private static void Await(Func<Errno> action)
    {
        while (action() is var error && error != Success)
        {
            Assert.Equal(Errno.EAGAIN, error);
            Thread.Yield();
        }
    }
}
