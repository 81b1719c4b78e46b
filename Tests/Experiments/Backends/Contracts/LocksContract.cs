using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Backends.Contracts;

public abstract class LocksContract : FileSystemContract
{
    private const LockType Shared = LockType.F_RDLCK;
    private const LockType Exclusive = LockType.F_WRLCK;
    private const LockType Unlock = LockType.F_UNLCK;
    private const ulong End = long.MaxValue;

    private readonly ulong _file;

    private protected LocksContract(Func<IFileSystem> make)
        : base(make) => _file = MakeFile(Root, "file");

    [Fact]
    public void OnlySharedLocksGoTogether()
    {
        Fs.LockNow(_file, 1, Shared, 0, 99).Ok();
        Fs.LockNow(_file, 2, Shared, 0, 99).Ok();
        Assert.Equal(Errno.EAGAIN, Fs.LockNow(_file, 3, Exclusive, 99, 99));
        Fs.LockNow(_file, 3, Exclusive, 100, 100).Ok();
        Assert.Equal(Errno.EAGAIN, Fs.LockNow(_file, 1, Shared, 0, 100));
        Assert.Equal(Errno.EAGAIN, Fs.LockNow(_file, 1, Exclusive, 0, 0));
    }

    [Fact]
    public void GetlkNamesWhoIsInTheWay()
    {
        Fs.LockNow(_file, 1, Exclusive, 50, 59).Ok();
        Fs.LockNow(_file, 1, Shared, 10, 19).Ok();
        FileLock found = Fs.Getlk(_file, 2, Exclusive, 0, End).Ok();
        Assert.Equal((10ul, 19ul, (uint)Shared, 1u), (found.Start, found.End, found.Type, found.Pid));
        found = Fs.Getlk(_file, 2, Shared, 0, End).Ok();
        Assert.Equal((50ul, 59ul, (uint)Exclusive, 1u), (found.Start, found.End, found.Type, found.Pid));
        Assert.Equal((uint)Unlock, Fs.Getlk(_file, 2, Exclusive, 20, 49).Ok().Type);
        Assert.Equal((uint)Unlock, Fs.Getlk(_file, 1, Exclusive, 0, End).Ok().Type);
    }

    [Fact]
    public void UnlockingTheMiddleLeavesTwoEnds()
    {
        Fs.LockNow(_file, 1, Exclusive, 0, 99).Ok();
        Fs.LockNow(_file, 1, Unlock, 40, 59).Ok();
        Assert.Equal([(0, 39), (60, 99)], Held());
        Fs.LockNow(_file, 2, Exclusive, 40, 59).Ok();
        Assert.Equal(Errno.EAGAIN, Fs.LockNow(_file, 2, Exclusive, 39, 39));
        Assert.Equal(Errno.EAGAIN, Fs.LockNow(_file, 2, Exclusive, 60, 60));
    }

    [Fact]
    public void LocksOfOneKindThatTouchBecomeOne()
    {
        Fs.LockNow(_file, 1, Exclusive, 0, 9).Ok();
        Fs.LockNow(_file, 1, Exclusive, 20, 29).Ok();
        Fs.LockNow(_file, 1, Exclusive, 10, 19).Ok();
        Assert.Equal([(0, 29)], Held());
        Fs.LockNow(_file, 1, Shared, 10, 14).Ok();
        Assert.Equal([(0, 9), (10, 14), (15, 29)], Held());
        Fs.LockNow(_file, 1, Exclusive, 5, 24).Ok();
        Assert.Equal([(0, 29)], Held());
    }

    [Fact]
    public void AClosingOwnerLosesItsLocksOnly()
    {
        Fs.LockNow(_file, 1, Exclusive, 0, 9).Ok();
        Fs.LockNow(_file, 1, Exclusive, 20, 29).Ok();
        Fs.LockNow(_file, 2, Exclusive, 10, 19).Ok();
        Fs.Flush(_file, owner: 1).Ok();
        Assert.Equal([(10, 19)], Held());
        Fs.Flush(_file, owner: 3).Ok();
        Assert.Equal([(10, 19)], Held());
    }

    [Fact]
    public void ALockEndsAtTheLatestWithTheOpenFileThatTookIt()
    {
        ulong first = Fs.Open(_file).Ok().Fh;
        ulong second = Fs.Open(_file).Ok().Fh;
        Fs.LockNow(_file, 1, Exclusive, 0, 9, fh: first).Ok();
        Fs.LockNow(_file, 2, Exclusive, 10, 19, fh: second).Ok();
        Fs.Flush(_file, owner: 3).Ok();
        Fs.Release(_file, first).Ok();
        Assert.Equal([(10, 19)], Held());
        Fs.Release(_file, second).Ok();
        Assert.Empty(Held());
    }

    [Fact]
    public async Task AWaitEndsWhenTheWayIsFree()
    {
        Fs.LockNow(_file, 1, Exclusive, 0, 99).Ok();
        Task<Errno> second = Fs.Lock(_file, 2, Exclusive, 0, 49, wait: true).AsTask();
        Task<Errno> third = Fs.Lock(_file, 3, Exclusive, 40, 99, wait: true).AsTask();
        Assert.False(second.IsCompleted);
        Fs.LockNow(_file, 1, Unlock, 50, 99).Ok();
        Assert.False(second.IsCompleted || third.IsCompleted);
        Fs.LockNow(_file, 1, Unlock, 0, 49).Ok();
        (await second).Ok();
        Assert.False(third.IsCompleted);
        Fs.Flush(_file, owner: 2).Ok();
        (await third).Ok();
        Assert.Equal([(40, 99)], Held());
    }

    [Fact]
    public async Task WhoWouldWaitForItselfGetsEDEADLK()
    {
        ulong other = MakeFile(Root, "other");
        Fs.LockNow(_file, 1, Exclusive, 0, 9).Ok();
        Fs.LockNow(other, 2, Exclusive, 0, 9).Ok();
        Fs.LockNow(other, 3, Exclusive, 10, 19).Ok();
        Task<Errno> first = Fs.Lock(other, 1, Exclusive, 0, 9, wait: true).AsTask();
        Task<Errno> third = Fs.Lock(_file, 3, Exclusive, 0, 9, wait: true).AsTask();
        Assert.Equal(Errno.EDEADLK, await Fs.Lock(_file, 2, Exclusive, 5, 5, wait: true));
        Assert.Equal(Errno.EDEADLK, await Fs.Lock(other, 2, Exclusive, 15, 15, wait: true));
        Assert.False(first.IsCompleted || third.IsCompleted);
        Fs.Flush(other, owner: 2).Ok();
        (await first).Ok();
        Fs.Flush(_file, owner: 1).Ok();
        (await third).Ok();
    }

    [Fact]
    public async Task TwoWhoShareAndBothWantMoreDoNotWaitForEver()
    {
        Fs.LockNow(_file, 1, Shared, 0, 9).Ok();
        Fs.LockNow(_file, 2, Shared, 0, 9).Ok();
        Task<Errno> first = Fs.Lock(_file, 1, Exclusive, 0, 9, wait: true).AsTask();
        Assert.Equal(Errno.EDEADLK, await Fs.Lock(_file, 2, Exclusive, 0, 9, wait: true));
        Fs.LockNow(_file, 2, Unlock, 0, 9).Ok();
        (await first).Ok();
    }

    [Fact]
    public async Task FlockIsOnTheWholeFileAndApartFromFcntl()
    {
        Fs.LockNow(_file, 1, Exclusive, 0, 0).Ok();
        Fs.LockNow(_file, 2, Exclusive, 0, 0, flock: true).Ok();
        Assert.Equal(Errno.EAGAIN, Fs.LockNow(_file, 3, Shared, 50, 60, flock: true));
        Task<Errno> third = Fs.Lock(_file, 3, Shared, 0, 0, wait: true, flock: true).AsTask();
        Fs.Flush(_file, owner: 2).Ok();
        Assert.False(third.IsCompleted);
        Fs.ReleaseFlock(_file, owner: 2).Ok();
        (await third).Ok();
        Fs.LockNow(_file, 4, Shared, 0, 0, flock: true).Ok();
    }

    [Fact]
    public async Task FlockGivesUpTheOldLockWhenItAsksForAnother()
    {
        Fs.LockNow(_file, 1, Shared, 0, 0, flock: true).Ok();
        Fs.LockNow(_file, 2, Shared, 0, 0, flock: true).Ok();
        Task<Errno> first = Fs.Lock(_file, 1, Exclusive, 0, 0, wait: true, flock: true).AsTask();
        Assert.False(first.IsCompleted);
        Assert.True((await Fs.Lock(_file, 2, Exclusive, 0, 0, wait: true, flock: true)) == Errnos.Ok);
        Fs.ReleaseFlock(_file, owner: 2).Ok();
        (await first).Ok();
    }

    [Fact]
    public void WhatIsNoLockIsEINVAL()
    {
        Assert.Equal(Errno.EINVAL, Fs.LockNow(_file, 1, (LockType)3, 0, 9));
        Assert.Equal(Errno.EINVAL, Fs.LockNow(_file, 1, Shared, 10, 9));
    }

    /// <summary>The ranges that anybody has locked, as a stranger finds them.</summary>
    private List<(int Start, int End)> Held()
    {
        var held = new List<(int, int)>();
        FileLock found = Fs.Getlk(_file, 99, Exclusive, 0, End).Ok();
        while (found.Type != (uint)Unlock)
        {
            held.Add(((int)found.Start, (int)found.End));
            found = Fs.Getlk(_file, 99, Exclusive, found.End + 1, End).Ok();
        }

        return held;
    }
}
