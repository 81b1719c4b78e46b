using System.Globalization;
using Harness.Experiments.Observing;
using Harness.Experiments.Observing.Kernel;
using Harness.FuseProtocol.Wire;

namespace Harness.Tests.Experiments.Observing;

/// <summary>
/// Traces as lines of <c>TIME THREAD EVENT UNIQUE</c>. Thread 7 calls; thread 50 serves, and receives, dispatches, answers and has sent at the
/// times that its record says.
/// </summary>
public sealed class StageJoinTests
{
    [Fact]
    public void ASleepingDaemonIsWokenAndItsCallerToo()
    {
        StageTimes times = Join(
            """
            100 7 enter
            150 7 send 2
            400 50 switch
            900 50 end 2
            1300 7 switch
            1350 7 exit
            """,
            Record(2, 470, 480, 600, 920)).Single();
        AssertStages(times, 50, 0, 250, 70, 10, 120, 300, 400, 50);
    }

    [Fact]
    public void ARequestThatFindsTheDaemonBusyWaitsInTheQueueAndWakesNobody()
    {
        StageTimes times = Join(
            """
            500 7 send 4
            640 50 end 2
            900 50 end 4
            """,
            Record(2, 300, 310, 600, 650), Record(4, 700, 710, 800, 920))
            .Single();
        Assert.Equal((150, 0, 50), (times[Stage.Queue], times[Stage.WakeUp], times[Stage.Copy]));
    }

    [Fact]
    public void ADaemonThatTheCallerDisplacedWaitsForItsCpuFirst()
    {
        // The end of request 2 wakes the caller on the daemon's own CPU; it sends request 4 before the daemon is back from its write.
        StageTimes times = Join(
            """
            640 50 end 2
            642 7 switch
            700 7 send 4
            760 50 switch
            990 50 end 4
            """,
            Record(2, 300, 310, 600, 790), Record(4, 850, 860, 900, 995))
            .Single();
        Assert.Equal((30, 60, 60), (times[Stage.Queue], times[Stage.WakeUp], times[Stage.Copy]));
    }

    [Fact]
    public void AnAnswerFromAnotherThreadDoesNotKeepTheReceivingOneBusy()
    {
        StageRecord elsewhere = Record(2, 300, 310, 900, 950);
        elsewhere.AnsweredBy = 60;
        StageTimes times = Join(
            """
            305 7 send 4
            400 50 switch
            600 50 end 4
            """,
            elsewhere, Record(4, 440, 450, 500, 610))
            .Single();
        Assert.Equal((5, 90, 40), (times[Stage.Queue], times[Stage.WakeUp], times[Stage.Copy]));
    }

    [Fact]
    public void ACallerThatWentOnDoesNotWaitForTheRequest()
    {
        // As io_submit(2): the call returns before the request is over.
        StageTimes times = Join(
            """
            100 7 enter
            150 7 send 2
            200 7 exit
            400 50 switch
            900 50 end 2
            1300 7 switch
            """,
            Record(2, 470, 480, 600, 920)).Single();
        Assert.Null(times[Stage.SystemCall]);
        Assert.Null(times[Stage.CallerWakeUp]);
        Assert.Null(times[Stage.Return]);
        Assert.Equal(300, times[Stage.Reply]);
    }

    [Fact]
    public void RequestsOfOneCallShareItsTimeWithoutCountingAnyTwice()
    {
        StageTimes[] times = Join(
            """
            100 7 enter
            150 7 send 2
            300 50 end 2
            400 7 switch
            430 7 send 4
            600 50 end 4
            650 7 switch
            700 7 exit
            """,
            Record(2, 200, 210, 250, 310), Record(4, 500, 510, 550, 610));
        Assert.Equal((50, 100, null), (times[0][Stage.SystemCall], times[0][Stage.CallerWakeUp], times[0][Stage.Return]));
        Assert.Equal((30, 50, 50), (times[1][Stage.SystemCall], times[1][Stage.CallerWakeUp], times[1][Stage.Return]));
        Assert.Equal(700 - 100, times.Sum(each => Stages.All.Sum(stage => each[stage] ?? 0)));
    }

    [Fact]
    public void ACallThatSendsSeveralAtOnceWaitsForTheLastOnly()
    {
        StageTimes[] times = Join(
            """
            100 7 enter
            150 7 send 2
            180 7 send 4
            300 50 end 2
            600 50 end 4
            650 7 switch
            700 7 exit
            """,
            Record(2, 200, 210, 250, 310), Record(4, 500, 510, 550, 610));
        Assert.Equal((50, null, null), (times[0][Stage.SystemCall], times[0][Stage.CallerWakeUp], times[0][Stage.Return]));
        Assert.Equal((30, 50, 50), (times[1][Stage.SystemCall], times[1][Stage.CallerWakeUp], times[1][Stage.Return]));
    }

    [Fact]
    public void ACallerThatDidNotSleepHasNoWakeUp()
    {
        StageTimes times = Join(
            """
            100 7 enter
            150 7 send 2
            900 50 end 2
            950 7 exit
            """,
            Record(2, 470, 480, 600, 920)).Single();
        Assert.Equal((0, 50), (times[Stage.CallerWakeUp], times[Stage.Return]));
    }

    [Fact]
    public void ARequestThatTheTraceDoesNotKnowIsLeftOut() =>
        Assert.Equal([Opcode.Read], Join("150 7 send 2\n900 50 end 2", Record(2, 470, 480, 600, 920), Record(4, 1000, 1001, 1002, 1003))
            .Select(times => times.Opcode));

    [Fact]
    public void WithoutATraceTheDaemonsOwnStagesAreKnown()
    {
        StageTimes times = StageJoin.Join([Record(2, 470, 480, 600, 920)], null).Single();
        Assert.Equal((10, 120, 320), (times[Stage.Session], times[Stage.FileSystem], times[Stage.Reply]));
        Assert.Null(times[Stage.Queue]);
    }

    [Fact]
    public void WhatTheSessionAnswersByItselfTakesTheFileSystemNoTime() =>
        Assert.Equal(130, StageJoin.Join([Record(2, 470, 0, 600, 920)], null).Single()[Stage.Session]);

    [Fact]
    public void SharesAreOfTheSumOfAllStagesAndTheCostliestOpcodeComesFirst()
    {
        var tally = new StageTally();
        for (int i = 0; i < 10; i++)
        {
            tally.Add(new StageTimes(Opcode.Read) { [Stage.Session] = 100, [Stage.FileSystem] = 300 }, _ => true);
        }

        tally.Add(new StageTimes(Opcode.Flush) { [Stage.FileSystem] = 2000 }, _ => true);
        IReadOnlyList<OpcodeExplanation> all = tally.Explain();
        Assert.Equal([Opcode.Read, Opcode.Flush], all.Select(each => each.Opcode));
        Assert.Equal([(Stage.Session, 0.25), (Stage.FileSystem, 0.75)], all[0].Stages.Select(figures => (figures.Stage, Math.Round(figures.Share, 2))));
        Assert.InRange(all[0].TotalNanos, 399, 401);
    }

    private static StageRecord Record(ulong unique, long received, long dispatched, long answered, long sent) => new()
    {
        Unique = unique,
        Opcode = Opcode.Read,
        Received = received,
        Dispatched = dispatched,
        Answered = answered,
        Sent = sent,
        ReceivedBy = 50,
        AnsweredBy = 50,
    };

    private static StageTimes[] Join(string trace, params StageRecord[] records) => [.. StageJoin.Join(records, new TraceIndex(trace.Split('\n').Select(Parse)))];

    private static KernelEvent Parse(string line)
    {
        string[] words = line.Trim().Split(' ');
        KernelEventKind kind = words[2] switch
        {
            "send" => KernelEventKind.RequestSend,
            "end" => KernelEventKind.RequestEnd,
            "switch" => KernelEventKind.SwitchIn,
            "enter" => KernelEventKind.SyscallEnter,
            _ => KernelEventKind.SyscallExit,
        };
        return new KernelEvent(
            long.Parse(words[0], CultureInfo.InvariantCulture), kind, int.Parse(words[1], CultureInfo.InvariantCulture),
            words.Length > 3 ? ulong.Parse(words[3], CultureInfo.InvariantCulture) : 0);
    }

    private static void AssertStages(StageTimes times, params long?[] expected) => Assert.Equal(expected, Stages.All.Select(stage => times[stage]));
}
