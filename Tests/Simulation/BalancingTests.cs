using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;

namespace Harness.Tests.Simulation;

/// <summary>What an idle CPU takes from a crowded one at the ticks of the load balancer, where wake-ups leave threads together.</summary>
public sealed class BalancingTests
{
    private const long Tick = 4_000_000;
    private const long Work = 50_000;
    private const int CallsKept = 2;

    // The ticks at which hot threads are left alone, and after them those at which nobody that waits may come.
    private const int TicksUntilWaiting = 3;
    private const int TicksUntilRunning = 5;

    private readonly SimScheduler _world = new();

    [Fact]
    public void AnIdleCpuTakesAHotThreadAtTheThirdTickAtWhichOneWaits()
    {
        long movedAt = MovedAt(pinsOne: false, inKernel: false);
        Assert.InRange(movedAt, TicksUntilWaiting * Tick, (TicksUntilWaiting * Tick) + (CallsKept * Work));
    }

    [Fact]
    public void WhereWhoWaitsMayNotComeItTakesTheRunningThreadAtTheFifthTick()
    {
        long movedAt = MovedAt(pinsOne: true, inKernel: false);
        Assert.InRange(movedAt, TicksUntilRunning * Tick, (TicksUntilRunning * Tick) + (CallsKept * Work));
    }

    [Fact]
    public void ARunningThreadIsNotTakenOutOfTheKernel() => Assert.Equal(-1, MovedAt(pinsOne: true, inKernel: true));

    [Fact]
    public void ThreadsThatShareACpuByTurnsStayWhereNoCpuIsIdle()
    {
        Machine machine = Packing();
        machine.StartThread("busy", thread => thread.Compute(30 * Tick), CpuSet.Of(1));
        Assert.Equal(-1, MovedAt(machine, pinsOne: false, inKernel: false));
    }

    private Machine Packing() => new(_world, TestMachines.Free1Node(2) with { Wakes = WakePlacement.Packed });

    private long MovedAt(bool pinsOne, bool inKernel) => MovedAt(Packing(), pinsOne, inKernel);

    /// <summary>
    /// When one of two threads that take turns on CPU 0 first runs on CPU 1; −1 if within 20 ticks it does not. One that is pinned nearly always
    /// waits.
    /// </summary>
    private long MovedAt(Machine machine, bool pinsOne, bool inKernel)
    {
        long movedAt = -1;
        for (int i = 0; i < 2; i++)
        {
            bool isPinned = pinsOne && i == 0;
            machine.StartThread($"thread {i}", async thread =>
            {
                await thread.SetAffinity(CpuSet.Of(0));
                if (!isPinned)
                {
                    await thread.SetAffinity(machine.AllCpus);
                }

                if (inKernel)
                {
                    thread.EnterKernel();
                }

                while (movedAt < 0 && _world.NowNanoseconds < 20 * Tick)
                {
                    await thread.Compute(isPinned ? 1 : Work);
                    await thread.Yield();
                    movedAt = movedAt < 0 && thread.Cpu.Id == 1 ? _world.NowNanoseconds : movedAt;
                }
            }, CpuSet.Of(0));
        }

        _world.RunUntilIdle();
        return movedAt;
    }
}
