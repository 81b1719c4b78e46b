using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;

namespace Harness.Tests.Simulation;

/// <summary>Loops that a simulated thread serves.</summary>
public sealed class LoopServerTests
{
    readonly SimScheduler world = new();

    [Fact]
    public void ALoopOnACpuIsBusyForWhatItIsChargedAndCompetesWithOthers()
    {
        var machine = new Machine(world, TestMachines.Free1Node(1));
        SimLoop loop = world.StartProcess("daemon").StartLoop("daemon");
        SimThread server = machine.StartLoop(loop, CpuSet.Of(0));
        var times = new List<long>();
        machine.StartThread("app", thread => thread.Compute(500), CpuSet.Of(0));
        world.Schedule(100, EventKind.None, 0, _ =>
        {
            for (int i = 0; i < 2; i++)
            {
                loop.Post(_ =>
                {
                    times.Add(world.NowNanoseconds);
                    loop.Charge(1000);
                }, null);
            }
        }, null);
        world.RunUntilIdle();
        Assert.Equal([500, 1500], times);
        Assert.Equal(2000, server.WorkNanoseconds);
        Assert.Equal(2500, machine.Cpus[0].BusyNanoseconds);
    }

    [Fact]
    public void ALoopsContinuationsRunOnItsThreadAfterTheCharge()
    {
        var machine = new Machine(world, TestMachines.Free1Node(2));
        SimLoop loop = world.StartProcess("daemon").StartLoop("daemon");
        machine.StartLoop(loop);
        long resumed = 0;
        bool home = false;
        async void Handle()
        {
            Task delay = Task.Delay(TimeSpan.FromMilliseconds(1), loop.Time);
            loop.Charge(3_000_000);
            await delay;
            resumed = world.NowNanoseconds;
            home = loop.IsCurrent;
        }
        loop.Post(_ => Handle(), null);
        world.RunUntilIdle();
        Assert.True(home);
        Assert.Equal(3_000_000, resumed);
    }

    [Fact]
    public void AThreadThatPostsToASleepingLoopPaysForWakingItOnce()
    {
        var machine = new Machine(world, TestMachines.Free1Node(2, costs => costs with
        {
            WakeSameNode = TestMachines.Ns(400),
            IdleExitDeep = TestMachines.Ns(2000),
        }));
        SimLoop loop = world.StartProcess("daemon").StartLoop("daemon");
        machine.StartLoop(loop, CpuSet.Of(1));
        long posterDone = 0;
        var ran = new List<long>();
        machine.StartThread("poster", async thread =>
        {
            await thread.Compute(10_000);
            loop.Post(_ => ran.Add(world.NowNanoseconds), null);
            loop.Post(_ => ran.Add(world.NowNanoseconds), null);
            await thread.Compute(1000);
            posterDone = world.NowNanoseconds;
        }, CpuSet.Of(0));
        world.RunUntilIdle();

        // Both CPUs are idle to begin with, hence 2000 ns at the start; then 10,000 of computing and 400 of waking, then the idle exit.
        Assert.Equal(2000 + 10_000 + 400 + 1000, posterDone);
        Assert.Equal([14_400, 14_400], ran);
    }

    [Fact]
    public void ACrashOfTheProcessEndsTheLoopsThread()
    {
        var machine = new Machine(world, TestMachines.Free1Node(1));
        SimProcess process = world.StartProcess("daemon");
        SimLoop loop = process.StartLoop("daemon");
        SimThread server = machine.StartLoop(loop);
        loop.Post(_ => loop.Charge(1_000_000), null);
        loop.Post(_ => Assert.Fail("ran after the crash"), null);
        world.Schedule(500, EventKind.None, 0, _ => process.Crash(), null);
        world.RunUntilIdle();
        Assert.True(server.IsDone);
        Assert.Equal(500, machine.Cpus[0].BusyNanoseconds);
        loop = process.Restart().StartLoop("daemon");
        machine.StartLoop(loop);
        bool ran = false;
        loop.Post(_ => ran = true, null);
        world.RunUntilIdle();
        Assert.True(ran);
    }

    [Fact]
    public void ALoopThatCrashesItsOwnProcessFinishesItsCallback()
    {
        var machine = new Machine(world, TestMachines.Free1Node(1));
        SimProcess process = world.StartProcess("daemon");
        SimLoop loop = process.StartLoop("daemon");
        SimThread server = machine.StartLoop(loop);
        bool finished = false;
        loop.Post(_ =>
        {
            process.Crash();
            finished = true;
        }, null);
        world.RunUntilIdle();
        Assert.True(finished);
        Assert.True(server.IsDone);
    }

    [Fact]
    public void AThreadWithABodyOfItsOwnServesALoopBesideADevice()
    {
        var machine = new Machine(world, TestMachines.Free1Node(2));
        SimLoop loop = world.StartProcess("daemon").StartLoop("daemon");
        int requests = 0;
        var log = new List<string>();
        SimThread channel = machine.StartThread("channel", async thread =>
        {
            LoopServer server = thread.Serve(loop);
            while (true)
            {
                if (server.TryRunNext())
                {
                    await thread.SpendCharged();
                }
                else if (requests > 0)
                {
                    requests--;
                    server.Invoke(_ =>
                    {
                        log.Add($"request on loop: {loop.IsCurrent}");
                        loop.Charge(100);
                    }, null);
                    await thread.SpendCharged();
                }
                else
                {
                    await thread.Block("requests and callbacks");
                }
            }
        }, isService: true);
        world.RunUntil(10);
        loop.Post(_ => log.Add("callback"), null);
        world.RunUntil(20);
        requests = 2;
        machine.Interrupt(channel);
        world.RunUntilIdle();
        Assert.Equal(["callback", "request on loop: True", "request on loop: True"], log);
        Assert.Equal(220, world.NowNanoseconds);
    }

    [Fact]
    public void ALoopIsServedOnceOnly()
    {
        var machine = new Machine(world, TestMachines.Free1Node(1));
        SimLoop loop = world.StartProcess("daemon").StartLoop("daemon");
        machine.StartLoop(loop);
        Refused.With<InvalidOperationException>(() => machine.StartLoop(loop), "served already");
        SimLoop used = world.StartProcess("other").StartLoop("other");
        used.Post(_ => { }, null);
        Assert.Throws<InvalidOperationException>(() => machine.StartLoop(used));
        Assert.Single(machine.Threads);
    }
}
