using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;

namespace Harness.Tests.Simulation;

/// <summary>Nothing is allocated per event, once tables have grown and code is compiled.</summary>
public sealed class AllocationTests
{
    const int WarmUpNanoseconds = 2_000_000;
    const int RunNanoseconds = 10_000_000;

    static void AssertNothingIsAllocated(SimScheduler world, int leastEvents)
    {
        world.RunUntil(WarmUpNanoseconds);
        long events = world.EventsRun, bytes = GC.GetAllocatedBytesForCurrentThread();
        world.RunUntil(WarmUpNanoseconds + RunNanoseconds);
        bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;
        events = world.EventsRun - events;
        Assert.InRange(events, leastEvents, long.MaxValue);
        Assert.True(bytes == 0, $"{bytes} bytes were allocated in {events} events.");
    }

    [Theory]
    [InlineData(TieBreak.Sequence)]
    [InlineData(TieBreak.Seed)]
    public void PostsTimersAndCancelledEventsAllocateNothing(TieBreak ties)
    {
        var world = new SimScheduler(new SimSchedulerOptions { Ties = ties });
        SimProcess process = world.StartProcess("p");
        SimLoop[] loops = [.. Enumerable.Range(0, 10).Select(i => process.StartLoop($"loop {i}"))];
        EventHandle pending = default;
        int next = 0;
        Action<object?> hop = null!;
        hop = state =>
        {
            var loop = (SimLoop)state!;
            loop.Charge(50);
            world.Cancel(pending);
            pending = world.Schedule(world.NowNanoseconds + 1_000_000, EventKind.None, 0, _ => { }, null);
            SimLoop other = loops[next++ % loops.Length];
            if (next % 2 == 0)
            {
                other.Post(hop, other);
            }
            else
            {
                other.PostAt(other.NowNanoseconds + 120, hop, other);
            }
        };
        loops[0].Post(hop, loops[0]);
        loops[1].Post(hop, loops[1]);
        AssertNothingIsAllocated(world, leastEvents: 100_000);
    }

    [Fact]
    public void ATimersTicksAndChangesAllocateNothing()
    {
        var world = new SimScheduler();
        ITimer? timer = null;
        timer = world.Main.Time.CreateTimer(_ => timer!.Change(TimeSpan.FromMicroseconds(1), TimeSpan.FromMicroseconds(3)), null,
            TimeSpan.FromMicroseconds(1), Timeout.InfiniteTimeSpan);
        AssertNothingIsAllocated(world, leastEvents: 10_000);
        timer.Dispose();
    }

    [Fact]
    public void EveryOperationOfASimulatedThreadAllocatesNothing()
    {
        var world = new SimScheduler();
        var machine = new Machine(world, TestMachines.Of([4, 4], costs => costs with
        {
            ContextSwitch = TestMachines.Ns(50),
            MutexSpin = TestMachines.Ns(100),
        }));
        var spin = new SimSpinLock(machine, "spin");
        var mutex = new SimMutex(machine, "mutex");
        var rwLock = new SimRwLock(machine, "rw");
        var queue = new SimWaitQueue("work");
        SimLoop loop = world.StartProcess("daemon").StartLoop("daemon");
        machine.StartLoop(loop);
        Action<object?> handle = _ => loop.Charge(20);
        for (int i = 0; i < 12; i++)
        {
            machine.StartThread($"t{i}", async thread =>
            {
                while (true)
                {
                    await thread.Compute(100);
                    await spin.Acquire(thread);
                    await thread.Compute(10);
                    spin.Release(thread);
                    await mutex.Acquire(thread);
                    await thread.Copy(4096, 0, 1);
                    await mutex.Release(thread);
                    await rwLock.AcquireShared(thread);
                    await rwLock.ReleaseShared(thread);
                    await rwLock.AcquireAlone(thread);
                    await thread.Sleep(20);
                    await rwLock.ReleaseAlone(thread);
                    await queue.WakeOne(thread);
                    await queue.WakeAll(thread);
                    loop.Post(handle, null);
                    await queue.WaitUntil(thread, world.NowNanoseconds + 2000);
                    await thread.Sleep(300);
                    await thread.Yield();
                }
            });
        }
        AssertNothingIsAllocated(world, leastEvents: 100_000);
    }

    [Fact]
    public void EnteringAndLeavingAWaitAllocatesNothing()
    {
        var waits = new WaitRegistry();
        object who = "who", what = "what";
        waits.Enter(who, what).Dispose();
        long bytes = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            using WaitToken token = waits.Enter(who, what);
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - bytes);
    }
}
