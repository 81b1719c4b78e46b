using Harness.Cluster.Checking;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Tests.Cluster.Checking;

/// <summary>The checker itself, on histories made by hand: those that an order explains, and those that none does.</summary>
public sealed class LinearizabilityCheckerTests
{
    private readonly List<Call> _calls = [];

    [Fact]
    public void AReadAfterAWriteSeesIt()
    {
        Write(1, 2, value: 7);
        Read(3, 4, 7);
        AssertGood();
    }

    [Fact]
    public void AReadAfterAWriteThatSeesWhatWasBeforeIsFound()
    {
        Write(1, 2, value: 7);
        Read(3, 4, 0);
        AssertBad("block 0 of file 9");
    }

    [Fact]
    public void AReadBesideAWriteMaySeeEither()
    {
        Write(1, 2, value: 5);
        Write(3, 10, value: 7);
        Read(4, 5, 5);
        Read(6, 7, 7);
        AssertGood();
    }

    [Fact]
    public void WhatOneReaderHasSeenNoLaterOneMayMiss()
    {
        Write(1, 2, value: 5);
        Write(3, 10, value: 7);
        Read(4, 5, 7);
        Read(6, 7, 5);
        AssertBad("block 0 of file 9");
    }

    [Fact]
    public void AWriteWithoutAnAnswerMayHappenAtAnyTimeOrNever()
    {
        Write(1, 2, value: 5);
        Write(3, Call.Open, value: 7);
        Read(4, 5, 5);
        Read(100, 101, 7);
        AssertGood();
        _calls.RemoveAt(3);
        AssertGood();
    }

    [Fact]
    public void AWriteWithoutAnAnswerHappensOnce()
    {
        Write(1, 2, value: 5);
        Write(3, Call.Open, value: 7);
        Read(4, 5, 7);
        Write(6, 8, value: 9);
        Read(10, 11, 9);
        Read(12, 13, 7);
        AssertBad("block 0 of file 9");
    }

    [Fact]
    public void WhatNobodyHasWrittenIsFound()
    {
        Write(1, 2, value: 5);
        Read(3, 4, 6);
        AssertBad("block 0 of file 9");
    }

    [Fact]
    public void ATruncationEndsTheFileAndWhatItCutReadsAsZeros()
    {
        Write(1, 2, value: 5, first: 0, count: 3);
        Add(OperationKind.Truncate, 3, 4, first: 1);
        Size(5, 6, 1);
        Add(OperationKind.Truncate, 7, 8, first: 3);
        Read(9, 10, 5, 0, 0);
        AssertGood();
        Read(11, 12, 5, 5, 0);
        AssertBad("block 0 of file 9");
    }

    [Fact]
    public void ATruncationTouchesBlocksThatItDoesNotName()
    {
        Write(1, 2, value: 5, first: 0, count: 12);
        Add(OperationKind.Truncate, 3, 4, first: 2);
        Call read = Add(OperationKind.Read, 5, 6, first: 8, count: 4);
        (read.Seen, read.Cells) = ([5, 5, 5, 5], 4);
        AssertBad("block 2 of file 9");
    }

    [Fact]
    public void ATruncationWithoutAnAnswerMayBeLeftHalfDoneInItsChunkAlone()
    {
        int end = Schedule.ChunkCells;
        Write(1, 2, value: 5, first: 0, count: end + 4);
        Add(OperationKind.Truncate, 3, Call.Open, first: end - 3);
        Size(5, 6, end + 4);
        Call read = Add(OperationKind.Read, 7, 8, first: end - 4, count: 8);
        (read.Seen, read.Cells) = ([5, 0, 0, 0, 5, 5, 5, 5], 8);
        AssertGood();
        (read.Seen, read.Cells) = ([5, 0, 0, 0, 0, 0, 0, 0], 8);
        AssertBad($"block {end / Call.CellsPerBlock} of file 9");
    }

    [Fact]
    public void AWriteWithoutAnAnswerMayLeaveTheFileAsLongAsItWas()
    {
        Write(1, 2, value: 5, first: 0, count: 2);
        Write(3, Call.Open, value: 7, first: 1, count: 2);
        Read(4, 5, 5, 7);
        Size(6, 7, 2);
        Read(8, 9, 5, 7);
        AssertGood();
        Write(10, 11, value: 8, first: 1);
        Read(12, 13, 5, 7);
        AssertBad("block 0 of file 9");
    }

    [Fact]
    public void ATruncationWithAnAnswerIsWhollyDone()
    {
        Write(1, 2, value: 5, first: 0, count: 4);
        Add(OperationKind.Truncate, 3, 4, first: 1);
        Read(7, 8, 5, 0, 0, 0);
        AssertBad("block 0 of file 9");
    }

    [Fact]
    public void ASizeThatTheFileNeverHadIsFound()
    {
        Write(1, 2, value: 5, first: 0, count: 2);
        Write(3, 4, value: 6, first: 2, count: 2);
        Size(5, 6, 2);
        AssertBad("the size of file 9");
    }

    [Fact]
    public void ANameIsMadeOnce()
    {
        Name(OperationKind.Create, 1, 10, Errnos.Ok, identity: 20);
        Name(OperationKind.Create, 2, 9, Errno.EEXIST);
        AssertGood();
        Name(OperationKind.Create, 11, 12, Errnos.Ok, identity: 22);
        AssertBad("the names in d0");
    }

    [Fact]
    public void ARenameIsSeenAtBothEndsAtOnce()
    {
        Name(OperationKind.Create, 1, 2, Errnos.Ok, identity: 20);
        Name(OperationKind.Rename, 3, 10, Errnos.Ok, other: (1, 2));
        Name(OperationKind.LookUp, 4, 5, Errnos.Ok, directory: 1, name: 2, identity: 20);
        AssertGood();
        Name(OperationKind.LookUp, 6, 7, Errnos.Ok, identity: 20);
        AssertBad("the names in d0, d1");
    }

    [Fact]
    public void WhatWasMadeWithoutAnAnswerIsKnownWhenItIsSeen()
    {
        Name(OperationKind.Create, 1, Call.Open, Errnos.Ok);
        Name(OperationKind.LookUp, 2, 3, Errno.ENOENT);
        Name(OperationKind.LookUp, 4, 5, Errnos.Ok, identity: 20);
        Name(OperationKind.Unlink, 6, 7, Errnos.Ok);
        AssertGood();
        Name(OperationKind.LookUp, 8, 9, Errnos.Ok, identity: 20);
        AssertBad("the names in d0");
    }

    [Fact]
    public void ALinkLivesOnWhenTheFirstNameIsGoneAndADeadFileGetsNoName()
    {
        Name(OperationKind.Create, 1, 2, Errnos.Ok, identity: 20);
        Name(OperationKind.Link, 3, 4, Errnos.Ok, directory: 1, name: 1, identity: 20);
        Name(OperationKind.Unlink, 5, 6, Errnos.Ok);
        Name(OperationKind.LookUp, 7, 8, Errnos.Ok, directory: 1, name: 1, identity: 20);
        Name(OperationKind.Unlink, 9, 10, Errnos.Ok, directory: 1, name: 1);
        Name(OperationKind.Link, 11, 12, Errno.ENOENT, identity: 20);
        AssertGood();
        Name(OperationKind.Link, 13, 14, Errnos.Ok, identity: 20);
        AssertBad("the names in d0, d1");
    }

    [Fact]
    public void AHistoryOfManyOverlappingWritesIsDecided()
    {
        for (int i = 0; i < 12; i++)
        {
            Write(1, 100, value: (ulong)i + 1);
        }

        Read(101, 102, 7);
        AssertGood();
        Read(103, 104, 8);
        AssertBad("block 0 of file 9");
    }

    private void Write(long from, long to, ulong value, int first = 0, int count = 1) => Add(OperationKind.Write, from, to, first, count, value);

    private void Read(long from, long to, params ulong[] seen)
    {
        Call call = Add(OperationKind.Read, from, to, 0, seen.Length);
        (call.Seen, call.Cells) = (seen, seen.Length);
    }

    private void Size(long from, long to, int cells) => Add(OperationKind.Size, from, to).Cells = cells;

    private Call Add(OperationKind kind, long from, long to, int first = 0, int count = 0, ulong value = 0)
    {
        var call = new Call
        {
            Id = _calls.Count,
            Kind = kind,
            Subject = 9,
            First = first,
            Count = count,
            Value = value,
            InvokedNanoseconds = from,
            ReturnedNanoseconds = to,
        };
        _calls.Add(call);
        return call;
    }

    private void Name(
        OperationKind kind, long from, long to, Errno error, int directory = 0, int name = 0, ulong identity = 0, (ulong Directory, int Name) other = default)
    {
        var call = new Call
        {
            Id = _calls.Count,
            Kind = kind,
            Subject = (ulong)directory,
            First = name,
            OtherSubject = other.Directory,
            OtherName = other.Name,
            InvokedNanoseconds = from,
            ReturnedNanoseconds = to,
            Error = error,
            Identity = identity,
        };
        _calls.Add(call);
    }

    private void AssertGood() => Assert.Empty(HistoryChecker.Check(_calls));

    private void AssertBad(string part)
    {
        Violation[] violations = [.. HistoryChecker.Check(_calls)];
        Assert.Contains(violations, violation => violation.What.StartsWith(part, StringComparison.Ordinal));
    }
}
