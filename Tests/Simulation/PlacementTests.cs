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
}
