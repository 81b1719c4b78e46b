using Harness.Simulation.MachineFiles;
using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;

namespace Harness.Tests.Simulation;

/// <summary>On which CPU a thread wakes up.</summary>
public sealed class PlacementTests
{
    [Theory]
    [InlineData(WakePlacement.Idle, 1, 1)]
    [InlineData(WakePlacement.Last, 1, 1)]
    [InlineData(WakePlacement.Waker, 1, 0)]
    [InlineData(WakePlacement.Idle, 0, 1)]
    [InlineData(WakePlacement.Last, 0, 0)]
    [InlineData(WakePlacement.Waker, 0, 0)]
    public void AThreadWakesUpWhereTheMachineSaysThatItDoes(WakePlacement wakes, int last, int expected)
    {
        var world = new SimScheduler();
        var machine = new Machine(world, TestMachines.Free1Node(2) with { Wakes = wakes });
        int ranOn = -1;
        SimThread target = machine.StartThread("target", async thread =>
        {
            // The waker runs on CPU 0; this one may run on both.
            await thread.SetAffinity(CpuSet.Of(last));
            await thread.SetAffinity(machine.AllCpus);
            await thread.Block("the wake");
            ranOn = thread.Cpu.Id;
        });
        machine.StartThread("waker", async thread =>
        {
            await thread.Compute(10_000);
            await thread.Wake(target);
            await thread.Compute(1_000);
        }, CpuSet.Of(0));
        world.RunUntil(() => ranOn >= 0, "the woken thread");
        Assert.Equal(expected, ranOn);
    }

    [Theory]
    [InlineData(200_000, 0)]
    [InlineData(500_000, 1)]
    public void AThreadStaysWithItsWakerUnlessThatRunsForLong(long wakerRuns, int expected) =>
        Assert.Equal(expected, CpuAfterWake(last: 0, wakerRuns, idleFor: wakerRuns));

    [Theory]
    [InlineData(20_000, 6_000, 0)]
    [InlineData(20_000, 15_000, 1)]
    [InlineData(60_000, 6_000, 1)]
    public void AThreadWhoseCpuHasJustGoneIdleComesToAWakerThatRunsShortly(long wakerRuns, long idleFor, int expected) =>
        Assert.Equal(expected, CpuAfterWake(last: 1, wakerRuns, idleFor));

    [Fact]
    public void AMachineFileSaysWhereThreadsWakeUp()
    {
        MachineDescription machine = TestMachines.Free1Node(1) with { Wakes = WakePlacement.Last, SchedulerSource = "test" };
        MachineDescription read = MachineFile.Parse(MachineFileWriter.Write(machine), "x.yaml");
        Assert.Equal(WakePlacement.Last, read.Wakes);
        Assert.Equal("test", read.SchedulerSource);
    }

    [Fact]
    public void AnUnknownPlacementIsRefusedWithItsPlaceAndWhatIsAllowed()
    {
        string text = MachineFileWriter.Write(TestMachines.Free1Node(1) with { SchedulerSource = "test" });
        var refusal = Assert.Throws<MachineFileException>(() => MachineFile.Parse(text.Replace("wakes: idle", "wakes: anywhere", StringComparison.Ordinal), "x.yaml"));
        Assert.Contains("x.yaml:", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Allowed: idle", refusal.Message, StringComparison.Ordinal);
    }

    /// <summary>On which of two CPUs a thread runs that a waker on CPU 0 wakes after it has run for so long itself.</summary>
    private static int CpuAfterWake(int last, long wakerRuns, long idleFor)
    {
        var world = new SimScheduler();
        var machine = new Machine(world, TestMachines.Free1Node(2) with { Wakes = WakePlacement.Last });
        int ranOn = -1;
        SimThread target = machine.StartThread("target", async thread =>
        {
            await thread.SetAffinity(machine.AllCpus);
            await thread.Compute(wakerRuns - idleFor);
            await thread.Block("the wake");
            ranOn = thread.Cpu.Id;
        }, CpuSet.Of(last));
        machine.StartThread("waker", async thread =>
        {
            await thread.Compute(wakerRuns);
            await thread.Wake(target);
            await thread.Compute(1_000);
        }, CpuSet.Of(0));
        world.RunUntil(() => ranOn >= 0, "the woken thread");
        return ranOn;
    }
}
