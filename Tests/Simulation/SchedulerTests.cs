using Harness.Simulation.Chance;
using Harness.Simulation.Scheduling;

namespace Harness.Tests.Simulation;

public sealed class SchedulerTests
{
    [Fact]
    public void EventsRunInOrderOfTimeAndThenOfScheduling()
    {
        var world = new SimScheduler();
        var ran = new List<string>();
        void At(long time, string name) => world.Schedule(time, EventKind.None, 0, _ => ran.Add($"{world.NowNanoseconds} {name}"), null);
        At(20, "c");
        At(10, "a");
        At(10, "b");
        At(0, "now");
        world.RunUntilIdle();
        Assert.Equal(["0 now", "10 a", "10 b", "20 c"], ran);
    }

    [Fact]
    public void WhatAnEventSchedulesForItsOwnInstantRunsAfterWhatWasScheduledForItBefore()
    {
        var world = new SimScheduler();
        var ran = new List<string>();
        void At(long time, string name, Action? then = null) => world.Schedule(time, EventKind.None, 0, _ =>
        {
            ran.Add(name);
            then?.Invoke();
        }, null);
        At(10, "first", () => At(10, "late"));
        At(10, "second");
        world.RunUntilIdle();
        Assert.Equal(["first", "second", "late"], ran);
    }

    /// <summary>Against the obvious model: a list sorted by time and by order of scheduling, some of it cancelled.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void AnyMixOfSchedulingAndCancellingRunsAsASortedListWould(ulong seed)
    {
        var world = new SimScheduler();
        var random = new SimRandom(seed);
        var ran = new List<int>();
        var expected = new List<(long Time, int Order)>();
        var handles = new List<EventHandle>();
        for (int i = 0; i < 5000; i++)
        {
            int order = i;
            long time = random.NextInt64(300);
            handles.Add(world.Schedule(time, EventKind.None, 0, _ => ran.Add(order), null));
            expected.Add((time, order));
        }
        for (int i = 0; i < 4000; i++)
        {
            int victim = random.Next(handles.Count);
            if (world.Cancel(handles[victim]))
            {
                expected.RemoveAll(entry => entry.Order == victim);
            }
        }
        Assert.Equal(expected.Count, world.EventsPending);
        world.RunUntilIdle();
        Assert.True(ran.SequenceEqual(expected.Order().Select(entry => entry.Order)), $"seed {seed}");
    }

    [Fact]
    public void ACancelledEventNeitherRunsNorMovesTime()
    {
        var world = new SimScheduler();
        EventHandle handle = world.Schedule(1000, EventKind.None, 0, _ => Assert.Fail("cancelled"), null);
        Assert.True(world.Cancel(handle));
        Assert.False(world.Cancel(handle));
        world.RunUntilIdle();
        Assert.Equal(0, world.NowNanoseconds);
    }

    [Fact]
    public void AHandleOfAnEventThatHasRunCancelsNoLaterOneInItsPlace()
    {
        var world = new SimScheduler();
        EventHandle first = world.Schedule(1, EventKind.None, 0, _ => { }, null);
        world.RunUntilIdle();
        bool ran = false;
        world.Schedule(2, EventKind.None, 0, _ => ran = true, null);
        Assert.False(world.Cancel(first));
        world.RunUntilIdle();
        Assert.True(ran);
    }

    [Fact]
    public void RunUntilATimeStopsThereAndLeavesTheRest()
    {
        var world = new SimScheduler();
        int ran = 0;
        world.Schedule(10, EventKind.None, 0, _ => ran++, null);
        world.Schedule(11, EventKind.None, 0, _ => ran++, null);
        world.RunUntil(10);
        Assert.Equal((1, 10L, 1), (ran, world.NowNanoseconds, world.EventsPending));
        world.RunUntil(500);
        Assert.Equal((2, 500L), (ran, world.NowNanoseconds));
    }

    [Fact]
    public void RunUntilAPredicateStopsAtTheEventThatMadeItTrue()
    {
        var world = new SimScheduler();
        int ran = 0;
        for (int i = 1; i <= 5; i++)
        {
            world.Schedule(i, EventKind.None, 0, _ => ran++, null);
        }
        world.RunUntil(() => ran == 3, "three events");
        Assert.Equal((3, 3L), (ran, world.NowNanoseconds));
    }

    [Fact]
    public void AnEventCannotRunTheScheduler()
    {
        var world = new SimScheduler();
        world.Schedule(1, EventKind.None, 0, _ => world.RunUntilIdle(), null);
        Refused.With<InvalidOperationException>(world.RunUntilIdle, "runs already");
    }

    [Fact]
    public void TooManyPendingEventsAreRefusedByTheNameOfTheLimit()
    {
        var world = new SimScheduler(new SimSchedulerOptions { PendingEventsMax = 64 });
        for (int i = 0; i < 64; i++)
        {
            world.Schedule(i, EventKind.None, 0, _ => { }, null);
        }
        Refused.With<InvalidOperationException>(
            () => world.Schedule(1, EventKind.None, 0, _ => { }, null), nameof(SimSchedulerOptions.PendingEventsMax));
    }

    [Fact]
    public void ALivelockIsReportedWithWhatGoesOn()
    {
        var world = new SimScheduler(new SimSchedulerOptions { EventsAtOneInstantMax = 100 });
        SimLoop loop = world.StartProcess("mds").StartLoop("mds loop");
        loop.PostAt(50, Again, null);
        var error = Assert.Throws<LivelockException>(world.RunUntilIdle);
        Assert.Contains("Livelock at 50 ns", error.Message, StringComparison.Ordinal);
        Assert.Contains("mds loop", error.Message, StringComparison.Ordinal);
        void Again(object? state) => loop.Post(Again, state);
    }

    [Fact]
    public void ManyEventsAreNoLivelockWhileTimeMovesOn()
    {
        var world = new SimScheduler(new SimSchedulerOptions { EventsAtOneInstantMax = 100 });
        int left = 10_000;
        world.Schedule(0, EventKind.None, 0, Again, null);
        world.RunUntilIdle();
        Assert.Equal(0, left);
        void Again(object? state)
        {
            if (--left > 0)
            {
                world.Schedule(world.NowNanoseconds + (left % 50 == 0 ? 1 : 0), EventKind.None, 0, Again, null);
            }
        }
    }
}
