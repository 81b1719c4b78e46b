using Harness.Simulation.Chance;
using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;

namespace Harness.Tests.Simulation;

/// <summary>Who gets a CPU when a thread wakes up on it: it depends on what each has had of it so far.</summary>
public sealed class FairnessTests
{
    private const long Work = 5_000;
    private const int Rounds = 50;

    // From waking the other to falling asleep: the ends of two system calls.
    private const long ToSleep = 700;
    private readonly SimScheduler _world = new();

    [Theory]
    [InlineData(0.5, true)]
    [InlineData(0.8, true)]
    [InlineData(1.2, false)]
    [InlineData(2, false)]
    public void AThreadThatWakesUpTakesTheCpuIfItHasHadLessOfItThanItsWaker(double ratio, bool expected)
    {
        var machine = new Machine(_world, TestMachines.Free1Node(1, Eager));
        int preempted = 0;
        bool hasRun = false;
        SimRandom random = _world.Random.Split("work");
        // Work of exactly one length brings both back to exactly the same share, again and again; no real threads do so.
        long AnyWork() => Work + random.Next(200);
        SimThread? waker = null;
        SimThread server = machine.StartThread("server", async thread =>
        {
            while (true)
            {
                await thread.Block("a call");
                hasRun = true;
                await thread.Compute((long)(AnyWork() * ratio));
                await thread.Wake(waker!);
                await thread.Compute(ToSleep);
            }
        }, isService: true);
        waker = machine.StartThread("waker", async thread =>
        {
            for (int i = 0; i < Rounds; i++)
            {
                await thread.Compute(AnyWork());
                hasRun = false;
                await thread.Wake(server);
                await thread.Compute(ToSleep);
                preempted += hasRun ? 1 : 0;
                await thread.Block("the answer");
            }
        });
        _world.RunUntil(() => waker.IsDone, "the waker's end");
        if (expected)
        {
            Assert.InRange(preempted, Rounds - 5, Rounds);
        }
        else
        {
            Assert.InRange(preempted, 0, 5);
        }
    }

    [Theory]
    [InlineData(0, true, 0)]
    [InlineData(1_500, true, 1)]
    [InlineData(0, false, 1)]
    public void AThreadThatFellAsleepWithMoreThanItsShareOfItsGroupsTimeWakesUpThereThoughAnotherCpuIsIdle(
        long otherComesAt, bool isOfTheSameGroup, int expected)
    {
        var machine = new Machine(_world, TestMachines.Free1Node(2) with { Wakes = WakePlacement.Packed });
        int wokeOn = -1;
        SimThread thread = machine.StartThread("thread", async thread =>
        {
            await thread.SetAffinity(machine.AllCpus);
            thread.RecentCpu = machine.Cpus[1];
            await thread.Compute(1_000);
            await thread.Block("the wake");
            wokeOn = thread.Cpu.Id;
        }, CpuSet.Of(0));
        _world.Schedule(otherComesAt, EventKind.None, 0, _ => machine.StartThread(
            "other", other => other.Compute(50_000), CpuSet.Of(0), group: isOfTheSameGroup ? null : new AutoGroup()), null);
        // The other has waited for the thread, if it was there, and has had less of the CPU since.
        _world.Schedule(1_600, EventKind.None, 0, _ => machine.Interrupt(thread), null);
        _world.RunUntilIdle();
        Assert.Equal(expected, wokeOn);
    }

    [Fact]
    public void ToTakeABusyCpuTheWakerSendsAnInterruptAndTheBusyThreadLosesItsTime()
    {
        const long send = 100;
        const long receive = 30;
        var machine = new Machine(_world, TestMachines.Free1Node(2, costs => Eager(costs) with
        {
            WakeSameNode = TestMachines.Ns(10),
            InterruptSend = TestMachines.Ns(send),
            InterruptSameNode = TestMachines.Ns(receive),
            IdleDeepAfter = TestMachines.Ns(1_000_000_000),
        }));
        long paid = 0, woken = 0, ran = 0, busyEnded = 0;
        SimThread sleeper = machine.StartThread("sleeper", async thread =>
        {
            await thread.Block("the wake");
            ran = _world.NowNanoseconds;
        }, CpuSet.Of(1));
        machine.StartThread("busy", async thread =>
        {
            await thread.Compute(50_000);
            busyEnded = _world.NowNanoseconds;
        }, CpuSet.Of(1));
        machine.StartThread("waker", async thread =>
        {
            await thread.Compute(20_000);
            long before = _world.NowNanoseconds;
            // It is owed time.
            sleeper.Share.Lag = 1_000;
            await thread.Wake(sleeper);
            woken = _world.NowNanoseconds;
            paid = woken - before;
        }, CpuSet.Of(0));
        _world.RunUntilIdle();
        Assert.Equal((10 + send, receive, 50_000 + receive), (paid, ran - woken, busyEnded));
    }

    private static CostModel Eager(CostModel costs) => costs with { WakePreemptsAfter = TestMachines.Ns(0) };
}
