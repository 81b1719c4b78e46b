using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;

namespace Harness.Tests.Simulation;

public sealed class MachineTests
{
    readonly SimScheduler world = new();

    static CostModel WithSwitches(CostModel costs) => costs with { ContextSwitch = TestMachines.Ns(TestMachines.Switch) };

    [Fact]
    public void ComputingTakesItsTimeAndOccupiesTheCpu()
    {
        var machine = new Machine(world, TestMachines.Free1Node(1));
        long doneAt = 0;
        SimThread thread = machine.StartThread("t", async thread =>
        {
            await thread.Compute(300);
            await thread.Compute(TestMachines.Ns(200));
            doneAt = world.NowNanoseconds;
        });
        world.RunUntilIdle();
        Assert.Equal(500, doneAt);
        Assert.Equal(500, machine.Cpus[0].BusyNanoseconds);
        Assert.Equal(500, thread.WorkNanoseconds);
        Assert.True(thread.IsDone && machine.Cpus[0].IsIdle);
        Assert.Empty(machine.Threads);
    }

    [Fact]
    public void WhatIsChargedIsSpentByTheNextOperationOrTheEnd()
    {
        var machine = new Machine(world, TestMachines.Free1Node(1));
        long afterCompute = 0;
        machine.StartThread("t", async thread =>
        {
            thread.Charge(30);
            thread.Charge(20);
            await thread.Compute(50);
            afterCompute = world.NowNanoseconds;
            thread.Charge(7);
        });
        world.RunUntilIdle();
        Assert.Equal((100L, 107L, 107L), (afterCompute, world.NowNanoseconds, machine.Cpus[0].BusyNanoseconds));
    }

    [Fact]
    public void ThreadsOfOneCpuTakeTurnsByTimeSliceAndPayForSwitches()
    {
        var machine = new Machine(world, TestMachines.Free1Node(1, WithSwitches));
        var done = new List<(string, long)>();
        async ValueTask Work(SimThread thread)
        {
            await thread.Compute(2 * TestMachines.Slice);
            done.Add((thread.Name, world.NowNanoseconds));
        }
        machine.StartThread("a", Work);
        machine.StartThread("b", Work);
        world.RunUntilIdle();

        // a runs a slice, b a slice, a its second, b its second: four switches, each before the slice that it leads to.
        const long turn = TestMachines.Slice + TestMachines.Switch;
        Assert.Equal([("a", 3 * turn), ("b", 4 * turn)], done);
        Assert.Equal((4, 4 * TestMachines.Switch), (machine.Cpus[0].Switches, machine.Cpus[0].SwitchNanoseconds));
    }

    [Fact]
    public void AThreadThatRunsAloneIsNotInterruptedAndPaysOneSwitch()
    {
        var machine = new Machine(world, TestMachines.Free1Node(1, WithSwitches));
        machine.StartThread("a", async thread =>
        {
            await thread.Compute(100 * TestMachines.Slice);
            await thread.Sleep(50);
        });
        world.RunUntilIdle();
        Assert.Equal((100 * TestMachines.Slice) + TestMachines.Switch + 50, world.NowNanoseconds);
        Assert.Equal(1, machine.Cpus[0].Switches);
    }

    [Fact]
    public void AThreadThatWakesUpTakesTheCpuFromOneThatHasRunLongEnough()
    {
        var machine = new Machine(world, TestMachines.Free1Node(1, costs => costs with { WakePreemptsAfter = TestMachines.Ns(1000) }));
        var woken = new List<long>();
        SimThread sleeper = machine.StartThread("sleeper", async thread =>
        {
            await thread.Sleep(400);
            woken.Add(world.NowNanoseconds);
            await thread.Sleep(5000);
            woken.Add(world.NowNanoseconds);
        });
        machine.StartThread("hog", thread => thread.Compute(100_000));
        foreach (long at in (long[])[1, 1500])
        {
            // It is owed time, so that it may overtake.
            world.Schedule(at, EventKind.None, 0, _ => sleeper.Share.Lag = 10_000, null);
        }
        world.RunUntilIdle();

        // The first time the hog has run for 400 ns and is safe for 600 more; the second time it was just switched in again, at 1000, and
        // has run for 5000 ns at 6000.
        Assert.Equal([1000, 6000], woken);
    }

    [Fact]
    public void YieldLetsTheOthersRunFirst()
    {
        var machine = new Machine(world, TestMachines.Free1Node(1));
        var order = new List<string>();
        foreach (string name in (string[])["a", "b"])
        {
            machine.StartThread(name, async thread =>
            {
                order.Add(name + 1);
                await thread.Yield();
                order.Add(name + 2);
                await thread.Yield();
                order.Add(name + 3);
            });
        }
        world.RunUntilIdle();
        Assert.Equal(["a1", "b1", "a2", "b2", "a3", "b3"], order);
    }

    [Fact]
    public void AWakeThatComesBeforeTheBlockIsNotLost()
    {
        var machine = new Machine(world, TestMachines.Free1Node(2));
        bool passed = false;
        SimThread late = machine.StartThread("late", async thread =>
        {
            await thread.Compute(100);
            await thread.Block("the early wake");
            passed = true;
        });
        machine.StartThread("early", thread => thread.Wake(late));
        world.RunUntilIdle();
        Assert.True(passed);
    }

    [Fact]
    public void ABlockWithADeadlineEndsAtTheDeadlineOrAtTheWakeWhicheverIsFirst()
    {
        var machine = new Machine(world, TestMachines.Free1Node(2));
        var ended = new List<long>();
        SimThread waiter = machine.StartThread("waiter", async thread =>
        {
            await thread.BlockUntil("a wake", 500);
            ended.Add(world.NowNanoseconds);
            await thread.BlockUntil("a wake", 10_000);
            ended.Add(world.NowNanoseconds);
            await thread.Sleep(20_000);
            ended.Add(world.NowNanoseconds);
        });
        machine.StartThread("waker", async thread =>
        {
            await thread.Compute(2000);
            await thread.Wake(waiter);
        });
        world.RunUntilIdle();
        Assert.Equal([500, 2000, 22_000], ended);
    }

    [Fact]
    public void NobodyCanWakeASleep()
    {
        var machine = new Machine(world, TestMachines.Free1Node(2));
        long woke = 0;
        SimThread sleeper = machine.StartThread("sleeper", async thread =>
        {
            await thread.Sleep(1000);
            woke = world.NowNanoseconds;
        });
        machine.StartThread("waker", async thread =>
        {
            await thread.Compute(10);
            await thread.Wake(sleeper);
        });
        world.RunUntilIdle();
        Assert.Equal(1000, woke);
    }

    [Fact]
    public void APinnedThreadWaitsForItsCpuEvenIfOthersAreIdle()
    {
        var machine = new Machine(world, TestMachines.Free1Node(4));
        var cpus = new List<int>();
        for (int i = 0; i < 3; i++)
        {
            machine.StartThread($"t{i}", async thread =>
            {
                await thread.Compute(100);
                cpus.Add(thread.Cpu.Id);
            }, CpuSet.Of(2));
        }
        world.RunUntilIdle();
        Assert.Equal([2, 2, 2], cpus);
        Assert.Equal(300, world.NowNanoseconds);
    }

    [Fact]
    public void ChangingTheAffinityMovesTheThread()
    {
        var machine = new Machine(world, TestMachines.Of([2, 2]));
        var cpus = new List<int>();
        machine.StartThread("t", async thread =>
        {
            await thread.SetAffinity(CpuSet.Of(3));
            cpus.Add(thread.Cpu.Id);
            await thread.Compute(10);
            await thread.SetAffinity(CpuSet.Of(0, 3));
            cpus.Add(thread.Cpu.Id);
        });
        world.RunUntilIdle();
        Assert.Equal([3, 3], cpus);
    }

    [Fact]
    public void AnAffinityWithoutACpuOfTheMachineIsRefused()
    {
        var machine = new Machine(world, TestMachines.Free1Node(2));
        Refused.With<ArgumentException>(() => machine.StartThread("t", thread => thread.Compute(1), CpuSet.Of(7)), "CPUs 0 to 1");
    }

    [Fact]
    public void AThreadThatAwaitsSomethingForeignIsRefused()
    {
        var machine = new Machine(world, TestMachines.Free1Node(1));
        var never = new TaskCompletionSource();
        machine.StartThread("t", async _ => await never.Task);
        Refused.With<InvalidOperationException>(world.RunUntilIdle, "not an operation of its own");
    }

    [Fact]
    public void OnlyTheThreadsOwnCodeMayAskForItsOperations()
    {
        var machine = new Machine(world, TestMachines.Free1Node(2));
        SimThread victim = machine.StartThread("victim", thread => thread.Compute(1000));
        machine.StartThread("meddler", thread => victim.Compute(5));
        Refused.With<InvalidOperationException>(world.RunUntilIdle, "does not run on it");
    }

    [Fact]
    public void AnExceptionInAThreadEndsTheRun()
    {
        var machine = new Machine(world, TestMachines.Free1Node(1));
        machine.StartThread("t", async thread =>
        {
            await thread.Compute(10);
            throw new ArithmeticException("broken");
        });
        Assert.Throws<ArithmeticException>(world.RunUntilIdle);
    }

    [Fact]
    public void AKilledThreadGivesUpItsCpuAndNeverRunsAgain()
    {
        var machine = new Machine(world, TestMachines.Free1Node(1));
        SimProcess process = world.StartProcess("daemon");
        machine.StartThread("working", async thread =>
        {
            await thread.Compute(1_000_000_000);
            Assert.Fail("ran on");
        }, process: process);
        machine.StartThread("waiting for a CPU", _ => throw new InvalidOperationException("ran"), process: process);
        SimThread blocked = machine.StartThread("blocked", async thread =>
        {
            await thread.Block("nothing");
            Assert.Fail("ran on");
        }, process: process);
        world.Schedule(100, EventKind.None, 0, _ => process.Crash(), null);
        world.Schedule(200, EventKind.None, 0, _ => machine.Interrupt(blocked), null);
        bool next = false;
        world.Schedule(300, EventKind.None, 0, _ => machine.StartThread("next", async thread =>
        {
            await thread.Compute(1);
            next = true;
        }), null);
        world.RunUntilIdle();
        Assert.True(next);
        Assert.Equal(301, world.NowNanoseconds);
        Assert.Empty(machine.Threads);
    }

    [Fact]
    public void AThreadThatHoldsALockIsKilledOnlyOnceItHasReleasedIt()
    {
        var machine = new Machine(world, TestMachines.Free1Node(2));
        var mutex = new SimMutex(machine, "m");
        var reached = new List<string>();
        SimThread holder = machine.StartThread("holder", async thread =>
        {
            await mutex.Acquire(thread);
            await thread.Compute(1000);
            reached.Add("end of the critical section");
            await mutex.Release(thread);
            reached.Add("after it");
            await thread.Compute(1);
            reached.Add("too far");
        });
        world.Schedule(500, EventKind.None, 0, _ => holder.Kill(), null);
        bool taken = false;
        machine.StartThread("other", async thread =>
        {
            await thread.Compute(10);
            await mutex.Acquire(thread);
            taken = true;
            await mutex.Release(thread);
        });
        world.RunUntilIdle();
        Assert.True(taken);
        Assert.DoesNotContain("too far", reached);
        Assert.Contains("end of the critical section", reached);
        Assert.True(holder.IsDone);
    }
}
