using Harness.Simulation.MachineFiles;
using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;

namespace Harness.Tests.Simulation;

/// <summary>The shapes that the machine is there for.</summary>
public sealed class ScalingTests
{
    const long RunNanoseconds = 2_000_000;

    /// <summary>Critical sections per millisecond when so many CPUs each alternate between 1 µs outside and 200 ns inside.</summary>
    static double Throughput(int cpus, bool sharedLock)
    {
        var world = new SimScheduler();
        var machine = new Machine(world, MachineFile.Load("2x40"));
        var shared = new SimSpinLock(machine, "shared");
        long done = 0;
        for (int i = 0; i < cpus; i++)
        {
            SimSpinLock used = sharedLock ? shared : new SimSpinLock(machine, $"of CPU {i}");
            machine.StartThread($"t{i}", async thread =>
            {
                while (world.NowNanoseconds < RunNanoseconds)
                {
                    await thread.Compute(1000);
                    await used.Acquire(thread);
                    await thread.Compute(200);
                    used.Release(thread);
                    done++;
                }
            }, CpuSet.Of(i));
        }
        world.RunUntilIdle();
        return done / (RunNanoseconds / 1e6);
    }

    [Fact]
    public void OneLocksThroughputSaturatesAsCpusGrowWhileALockPerCpuScales()
    {
        double one = Throughput(1, sharedLock: true);
        double few = Throughput(8, sharedLock: true), many = Throughput(80, sharedLock: true);
        Assert.InRange(few, 2 * one, 5 * one);
        Assert.InRange(many, 0.5 * few, 1.01 * few);

        // The ceiling is the critical section and a hand-over, over the socket link every time or never.
        CostModel costs = MachineFile.Load("2x40").Costs;
        Assert.InRange(many, 1e6 / (200 + costs.HandOverOtherNode.Nanoseconds), 1.01e6 / (200 + costs.HandOverSameNode.Nanoseconds));
        double perCpuOne = Throughput(1, sharedLock: false);
        Assert.InRange(Throughput(80, sharedLock: false), 79.0 * perCpuOne, 81.0 * perCpuOne);
    }

    [Theory]
    [InlineData("1x8")]
    [InlineData("2x20")]
    [InlineData("8x16")]
    public void IndependentThreadsScaleWithTheCpusOfEveryMachine(string name)
    {
        var world = new SimScheduler();
        var machine = new Machine(world, MachineFile.Load(name));
        for (int i = 0; i < machine.Cpus.Count; i++)
        {
            machine.StartThread($"t{i}", thread => thread.Compute(1_000_000));
        }
        world.RunUntilIdle();
        Assert.InRange(world.NowNanoseconds, 1_000_000, 1_020_000);
        Assert.All(machine.Cpus, cpu => Assert.InRange(cpu.BusyNanoseconds, 1_000_000, 1_020_000));
    }
}
