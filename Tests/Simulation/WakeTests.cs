using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;

namespace Harness.Tests.Simulation;

/// <summary>What it costs to wake a thread, by where it wakes up: the waker's part and the latency, to the nanosecond.</summary>
public sealed class WakeTests
{
    static CostModel Costs(CostModel costs) => costs with
    {
        WakeSameCpu = TestMachines.Ns(1),
        WakeSameNode = TestMachines.Ns(10),
        WakeOtherNode = TestMachines.Ns(20),
        InterruptSend = TestMachines.Ns(100),
        InterruptSameNode = TestMachines.Ns(200),
        InterruptOtherNode = TestMachines.Ns(400),
        IdleExitShallow = TestMachines.Ns(1000),
        IdleExitDeep = TestMachines.Ns(3000),
        IdleDeepAfter = TestMachines.Ns(5000),
    };

    /// <summary>
    /// A thread on one CPU wakes one on another at a given time; returns what the waker paid, and how long after that the other one ran.
    /// </summary>
    static (long Waker, long Latency) Wake(int targetCpu, long wakeAt, bool targetCpuIsBusy = false)
    {
        var world = new SimScheduler();
        var machine = new Machine(world, TestMachines.Of([2, 2], Costs));
        long before = 0, after = 0, ran = 0;
        SimThread target = machine.StartThread("target", async thread =>
        {
            await thread.Block("the wake");
            ran = world.NowNanoseconds;
        }, CpuSet.Of(targetCpu));
        if (targetCpuIsBusy)
        {
            machine.StartThread("busy", thread => thread.Compute(wakeAt + 50_000), CpuSet.Of(targetCpu));
        }

        // Everything starts 3200 ns late, out of deep idleness; the target blocks at once.
        machine.StartThread("waker", async thread =>
        {
            await thread.Compute(wakeAt);
            before = world.NowNanoseconds;
            await thread.Wake(target);
            after = world.NowNanoseconds;
            await thread.Compute(500_000);
        }, CpuSet.Of(0));
        world.RunUntilIdle();
        return (after - before, ran - after);
    }

    [Theory]
    [InlineData(true, 30)]
    [InlineData(false, 0)]
    public void WhoWasWokenPaysForHavingSleptAndItsWakerDoesNot(bool sleeps, long expected)
    {
        const long wakeAt = 5_000;
        var world = new SimScheduler();
        var machine = new Machine(world, TestMachines.Free1Node(2, costs => costs with { Block = TestMachines.Ns(30) }));
        long paid = -1, wentOnAt = -1;
        SimThread sleeper = machine.StartThread("sleeper", async thread =>
        {
            // Who is woken while it still runs does not sleep at all.
            await thread.Compute(sleeps ? 0 : 2 * wakeAt);
            await thread.Block("the wake");
            wentOnAt = world.NowNanoseconds;
        }, CpuSet.Of(1));
        machine.StartThread("waker", async thread =>
        {
            await thread.Compute(wakeAt);
            await thread.Wake(sleeper);
            paid = world.NowNanoseconds - wakeAt;
        }, CpuSet.Of(0));
        world.RunUntilIdle();
        long ready = sleeps ? wakeAt : 2 * wakeAt;
        Assert.Equal((0, ready + expected), (paid, wentOnAt));
        Assert.Equal((sleeps ? 0 : ready) + expected, sleeper.WorkNanoseconds);
    }

    [Fact]
    public void OnAnotherCpuOfTheNodeThatPollsTheWakerPaysNoInterrupt() => Assert.Equal((10, 1000), Wake(targetCpu: 1, wakeAt: 2000));

    [Fact]
    public void OnAnotherCpuOfTheNodeThatSleepsDeeplyItTakesAnInterrupt() => Assert.Equal((110, 3200), Wake(targetCpu: 1, wakeAt: 8000));

    [Fact]
    public void OnAnotherNodeAllOfItCostsMore()
    {
        Assert.Equal((20, 1000), Wake(targetCpu: 2, wakeAt: 2000));
        Assert.Equal((120, 3400), Wake(targetCpu: 2, wakeAt: 8000));
    }

    [Fact]
    public void OnABusyCpuTheThreadWaitsItsTurn() =>
        Assert.Equal((10, 50_000 - 10), Wake(targetCpu: 1, wakeAt: 8000, targetCpuIsBusy: true));

    [Fact]
    public void OnTheWakersOwnCpuTheThreadWaitsUntilTheWakerStops() => Assert.Equal((1, 500_000), Wake(targetCpu: 0, wakeAt: 8000));

    [Fact]
    public void BetweenTheNearestAndTheFarthestNodeCostsAreInterpolated()
    {
        var world = new SimScheduler();
        MachineDescription three = TestMachines.Of([1, 1, 1], Costs) with { Distances = [[10, 15, 20], [15, 10, 20], [20, 20, 10]] };
        var distances = new DistanceCosts(three);
        Assert.Equal((10L, 15L, 20L), (distances.Wake(0, 0), distances.Wake(0, 1), distances.Wake(0, 2)));
        Assert.Equal(300, distances.Interrupt(1, 0));

        // A byte takes an eighth of a nanosecond locally and a quarter at the far end, so three sixteenths half-way.
        Assert.Equal(5_333_333_333, distances.CopyBytesPerSecond(0, 1));
        Assert.Equal(8_000_000_000, distances.CopyBytesPerSecond(2, 2));
        Assert.NotNull(new Machine(world, three));
    }

    [Fact]
    public void AnInterruptWakesAThreadAtNobodysExpense()
    {
        var world = new SimScheduler();
        var machine = new Machine(world, TestMachines.Free1Node(1, Costs));
        long ran = 0;
        SimThread thread = machine.StartThread("t", async thread =>
        {
            await thread.Block("the device");
            ran = world.NowNanoseconds;
        });
        world.Schedule(100_000, EventKind.None, 0, _ => machine.Interrupt(thread), null);
        world.RunUntilIdle();
        Assert.Equal(103_200, ran);
        Assert.Equal(0, machine.Cpus[0].BusyNanoseconds);
    }

    [Fact]
    public void AWokenThreadPrefersItsLastCpuThenTheNearestIdleOne()
    {
        var world = new SimScheduler();
        var machine = new Machine(world, TestMachines.Of([2, 2]));
        var ranOn = new List<int>();
        SimThread thread = machine.StartThread("t", async thread =>
        {
            for (int i = 0; i < 3; i++)
            {
                await thread.Block("a wake");
                ranOn.Add(thread.Cpu.Id);
            }
        });
        world.RunUntilIdleOrBlocked();
        machine.Interrupt(thread);
        world.RunUntilIdleOrBlocked();
        machine.StartThread("hog 0", hog => hog.Compute(1000), CpuSet.Of(0));
        world.RunUntil(world.NowNanoseconds);
        machine.Interrupt(thread);
        world.RunUntil(world.NowNanoseconds);
        machine.StartThread("hog 1", hog => hog.Compute(1000), CpuSet.Of(1));
        world.RunUntil(world.NowNanoseconds);
        machine.Interrupt(thread);
        world.RunUntilIdle();
        Assert.Equal([0, 1, 2], ranOn);
    }
}

static class SchedulerExtensions
{
    /// <summary>Runs until nothing happens any more, threads that wait for the test's next step included.</summary>
    public static void RunUntilIdleOrBlocked(this SimScheduler world)
    {
        while (world.EventsPending > 0)
        {
            world.RunUntil(world.NowNanoseconds + 1);
        }
    }
}
