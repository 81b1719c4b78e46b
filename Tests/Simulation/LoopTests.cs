using Harness.Simulation.Scheduling;

namespace Harness.Tests.Simulation;

public sealed class LoopTests
{
    readonly SimScheduler world = new();

    [Fact]
    public void CallbacksOfALoopRunInTheOrderOfPosting()
    {
        SimLoop loop = world.StartProcess("p").StartLoop("loop");
        var ran = new List<int>();
        for (int i = 0; i < 5; i++)
        {
            loop.Post(which => ran.Add((int)which!), i);
        }
        world.RunUntilIdle();
        Assert.Equal([0, 1, 2, 3, 4], ran);
    }

    [Fact]
    public void TiesBySeedKeepTheOrderOfPostsFromOneLoopToAnother()
    {
        for (ulong seed = 1; seed <= 50; seed++)
        {
            var shuffled = new SimScheduler(new SimSchedulerOptions { Seed = seed, Ties = TieBreak.Seed });
            SimProcess process = shuffled.StartProcess("p");
            SimLoop from = process.StartLoop("from"), to = process.StartLoop("to");
            var ran = new List<int>();
            from.Post(_ =>
            {
                for (int i = 0; i < 10; i++)
                {
                    to.Post(which => ran.Add((int)which!), i);
                }
                from.Charge(5);
                to.Post(which => ran.Add((int)which!), 10);
                from.Post(_ => to.Post(which => ran.Add((int)which!), 11), null);
            }, null);
            shuffled.RunUntilIdle();
            Assert.Equal(Enumerable.Range(0, 12), ran);
        }
    }

    [Fact]
    public void TiesBySeedChangeTheOrderInWhichTwoLoopsPostToAThird()
    {
        var winners = new HashSet<string>();
        for (ulong seed = 1; seed <= 20; seed++)
        {
            var shuffled = new SimScheduler(new SimSchedulerOptions { Seed = seed, Ties = TieBreak.Seed });
            SimProcess process = shuffled.StartProcess("p");
            SimLoop a = process.StartLoop("a"), b = process.StartLoop("b"), to = process.StartLoop("to");
            var ran = new List<string>();
            a.Post(_ => to.Post(_ => ran.Add("a"), null), null);
            b.Post(_ => to.Post(_ => ran.Add("b"), null), null);
            shuffled.RunUntilIdle();
            winners.Add(ran[0]);
        }
        Assert.Equal(2, winners.Count);
    }

    [Fact]
    public void AChargedLoopIsBusyAndItsNextCallbackIsDelayed()
    {
        SimLoop loop = world.StartProcess("p").StartLoop("loop");
        var times = new List<long>();
        for (int i = 0; i < 3; i++)
        {
            loop.Post(_ =>
            {
                times.Add(world.NowNanoseconds);
                loop.Charge(60);
                loop.Charge(40);
            }, null);
        }
        loop.PostAt(150, _ => times.Add(world.NowNanoseconds), null);
        world.RunUntilIdle();
        Assert.Equal([0, 100, 200, 300], times);
    }

    [Fact]
    public void WhatACallbackPostsElsewhereLeavesWhenItsChargeIsSpent()
    {
        SimProcess process = world.StartProcess("p");
        SimLoop from = process.StartLoop("from"), to = process.StartLoop("to");
        var arrivals = new List<long>();
        from.Post(_ =>
        {
            to.Post(_ => arrivals.Add(world.NowNanoseconds), null);
            from.Charge(70);
            Assert.Equal(70, from.ChargedUntilWorldNanoseconds);
            to.Post(_ => arrivals.Add(world.NowNanoseconds), null);
        }, null);
        world.RunUntilIdle();
        Assert.Equal([0, 70], arrivals);
    }

    [Fact]
    public void OnlyTheLoopThatRunsCanBeCharged()
    {
        SimLoop loop = world.StartProcess("p").StartLoop("loop");
        Assert.Throws<InvalidOperationException>(() => loop.Charge(1));
    }

    [Fact]
    public void ALoopIsCurrentInItsOwnCallbacksAndNowhereElse()
    {
        SimProcess process = world.StartProcess("p");
        SimLoop a = process.StartLoop("a"), b = process.StartLoop("b");
        var seen = new List<(bool, bool)>();
        a.Post(_ => seen.Add((a.IsCurrent, b.IsCurrent)), null);
        b.Post(_ => seen.Add((a.IsCurrent, b.IsCurrent)), null);
        world.RunUntilIdle();
        Assert.Equal([(true, false), (false, true)], seen);
        Assert.False(a.IsCurrent);
    }

    [Fact]
    public void AContinuationComesBackToTheLoopThatAwaited()
    {
        SimProcess process = world.StartProcess("p");
        SimLoop a = process.StartLoop("a"), b = process.StartLoop("b");
        var source = new TaskCompletionSource();
        bool backOnA = false;
        async void Wait()
        {
            await source.Task;
            backOnA = a.IsCurrent;
        }
        a.Post(_ => Wait(), null);
        b.PostAt(10, _ => source.SetResult(), null);
        world.RunUntilIdle();
        Assert.True(backOnA);
    }

    [Fact]
    public void ACrashDropsQueueTimersAndContinuations()
    {
        SimProcess process = world.StartProcess("cs 1");
        SimLoop loop = process.StartLoop("cs 1");
        var source = new TaskCompletionSource();
        async void Wait()
        {
            await source.Task;
            Assert.Fail("a continuation of a crashed process ran");
        }
        TimeSpan tick = TimeSpan.FromMilliseconds(1);
        using ITimer timer = loop.Time.CreateTimer(_ => Assert.Fail("a timer of a crashed process fired"), null, tick, tick);
        loop.Post(_ => Wait(), null);
        loop.PostAt(2000, _ => Assert.Fail("a queued callback of a crashed process ran"), null);
        world.Schedule(1000, EventKind.None, 0, _ =>
        {
            loop.Post(_ => Assert.Fail("a queued callback of a crashed process ran"), null);
            process.Crash();
        }, null);
        world.Schedule(3000, EventKind.None, 0, _ => source.SetResult(), null);
        world.RunUntilIdle();
        Assert.Equal(3000, world.NowNanoseconds);
        Assert.True(loop.IsStopped);
        Assert.Throws<ObjectDisposedException>(() => loop.Post(_ => { }, null));
        Assert.Throws<ObjectDisposedException>(() => loop.PostAt(1, _ => { }, null));
        Assert.Throws<ObjectDisposedException>(() => process.StartLoop("late"));
    }

    [Fact]
    public void ARestartIsANewIncarnationThatTheOldOnesContinuationsDoNotReach()
    {
        SimProcess old = world.StartProcess("cs 1");
        SimLoop oldLoop = old.StartLoop("cs 1");
        SimProcess restarted = old.Restart();
        SimLoop loop = restarted.StartLoop("cs 1");
        bool ran = false;
        loop.Post(_ => ran = true, null);
        world.RunUntilIdle();
        Assert.True(ran);
        Assert.True(oldLoop.IsStopped);
        Assert.Equal((1, 2, "cs 1"), (old.Incarnation, restarted.Incarnation, restarted.Name));
    }

    [Fact]
    public void AProcessThatCrashesItselfStillFinishesItsCallback()
    {
        SimProcess process = world.StartProcess("p");
        SimLoop loop = process.StartLoop("loop");
        bool finished = false;
        loop.Post(_ =>
        {
            process.Crash();
            finished = true;
        }, null);
        loop.Post(_ => Assert.Fail("ran after the crash"), null);
        world.RunUntilIdle();
        Assert.True(finished);
    }

    [Fact]
    public void ACallbackThatThrowsEndsTheRunAndTheWorldCanBeRunOn()
    {
        SimLoop loop = world.StartProcess("p").StartLoop("loop");
        bool ran = false;
        loop.Post(_ => throw new ArithmeticException("broken"), null);
        loop.Post(_ => ran = true, null);
        Assert.Throws<ArithmeticException>(world.RunUntilIdle);
        world.RunUntilIdle();
        Assert.True(ran);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(100_000, 17)]
    [InlineData(-100_000, 5_000_000)]
    [InlineData(LoopClock.DriftPartsPerBillionMax, 1)]
    [InlineData(-LoopClock.DriftPartsPerBillionMax, 1)]
    public void ADriftingClockRunsTimersByItsOwnTimeAndNeverEarly(int drift, long offset)
    {
        var clock = new LoopClock(offset, drift);
        SimLoop loop = world.StartProcess("p").StartLoop("loop", clock);
        long due = offset + 1_000_003;
        long firedAt = -1;
        loop.PostAt(due, _ => firedAt = loop.NowNanoseconds, null);
        world.RunUntilIdle();
        Assert.InRange(firedAt, due, due + 1);
        long expected = (long)Math.Ceiling(1_000_003 / (1 + (drift / 1e9)));
        Assert.InRange(world.NowNanoseconds, expected - 1, expected + 1);
        Assert.True(clock.FromWorld(world.NowNanoseconds - 1) < due, "it could have run earlier");
    }
}
