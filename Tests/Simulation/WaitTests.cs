using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;

namespace Harness.Tests.Simulation;

public sealed class WaitTests
{
    readonly SimScheduler world = new();

    [Fact]
    public void ADeadlockNamesTheWaiterAndWhatItWaitsFor()
    {
        async void Wait()
        {
            using WaitToken token = world.Waits.Enter("client 1", "the lease of chunk 7");
            await new TaskCompletionSource().Task;
        }
        world.Main.Post(_ => Wait(), null);
        var error = Assert.Throws<DeadlockException>(world.RunUntilIdle);
        Assert.Contains("client 1 waits for the lease of chunk 7", error.Message, StringComparison.Ordinal);
        Assert.Equal([new Wait("client 1", "the lease of chunk 7", null, false)], error.Waits);
    }

    [Fact]
    public void AWaitThatHasEndedIsNoDeadlock()
    {
        WaitToken first = world.Waits.Enter("a", "x");
        WaitToken second = world.Waits.Enter("b", "y");
        first.Dispose();
        first.Dispose();
        WaitToken reused = world.Waits.Enter("c", "z");
        first.Dispose();
        Assert.Equal(["c", "b"], world.Waits.Snapshot().Select(wait => wait.Who));
        reused.Dispose();
        second.Dispose();
        world.RunUntilIdle();
    }

    [Fact]
    public void AServiceMayWaitForEver()
    {
        using WaitToken token = world.Waits.Enter("mds", "its next request", isService: true);
        world.RunUntilIdle();
    }

    [Fact]
    public void ARunUntilAConditionThatNothingCanMakeTrueNamesTheConditionAndTheServicesToo()
    {
        using WaitToken token = world.Waits.Enter("mds", "its next request", isService: true);
        var error = Assert.Throws<DeadlockException>(() => world.RunUntil(() => false, "the answer"));
        Assert.Contains("the experimenter waits for the answer", error.Message, StringComparison.Ordinal);
        Assert.Contains("mds waits for its next request (a service", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ADeadlineFindsWhatIsStuckInAWorldThatNeverRunsOutOfEvents()
    {
        using var heartbeat = world.Main.Time.CreateTimer(_ => { }, null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        Refused.With<DeadlockException>(() => world.RunUntil(() => false, "the answer", deadlineNanoseconds: 10_000_000_000), "deadline");
        Assert.Equal(10_000_000_000, world.NowNanoseconds);
    }

    [Fact]
    public void TwoThreadsThatWaitForEachOthersLockAreReportedAsACycle()
    {
        var machine = new Machine(world, TestMachines.Free1Node(2));
        SimMutex left = new(machine, "left"), right = new(machine, "right");
        machine.StartThread("one", thread => TakeBoth(thread, left, right));
        machine.StartThread("two", thread => TakeBoth(thread, right, left));
        var error = Assert.Throws<DeadlockException>(world.RunUntilIdle);
        Assert.Contains("one waits for mutex 'right', held by two", error.Message, StringComparison.Ordinal);
        Assert.Contains("two waits for mutex 'left', held by one", error.Message, StringComparison.Ordinal);
        Assert.Contains("Cycle: one → two → one", error.Message, StringComparison.Ordinal);

        static async ValueTask TakeBoth(SimThread thread, SimMutex first, SimMutex second)
        {
            await first.Acquire(thread);
            await thread.Compute(100);
            await second.Acquire(thread);
            await second.Release(thread);
            await first.Release(thread);
        }
    }

    [Fact]
    public void ABlockedThreadIsReportedUnlessItIsAService()
    {
        var machine = new Machine(world, TestMachines.Free1Node(2));
        machine.StartThread("reader", thread => thread.Block("the next request"), isService: true);
        world.RunUntilIdle();
        machine.StartThread("app", thread => thread.Block("the reply to READ 17"));
        Refused.With<DeadlockException>(world.RunUntilIdle, "app waits for the reply to READ 17");
    }
}
