using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;

namespace Harness.Tests.Simulation;

/// <summary>Whose cache a line is in decides what it costs.</summary>
public sealed class CacheLineTests
{
    private readonly SimScheduler _world = new();

    private static CostModel Costs(CostModel costs) => costs with
    {
        LockSameCpu = TestMachines.Ns(5),
        LockSameNode = TestMachines.Ns(50),
        LockOtherNode = TestMachines.Ns(150),
        HandOverSameNode = TestMachines.Ns(100),
        HandOverOtherNode = TestMachines.Ns(300),
    };

    [Theory]
    [InlineData(false, 5)]
    [InlineData(true, 150)]
    public void WhoeverPollsALockTakesItsLineAwayFromTheHolder(bool isPolled, long expected)
    {
        var machine = new Machine(_world, TestMachines.Of([1, 1], Costs));
        var spin = new SimSpinLock(machine, "s");
        long cost = 0;
        machine.StartThread("holder", async thread =>
        {
            await spin.Acquire(thread);
            await thread.Compute(1000);
            long start = _world.NowNanoseconds;
            spin.TouchBeside(thread);
            await thread.SpendCharged();
            cost = _world.NowNanoseconds - start;
            spin.Release(thread);
        }, CpuSet.Of(0));
        machine.StartThread("poller", async thread =>
        {
            await thread.Compute(isPolled ? 500 : 5000);
            await spin.Acquire(thread);
            spin.Release(thread);
        }, CpuSet.Of(1));
        _world.RunUntilIdle();
        Assert.Equal(expected, cost);
    }

    [Fact]
    public void OnlyTheHolderTouchesWhatLiesBesideALock()
    {
        var machine = new Machine(_world, TestMachines.Of([1], Costs));
        var spin = new SimSpinLock(machine, "s");
        machine.StartThread("stranger", thread =>
        {
            spin.TouchBeside(thread);
            return default;
        });
        Refused.With<InvalidOperationException>(() => _world.RunUntilIdle(), "does not hold");
    }

    [Fact]
    public void ALockWithinAnotherCostsTheSameAndOthersWaitForItAsLong()
    {
        long[] Times(bool within)
        {
            var world = new SimScheduler();
            var machine = new Machine(world, TestMachines.Of([2], Costs));
            var outer = new SimSpinLock(machine, "outer");
            var inner = new SimSpinLock(machine, "inner");
            var times = new long[2];
            machine.StartThread("first", async thread =>
            {
                await outer.Acquire(thread);
                await (within ? inner.AcquireWithin(thread) : inner.Acquire(thread));
                await thread.Compute(1000);
                inner.Release(thread);
                outer.Release(thread);
                times[0] = world.NowNanoseconds;
            }, CpuSet.Of(0));
            machine.StartThread("second", async thread =>
            {
                await thread.Compute(500);
                await inner.Acquire(thread);
                times[1] = world.NowNanoseconds;
                inner.Release(thread);
            }, CpuSet.Of(1));
            world.RunUntilIdle();
            return times;
        }

        Assert.Equal(Times(within: false), Times(within: true));
        Assert.Equal([1010, 1110], Times(within: true));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ALockWhoseCostIsChargedCostsTheSameAndOthersWaitForItAsLong(bool spendsWithin)
    {
        (long[] Times, long Contentions, long Events) Run(bool isCharged)
        {
            var world = new SimScheduler();
            var machine = new Machine(world, TestMachines.Of([2], Costs));
            var spin = new SimSpinLock(machine, "s");
            var times = new long[2];
            machine.StartThread("first", async thread =>
            {
                await (isCharged ? spin.AcquireCharged(thread) : spin.Acquire(thread));
                thread.Charge(1000);
                if (spendsWithin)
                {
                    await thread.SpendCharged();
                }

                spin.Release(thread);
                await thread.SpendCharged();
                times[0] = world.NowNanoseconds;
            }, CpuSet.Of(0));
            machine.StartThread("second", async thread =>
            {
                await thread.Compute(500);
                await (isCharged ? spin.AcquireCharged(thread) : spin.Acquire(thread));
                times[1] = world.NowNanoseconds;
                spin.Release(thread);
            }, CpuSet.Of(1));
            world.RunUntilIdle();
            return (times, spin.Contentions, world.EventsRun);
        }

        (long[] times, long contentions, long events) = Run(isCharged: true);
        Assert.Equal([1005, 1105], times);
        Assert.Equal(1, contentions);
        Assert.Equal(Run(isCharged: false).Times, times);
        Assert.Equal(Run(isCharged: false).Events - 1, events);
    }

    [Fact]
    public void BeforeALockWhoseCostIsChargedIsTakenWhatWasChargedIsSpent()
    {
        var machine = new Machine(_world, TestMachines.Of([2], Costs));
        var spin = new SimSpinLock(machine, "s");
        var order = new List<string>();
        machine.StartThread("late", async thread =>
        {
            thread.Charge(1000);
            await spin.AcquireCharged(thread);
            order.Add("late");
            spin.Release(thread);
        }, CpuSet.Of(0));
        machine.StartThread("early", async thread =>
        {
            await thread.Compute(500);
            await spin.AcquireCharged(thread);
            order.Add("early");
            spin.Release(thread);
        }, CpuSet.Of(1));
        _world.RunUntilIdle();
        Assert.Equal(["early", "late"], order);
        Assert.Equal(0, spin.Contentions);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AThreadThatHasJoinedAQueueIsWokenEvenBeforeItBlocks(bool leaves)
    {
        var machine = new Machine(_world, TestMachines.Of([2], Costs));
        var queue = new SimWaitQueue("q");
        bool done = false;
        machine.StartThread("waiter", async thread =>
        {
            queue.Join(thread);
            await thread.Compute(1000);
            if (leaves)
            {
                queue.Leave(thread);
            }

            await thread.Block(queue);
            done = true;
        }, CpuSet.Of(0));
        machine.StartThread("waker", async thread =>
        {
            await thread.Compute(500);
            Assert.Same(queue.First, queue.Last);
            await queue.WakeOne(thread);
            Assert.Equal(0, queue.Waiters);
        }, CpuSet.Of(1));
        _world.RunUntilIdle();
        Assert.True(done);
    }

    [Fact]
    public void AThreadThatLeavesAQueueIsNotWokenInAnothersPlace()
    {
        var machine = new Machine(_world, TestMachines.Of([3], Costs));
        var queue = new SimWaitQueue("q");
        bool woken = false;
        machine.StartThread("leaves", async thread =>
        {
            queue.Join(thread);
            await thread.Compute(100);
            queue.Leave(thread);
        }, CpuSet.Of(0));
        machine.StartThread("waits", async thread =>
        {
            await thread.Compute(50);
            await queue.Wait(thread);
            woken = true;
        }, CpuSet.Of(1));
        machine.StartThread("wakes", async thread =>
        {
            await thread.Compute(200);
            await queue.WakeOne(thread);
        }, CpuSet.Of(2));
        _world.RunUntilIdle();
        Assert.True(woken);
    }
}
