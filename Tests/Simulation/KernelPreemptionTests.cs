using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;

namespace Harness.Tests.Simulation;

/// <summary>When a thread that has woken up gets a CPU whose thread is in the kernel, and what it costs to come back to a CPU.</summary>
public sealed class KernelPreemptionTests
{
    private const long WakeAt = 1_000;
    private readonly SimScheduler _world = new();

    [Theory]
    [InlineData(false, WakeAt)]
    [InlineData(true, 10_000)]
    public void AThreadInTheKernelKeepsItsCpuUntilItLeaves(bool inKernel, long expected)
    {
        Machine machine = Eager();
        long ranAt = -1;
        SimThread sleeper = machine.StartThread("sleeper", async thread =>
        {
            await thread.Sleep(WakeAt);
            ranAt = _world.NowNanoseconds;
        });
        machine.StartThread("caller", async thread =>
        {
            if (inKernel)
            {
                thread.EnterKernel();
            }

            await thread.Compute(10_000);
            if (inKernel)
            {
                await thread.LeaveKernel();
            }

            await thread.Compute(10_000);
        });
        // It is owed time, so that it may overtake.
        _world.Schedule(1, EventKind.None, 0, _ => sleeper.Share.Lag = WakeAt, null);
        _world.RunUntilIdle();
        Assert.Equal(expected, ranAt);
    }

    [Theory]
    [InlineData(100, false, 1)]
    [InlineData(TestMachines.Switch, false, 1)]
    [InlineData(TestMachines.Switch + 1, false, 2)]
    [InlineData(100, true, 2)]
    public void LittleThatWasChargedInTheKernelIsSpentAfterItWhereNobodyWaits(long charged, bool othersWait, int events)
    {
        var machine = new Machine(_world, TestMachines.Free1Node(1, costs => costs with { ContextSwitch = TestMachines.Ns(TestMachines.Switch) }));
        (long ended, long took) = (-1, -1);
        machine.StartThread("caller", async thread =>
        {
            await thread.Yield();
            (long start, long ran) = (_world.NowNanoseconds, _world.EventsRun);
            thread.EnterKernel();
            thread.Charge(charged);
            await thread.LeaveKernelCharged();
            Assert.False(thread.IsInKernel);
            await thread.Compute(500);
            (ended, took) = (_world.NowNanoseconds - start, _world.EventsRun - ran);
        });
        if (othersWait)
        {
            machine.StartThread("other", async thread =>
            {
                await thread.Yield();
                await thread.Compute(1);
            });
        }

        _world.RunUntilIdle();
        Assert.Equal((charged + 500, events), (ended, took));
    }

    [Fact]
    public void LeavingTheKernelTakesNoTimeWhereNobodyWaits()
    {
        Machine machine = Eager();
        long left = -1;
        machine.StartThread("caller", async thread =>
        {
            thread.EnterKernel();
            Assert.True(thread.IsInKernel);
            await thread.Compute(500);
            await thread.LeaveKernel();
            Assert.False(thread.IsInKernel);
            left = _world.NowNanoseconds;
        });
        _world.RunUntilIdle();
        Assert.Equal(500, left);
    }

    [Theory]
    [InlineData(1_500, 70)]
    [InlineData(9_000, 0)]
    public void AThreadIsColdOnlyAfterAnotherHasRunOnItsCpu(long otherSleeps, long expected)
    {
        var machine = new Machine(_world, TestMachines.Free1Node(1));
        var ranAt = new List<long>();
        SimThread cold = machine.StartThread("cold", async thread =>
        {
            ranAt.Add(_world.NowNanoseconds);
            await thread.Sleep(1_000);
            ranAt.Add(_world.NowNanoseconds);
            await thread.Sleep(1_000);
            ranAt.Add(_world.NowNanoseconds);
        });
        cold.ColdNanoseconds = 70;
        machine.StartThread("other", async thread =>
        {
            await thread.Sleep(otherSleeps);
            await thread.Compute(1);
        });
        _world.RunUntilIdle();
        Assert.Equal(ranAt[1] + 1_000 + expected, ranAt[2]);
    }

    private Machine Eager() =>
        new(_world, TestMachines.Free1Node(1, costs => costs with { WakePreemptsAfter = TestMachines.Ns(0) }));
}
