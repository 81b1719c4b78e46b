using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;

namespace Harness.Tests.Simulation;

public sealed class LockTests
{
    readonly SimScheduler world = new();

    static CostModel LockCosts(CostModel costs) => costs with
    {
        LockSameCpu = TestMachines.Ns(5),
        LockSameNode = TestMachines.Ns(50),
        LockOtherNode = TestMachines.Ns(150),
        HandOverSameNode = TestMachines.Ns(100),
        HandOverOtherNode = TestMachines.Ns(300),
        HandOverPerWaiter = TestMachines.Ns(1),
        WakeSameNode = TestMachines.Ns(700),
        WakeOtherNode = TestMachines.Ns(900),
    };

    [Fact]
    public void AFreeSpinLockCostsWhatItsCacheLineDoes()
    {
        var machine = new Machine(world, TestMachines.Of([2, 1], LockCosts));
        var spin = new SimSpinLock(machine, "s");
        var costs = new List<long>();
        async ValueTask TakeAt(SimThread thread, long time)
        {
            await thread.Compute(time);
            await spin.Acquire(thread);
            costs.Add(world.NowNanoseconds - time);
            spin.Release(thread);
        }
        machine.StartThread("first", thread => TakeAt(thread, 1000), CpuSet.Of(0));
        machine.StartThread("same node", thread => TakeAt(thread, 2000), CpuSet.Of(1));
        machine.StartThread("other node", thread => TakeAt(thread, 3000), CpuSet.Of(2));
        machine.StartThread("same CPU", async thread =>
        {
            await thread.Compute(4000);
            await spin.Acquire(thread);
            spin.Release(thread);
            await thread.Compute(1000 - 150);
            await spin.Acquire(thread);
            costs.Add(world.NowNanoseconds - 5000);
            spin.Release(thread);
        }, CpuSet.Of(0));
        world.RunUntilIdle();

        // The last thread shares CPU 0 with the first, which had done its 1000 ns before: it starts there at 1005.
        Assert.Equal([5, 50, 150], costs.Take(3));
        Assert.Equal(0, spin.Contentions);
        Assert.Equal(5, spin.Acquisitions);
    }

    [Fact]
    public void AContendedSpinLockIsHandedOverInOrderAtACostOfDistanceAndWaiters()
    {
        var machine = new Machine(world, TestMachines.Of([3, 1], LockCosts));
        var spin = new SimSpinLock(machine, "s");
        var owned = new List<(int, long)>();
        for (int i = 0; i < 4; i++)
        {
            int cpu = i;
            machine.StartThread($"t{cpu}", async thread =>
            {
                await thread.Compute(cpu + 1);
                await spin.Acquire(thread);
                owned.Add((cpu, world.NowNanoseconds));
                await thread.Compute(1000);
                spin.Release(thread);
            }, CpuSet.Of(cpu));
        }
        world.RunUntilIdle();
        long second = 1 + 5 + 1000 + 100 + 2, third = second + 1000 + 100 + 1, fourth = third + 1000 + 300;
        Assert.Equal([(0, 6), (1, second), (2, third), (3, fourth)], owned);
        Assert.Equal(3, spin.Contentions);

        // Spinning occupies the CPU: the last one spun from 4 until it was given the lock at the end of the third's critical section.
        Assert.Equal(4 + (third + 1000 - 4) + 300 + 1000, machine.Cpus[3].BusyNanoseconds);
    }

    [Fact]
    public void WhoeverHoldsOrSpinsForASpinLockIsNotPreempted()
    {
        var machine = new Machine(world, TestMachines.Free1Node(1));
        var spin = new SimSpinLock(machine, "s");
        var order = new List<string>();
        machine.StartThread("holder", async thread =>
        {
            await spin.Acquire(thread);
            await thread.Compute(3 * TestMachines.Slice);
            spin.Release(thread);
            order.Add("released");
            await thread.Compute(1);
            order.Add("went on");
        });
        machine.StartThread("other", async thread =>
        {
            order.Add("other");
            await thread.Compute(1);
        });
        world.RunUntilIdle();
        Assert.Equal(["released", "other", "went on"], order);
    }

    [Fact]
    public void ToBlockWithASpinLockHeldIsRefused()
    {
        var machine = new Machine(world, TestMachines.Free1Node(1));
        var spin = new SimSpinLock(machine, "s");
        machine.StartThread("t", async thread =>
        {
            await spin.Acquire(thread);
            await thread.Block("a reply");
        });
        Refused.With<InvalidOperationException>(world.RunUntilIdle, "while it holds a spin lock");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void LocksRefuseWhoTakesThemTwiceAndWhoReleasesAnothers(bool takesTwice)
    {
        var machine = new Machine(world, TestMachines.Free1Node(2));
        var spin = new SimSpinLock(machine, "s");
        machine.StartThread("t", async thread =>
        {
            if (takesTwice)
            {
                await spin.Acquire(thread);
                await spin.Acquire(thread);
            }
            else
            {
                await thread.Compute(1);
                spin.Release(thread);
            }
        });
        Refused.With<InvalidOperationException>(world.RunUntilIdle, "spin lock 's'");
    }

    [Fact]
    public void AThreadThatEndsWithALockHeldIsRefused()
    {
        var machine = new Machine(world, TestMachines.Free1Node(1));
        var spin = new SimSpinLock(machine, "s");
        machine.StartThread("t", thread => spin.Acquire(thread));
        Refused.With<InvalidOperationException>(world.RunUntilIdle, "ended while it holds");
    }

    [Fact]
    public void AMutexWaiterSpinsWhileTheOwnerRunsAndThenSleeps()
    {
        var machine = new Machine(world, TestMachines.Free1Node(2, costs => LockCosts(costs) with { MutexSpin = TestMachines.Ns(2000) }));
        var mutex = new SimMutex(machine, "m");
        var owned = new List<long>();
        machine.StartThread("owner", async thread =>
        {
            await mutex.Acquire(thread);
            await thread.Compute(1000);
            await mutex.Release(thread);
            await thread.Compute(500);
            await mutex.Acquire(thread);
            await thread.Compute(10_000);
            await mutex.Release(thread);
        });
        SimThread waiter = machine.StartThread("waiter", async thread =>
        {
            await thread.Compute(100);
            await mutex.Acquire(thread);
            owned.Add(world.NowNanoseconds);
            await mutex.Release(thread);
            await thread.Compute(1000);
            await mutex.Acquire(thread);
            owned.Add(world.NowNanoseconds);
            await mutex.Release(thread);
        });
        world.RunUntilIdle();

        // First: taken at 5, released at 1005, handed to the spinner by 1105. Then: taken again at 1505 + 50, released at 11555; the
        // waiter asked at 2105, gave up spinning at 4105, and is woken for 700 ns and handed the lock for 100.
        Assert.Equal([1105, 11_555 + 700 + 100], owned);
        Assert.Equal((2L, 1L), (mutex.Contentions, mutex.Sleeps));
        Assert.Equal(1005 - 100 + 2000, waiter.SpinNanoseconds);
    }

    [Fact]
    public void AMutexWhoseOwnerSleepsIsNotSpunFor()
    {
        var machine = new Machine(world, TestMachines.Free1Node(2, costs => LockCosts(costs) with { MutexSpin = TestMachines.Ns(2000) }));
        var mutex = new SimMutex(machine, "m");
        machine.StartThread("owner", async thread =>
        {
            await mutex.Acquire(thread);
            await thread.Sleep(10_000);
            await mutex.Release(thread);
        });
        SimThread waiter = machine.StartThread("waiter", async thread =>
        {
            await thread.Compute(100);
            await mutex.Acquire(thread);
            await mutex.Release(thread);
        });
        world.RunUntilIdle();
        Assert.Equal(0, waiter.SpinNanoseconds);
        Assert.Equal(1, mutex.Sleeps);
    }

    [Fact]
    public void SleepersOfAMutexGetItInTheOrderInWhichTheyCame()
    {
        var machine = new Machine(world, TestMachines.Free1Node(1));
        var mutex = new SimMutex(machine, "m");
        var order = new List<int>();
        machine.StartThread("owner", async thread =>
        {
            await mutex.Acquire(thread);
            await thread.Sleep(1000);
            await mutex.Release(thread);
        });
        for (int i = 0; i < 5; i++)
        {
            int id = i;
            machine.StartThread($"w{id}", async thread =>
            {
                await mutex.Acquire(thread);
                order.Add(id);
                await mutex.Release(thread);
            });
        }
        world.RunUntilIdle();
        Assert.Equal([0, 1, 2, 3, 4], order);
    }

    [Fact]
    public void AWaitQueueWakesInOrderOneAtATimeOrAll()
    {
        var machine = new Machine(world, TestMachines.Free1Node(8));
        var queue = new SimWaitQueue("the next request");
        var woken = new List<int>();
        for (int i = 0; i < 4; i++)
        {
            int id = i;
            machine.StartThread($"reader {id}", async thread =>
            {
                await thread.Compute(id);
                await queue.Wait(thread);
                woken.Add(id);
            });
        }
        machine.StartThread("waker", async thread =>
        {
            await thread.Compute(100);
            await queue.WakeOne(thread);
            await thread.Compute(100);
            Assert.Equal([0], woken);
            Assert.Equal(3, queue.Waiters);
            await queue.WakeAll(thread);
            await queue.WakeOne(thread);
        });
        world.RunUntilIdle();
        Assert.Equal([0, 1, 2, 3], woken);
    }

    [Fact]
    public void AThreadThatWaitsWithADeadlineLeavesTheQueueWhenItHasPassed()
    {
        var machine = new Machine(world, TestMachines.Free1Node(2));
        var queue = new SimWaitQueue("work");
        long ended = 0;
        machine.StartThread("flusher", async thread =>
        {
            await queue.WaitUntil(thread, 700);
            ended = world.NowNanoseconds;
        });
        world.RunUntilIdle();
        Assert.Equal((700L, 0), (ended, queue.Waiters));
    }

    [Fact]
    public void AReaderWriterLockLetsReadersInTogetherAndWritersAloneInTheOrderInWhichTheyCame()
    {
        var machine = new Machine(world, TestMachines.Free1Node(8));
        var rwLock = new SimRwLock(machine, "inode");
        var entered = new List<string>();
        void Start(string name, long at, bool alone) => machine.StartThread(name, async thread =>
        {
            await thread.Compute(at);
            await (alone ? rwLock.AcquireAlone(thread) : rwLock.AcquireShared(thread));
            entered.Add($"{name} {world.NowNanoseconds}");
            await thread.Sleep(1000);
            await (alone ? rwLock.ReleaseAlone(thread) : rwLock.ReleaseShared(thread));
        });
        Start("r1", 1, alone: false);
        Start("r2", 2, alone: false);
        Start("w1", 3, alone: true);
        Start("r3", 4, alone: false);
        Start("r4", 5, alone: false);
        Start("w2", 6, alone: true);
        world.RunUntilIdle();
        Assert.Equal(["r1 1", "r2 2", "w1 1002", "r3 2002", "r4 2002", "w2 3002"], entered);
        Assert.Equal((6L, 4L), (rwLock.Acquisitions, rwLock.Sleeps));
    }

    [Fact]
    public void ReadersOfALockSlowEachOtherDownByItsCacheLine()
    {
        var machine = new Machine(world, TestMachines.Of([2, 1], LockCosts));
        var rwLock = new SimRwLock(machine, "inode");
        var times = new List<long>();
        for (int cpu = 0; cpu < 3; cpu++)
        {
            machine.StartThread($"t{cpu}", async thread =>
            {
                await rwLock.AcquireShared(thread);
                times.Add(world.NowNanoseconds);
                await thread.Compute(10_000);
                await rwLock.ReleaseShared(thread);
            }, CpuSet.Of(cpu));
        }
        world.RunUntilIdle();
        Assert.Equal([5, 5 + 50, 5 + 50 + 150], times);
    }

    [Fact]
    public void AReaderWriterLockRefusesAReleaseThatNobodyOwes()
    {
        var machine = new Machine(world, TestMachines.Free1Node(1));
        var rwLock = new SimRwLock(machine, "inode");
        machine.StartThread("t", thread => rwLock.ReleaseShared(thread));
        Refused.With<InvalidOperationException>(world.RunUntilIdle, "nobody holds shared");
    }

    [Fact]
    public void DataThatCpusShareCostsItsWayFromTheCpuThatTouchedItLast()
    {
        var machine = new Machine(world, TestMachines.Of([2, 1], LockCosts));
        var data = new SimCacheLine(machine, lines: 2);
        var costs = new List<long>();
        void Touch(string name, int cpu, long at) => machine.StartThread(name, async thread =>
        {
            await thread.Compute(at);
            data.Touch(thread);
            await thread.SpendCharged();
            costs.Add(world.NowNanoseconds - at);
        }, CpuSet.Of(cpu));
        Touch("first", 0, 1000);
        Touch("same node", 1, 2000);
        Touch("other node", 2, 3000);
        world.RunUntilIdle();
        Assert.Equal([2 * 5, 2 * 50, 2 * 150], costs);
    }
}
