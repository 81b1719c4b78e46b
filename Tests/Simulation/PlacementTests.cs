using Harness.Simulation.MachineFiles;
using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;

namespace Harness.Tests.Simulation;

/// <summary>On which CPU a thread wakes up.</summary>
public sealed class PlacementTests
{
    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 0)]
    public void AThreadWakesUpWhereTheMachineSaysThatItDoes(bool onWakersCpu, int expected)
    {
        var world = new SimScheduler();
        var machine = new Machine(world, TestMachines.Free1Node(2) with { WakesOnWakersCpu = onWakersCpu });
        int ranOn = -1;
        SimThread target = machine.StartThread("target", async thread =>
        {
            // Its last CPU is 1, and it may run on both.
            await thread.SetAffinity(CpuSet.Of(1));
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
        MachineDescription machine = TestMachines.Free1Node(1) with { WakesOnWakersCpu = true, SchedulerSource = "test" };
        MachineDescription read = MachineFile.Parse(MachineFileWriter.Write(machine), "x.yaml");
        Assert.True(read.WakesOnWakersCpu);
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
