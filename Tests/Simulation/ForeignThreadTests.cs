using Harness.Simulation.Scheduling;

namespace Harness.Tests.Simulation;

public sealed class ForeignThreadTests
{
    readonly SimScheduler world = new();

    /// <summary>Runs an action on another thread, waits for it, and returns what it threw.</summary>
    static Exception? OnAnotherThread(Action action)
    {
        Exception? thrown = null;
        var thread = new Thread(() => thrown = Record.Exception(action));
        thread.Start();
        thread.Join();
        return thrown;
    }

    [Fact]
    public void APostFromAForeignThreadIsRefusedThereAndEndsTheRun()
    {
        SimLoop loop = world.StartProcess("p").StartLoop("loop");
        Exception? thrown = OnAnotherThread(() => loop.Post(_ => { }, null));
        var refused = Assert.IsType<ForeignThreadException>(thrown);
        Assert.Contains("Task.Run", refused.Message, StringComparison.Ordinal);
        Assert.Same(refused, Assert.Throws<ForeignThreadException>(world.RunUntilIdle));
    }

    [Fact]
    public void EveryWayInIsGuarded()
    {
        SimProcess process = world.StartProcess("p");
        SimLoop loop = process.StartLoop("loop");
        using ITimer timer = loop.Time.CreateTimer(_ => { }, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Action[] ways =
        [
            () => loop.Post(_ => { }, null),
            () => loop.PostAt(1, _ => { }, null),
            () => world.Schedule(1, EventKind.None, 0, _ => { }, null),
            () => world.Cancel(default),
            () => timer.Change(TimeSpan.Zero, TimeSpan.Zero),
            () => process.Crash(),
            () => process.StartLoop("late"),
            world.RunUntilIdle,
        ];
        Assert.All(ways, way => Assert.IsType<ForeignThreadException>(OnAnotherThread(way)));
    }

    [Fact]
    public void AContinuationThatComesFromTheThreadPoolEndsTheRun()
    {
        var source = new TaskCompletionSource();
        async Task LeaveTheLoop()
        {
            // The task is completed by another thread, which then posts the continuation here.
            Task foreign = source.Task;
            OnAnotherThread(source.SetResult);
            await foreign;
        }
        async Task AwaitLater()
        {
            var late = new TaskCompletionSource();
            Task waiting = Wait(late.Task);
            OnAnotherThread(late.SetResult);
            await waiting;
            static async Task Wait(Task task) => await task;
        }
        world.Run(LeaveTheLoop);
        Assert.Throws<ForeignThreadException>(() => world.Run(AwaitLater));
    }

    [Fact]
    public void SendFromElsewhereIsRefusedBecauseItWouldBlock()
    {
        SynchronizationContext? context = null;
        world.Main.Post(_ => context = SynchronizationContext.Current, null);
        world.RunUntilIdle();
        Assert.Throws<InvalidOperationException>(() => context!.Send(_ => { }, null));
    }

    [Fact]
    public void TheContextOfWhoeverRunsTheWorldIsLeftAlone()
    {
        SynchronizationContext? before = SynchronizationContext.Current;
        world.Main.Post(_ => { }, null);
        world.RunUntilIdle();
        Assert.Same(before, SynchronizationContext.Current);
    }
}
