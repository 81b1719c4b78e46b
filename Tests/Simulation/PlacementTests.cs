using Harness.Simulation.MachineFiles;
using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;

namespace Harness.Tests.Simulation;

/// <summary>On which CPU a thread wakes up.</summary>
public sealed class PlacementTests
{
    private const long Millisecond = 1_000_000;

    private static readonly Packing s_packing = new(Room: 0.7, ExitCounted: 0.5);

    [Theory]
    [InlineData(WakePlacement.Idle, 1, 1)]
    [InlineData(WakePlacement.Packed, 1, 0)]
    [InlineData(WakePlacement.Waker, 1, 0)]
    [InlineData(WakePlacement.Idle, 0, 1)]
    [InlineData(WakePlacement.Packed, 0, 0)]
    [InlineData(WakePlacement.Waker, 0, 0)]
    public void AThreadWakesUpWhereTheMachineSaysThatItDoes(WakePlacement wakes, int last, int expected)
    {
        var world = new SimScheduler();
        var machine = new Machine(world, TestMachines.Free1Node(2) with { Wakes = wakes, Packing = s_packing });
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
    [InlineData(20 * Millisecond, 0)]
    [InlineData(70 * Millisecond, 1)]
    public void AThreadStaysWithItsWakerUntilTheCpuIsTooFull(long wakerRuns, int expected) =>
        Assert.Equal(expected, CpuAfterWake(last: 0, wakerRuns, targetRuns: 0));

    [Theory]
    [InlineData(20 * Millisecond, 0, 0)]
    [InlineData(50 * Millisecond, 0, 0)]
    [InlineData(50 * Millisecond, 20 * Millisecond, 1)]
    [InlineData(70 * Millisecond, 0, 1)]
    public void AThreadComesToItsWakerIfBothHaveRoomThere(long wakerRuns, long targetRuns, int expected) =>
        Assert.Equal(expected, CpuAfterWake(last: 1, wakerRuns, targetRuns));

    /// <summary>Both have slept for so long that what they have used hardly counts any more.</summary>
    [Theory]
    [InlineData(30 * Millisecond, 0)]
    [InlineData(50 * Millisecond, 1)]
    public void AThreadDoesNotComeWhereBothAreExpectedToUseTooMuch(long targetRuns, int expected) =>
        Assert.Equal(expected, CpuAfterWake(last: 1, 10 * Millisecond, targetRuns, wakerSleeps: 400 * Millisecond));

    [Fact]
    public void AThreadThatFindsNoRoomAndNoIdleCpuWhereItWasBeforeStays() =>
        Assert.Equal(0, CpuAfterWake(last: 0, 70 * Millisecond, targetRuns: 0, otherRuns: 90 * Millisecond));

    [Fact]
    public void AMachineFileSaysWhereThreadsWakeUp()
    {
        MachineDescription machine = TestMachines.Free1Node(1) with { Wakes = WakePlacement.Packed, Packing = s_packing, SchedulerSource = "test" };
        MachineDescription read = MachineFile.Parse(MachineFileWriter.Write(machine), "x.yaml");
        Assert.Equal(WakePlacement.Packed, read.Wakes);
        Assert.Equal(s_packing, read.Packing);
        Assert.Equal("test", read.SchedulerSource);
    }

    [Theory]
    [InlineData("room: 70", "room: 170", "scheduler.room is 170. Allowed: a share of a CPU in per cent, 0 to 100")]
    [InlineData("exitCounted: 50", "exitCounted: -1", "scheduler.exitCounted is -1. Allowed: a share of a CPU in per cent, 0 to 100")]
    [InlineData("  exitCounted: 50\n", "", "exitCounted")]
    public void AShareThatNoCpuHasIsRefusedWithItsPlaceAndWhatIsAllowed(string line, string wrong, string expected)
    {
        string text = MachineFileWriter.Write(
            TestMachines.Free1Node(1) with { Wakes = WakePlacement.Packed, Packing = s_packing, SchedulerSource = "test" });
        Assert.Contains(line, text, StringComparison.Ordinal);
        var refusal = Assert.Throws<MachineFileException>(() => MachineFile.Parse(text.Replace(line, wrong, StringComparison.Ordinal), "x.yaml"));
        Assert.Contains("x.yaml:", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(expected, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnUnknownPlacementIsRefusedWithItsPlaceAndWhatIsAllowed()
    {
        string text = MachineFileWriter.Write(TestMachines.Free1Node(1) with { SchedulerSource = "test" });
        var refusal = Assert.Throws<MachineFileException>(() => MachineFile.Parse(text.Replace("wakes: idle", "wakes: anywhere", StringComparison.Ordinal), "x.yaml"));
        Assert.Contains("x.yaml:", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Allowed: idle", refusal.Message, StringComparison.Ordinal);
    }

    /// <summary>
    /// On which of two CPUs a thread runs that has run for so long there and slept, when a waker on CPU 0 wakes it after it has run for so long
    /// itself and perhaps slept; another may have CPU 1 meanwhile.
    /// </summary>
    private static int CpuAfterWake(int last, long wakerRuns, long targetRuns, long otherRuns = 0, long wakerSleeps = 0)
    {
        var world = new SimScheduler();
        var machine = new Machine(world, TestMachines.Free1Node(2) with { Wakes = WakePlacement.Packed, Packing = s_packing });
        int ranOn = -1;
        SimThread target = machine.StartThread("target", async thread =>
        {
            await thread.SetAffinity(CpuSet.Of(last));
            await thread.SetAffinity(machine.AllCpus);
            await thread.Compute(targetRuns);
            await thread.Block("the wake");
            ranOn = thread.Cpu.Id;
        });
        // It has been on the other CPU before.
        target.RecentCpu = machine.Cpus[1 - last];
        machine.StartThread("waker", async thread =>
        {
            await thread.Compute(wakerRuns);
            if (wakerSleeps > 0)
            {
                await thread.Sleep(wakerSleeps);
            }

            await thread.Wake(target);
            await thread.Compute(1_000);
        }, CpuSet.Of(0));
        if (otherRuns > 0)
        {
            machine.StartThread("other", thread => thread.Compute(otherRuns), CpuSet.Of(1));
        }

        world.RunUntil(() => ranOn >= 0, "the woken thread");
        return ranOn;
    }
}
