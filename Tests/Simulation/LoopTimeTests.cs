using Harness.Simulation.Scheduling;

namespace Harness.Tests.Simulation;

/// <summary>The framework's own waiting under a loop's time provider: on the loop's thread, on time, in virtual time.</summary>
public sealed class LoopTimeTests
{
    static readonly TimeSpan Never = Timeout.InfiniteTimeSpan;

    readonly SimScheduler world = new();
    readonly int thread = Environment.CurrentManagedThreadId;

    static TimeSpan Ms(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    void AssertHome(SimLoop loop)
    {
        Assert.True(loop.IsCurrent);
        Assert.Equal(thread, Environment.CurrentManagedThreadId);
    }

    [Fact]
    public void TaskDelayStaysOnTheLoopAndTakesVirtualTime() => world.Run(async () =>
    {
        await Task.Delay(TimeSpan.FromHours(5), world.Main.Time);
        AssertHome(world.Main);
        Assert.Equal(5L * 3600 * 1_000_000_000, world.NowNanoseconds);
    });

    [Fact]
    public void WhenAnyAndWaitAsyncStayOnTheLoop() => world.Run(async () =>
    {
        Task slow = Task.Delay(TimeSpan.FromSeconds(10), world.Main.Time), quick = Task.Delay(TimeSpan.FromSeconds(1), world.Main.Time);
        Assert.Same(quick, await Task.WhenAny(slow, quick));
        AssertHome(world.Main);
        await Assert.ThrowsAsync<TimeoutException>(() => slow.WaitAsync(TimeSpan.FromSeconds(2), world.Main.Time));
        AssertHome(world.Main);
        Assert.Equal(3_000_000_000, world.NowNanoseconds);
    });

    [Fact]
    public void TimedCancellationFiresOnTheLoop() => world.Run(async () =>
    {
        using var cancellation = new CancellationTokenSource(Ms(20), world.Main.Time);
        bool firedHome = false;
        cancellation.Token.Register(() => firedHome = world.Main.IsCurrent);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            Task.Delay(TimeSpan.FromSeconds(1), world.Main.Time, cancellation.Token));
        AssertHome(world.Main);
        Assert.True(firedHome);
        Assert.Equal(20_000_000, world.NowNanoseconds);
    });

    [Fact]
    public void PeriodicTimerTicksOnTheGridAndLosesTicksOfABusyLoop() => world.Run(async () =>
    {
        using var timer = new PeriodicTimer(Ms(10), world.Main.Time);
        var ticks = new List<long>();
        for (int i = 0; i < 3; i++)
        {
            Assert.True(await timer.WaitForNextTickAsync());
            AssertHome(world.Main);
            ticks.Add(world.NowNanoseconds / 1_000_000);
            if (i == 0)
            {
                world.Main.Charge(25_000_000);
            }
        }
        Assert.Equal([10, 35, 40], ticks);
    });

    [Fact]
    public void AContinuationOfABusyLoopWaitsForIt()
    {
        SimLoop loop = world.StartProcess("p").StartLoop("loop");
        long doneAt = 0;
        async void Work()
        {
            Task delay = Task.Delay(Ms(1), loop.Time);
            loop.Charge(30_000_000);
            await delay;
            doneAt = world.NowNanoseconds;
        }
        loop.Post(_ => Work(), null);
        world.RunUntilIdle();
        Assert.Equal(30_000_000, doneAt);
    }

    [Fact]
    public void ChangingATimerReplacesWhatItWasSetTo()
    {
        var fired = new List<long>();
        using ITimer timer = world.Main.Time.CreateTimer(_ => fired.Add(world.NowNanoseconds), null, Ms(5), Never);
        world.RunUntil(1_000_000);
        Assert.True(timer.Change(Ms(1), Never));
        world.RunUntilIdle();
        Assert.Equal([2_000_000], fired);
        Assert.True(timer.Change(Ms(1), Never));
        Assert.True(timer.Change(Never, Never));
        world.RunUntilIdle();
        Assert.Single(fired);
    }

    [Fact]
    public void ATimerThatIsDueButStillQueuedCanBeTakenBack()
    {
        SimLoop loop = world.StartProcess("p").StartLoop("loop");
        var fired = new List<long>();
        ITimer timer = loop.Time.CreateTimer(_ => fired.Add(world.NowNanoseconds), null, Ms(1), Never);
        loop.Post(_ => loop.Charge(2_000_000), null);
        loop.PostAt(500_000, _ => timer.Change(Ms(7), Never), null);
        world.RunUntilIdle();
        Assert.Equal([9_000_000], fired);
        timer.Change(Ms(1), Never);
        loop.Post(_ => loop.Charge(2_000_000), null);
        loop.PostAt(9_500_000, _ => timer.Dispose(), null);
        world.RunUntilIdle();
        Assert.Single(fired);
        Assert.False(timer.Change(TimeSpan.Zero, TimeSpan.Zero));
    }

    [Fact]
    public void ImpossibleTimesAreRefusedAsTheFrameworkDoes()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => world.Main.Time.CreateTimer(_ => { }, null, Ms(-2), TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => world.Main.Time.CreateTimer(_ => { }, null, TimeSpan.Zero, TimeSpan.FromDays(50)));
    }

    [Fact]
    public void ManyTimersThatAreSetAnewLeaveNothingBehind()
    {
        using ITimer timer = world.Main.Time.CreateTimer(_ => { }, null, TimeSpan.FromDays(1), Never);
        for (int i = 0; i < 100_000; i++)
        {
            timer.Change(TimeSpan.FromDays(1), Never);
        }
        Assert.Equal(1, world.EventsPending);
        Assert.InRange(world.EventKeysHeld, 1, 1000);
    }

    [Fact]
    public void TheWallClockStartsAtTheEpochAndCanBeStepped()
    {
        SimLoop loop = world.StartProcess("p").StartLoop("loop", new LoopClock(WallOffset: TimeSpan.FromSeconds(3)));
        world.RunUntil(1_000_000_000);
        Assert.Equal(new DateTimeOffset(2000, 1, 1, 0, 0, 4, TimeSpan.Zero), loop.Time.GetUtcNow());
        loop.StepWallClock(TimeSpan.FromHours(-1));
        Assert.Equal(new DateTimeOffset(1999, 12, 31, 23, 0, 4, TimeSpan.Zero), loop.Time.GetUtcNow());
        Assert.Equal(1_000_000_000, loop.NowNanoseconds);
        Assert.Equal(TimeSpan.FromSeconds(1), loop.Time.GetElapsedTime(0));
    }
}
