using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;

namespace Harness.Tests.Simulation;

public sealed class CopyTests
{
    const long MiB = 1 << 20;

    readonly SimScheduler world = new();

    long TimeOf(MachineDescription description, int cpu, long bytes, int from, int to)
    {
        var machine = new Machine(world, description);
        long started = world.NowNanoseconds, took = 0;
        machine.StartThread("t", async thread =>
        {
            await thread.Copy(bytes, from, to);
            took = world.NowNanoseconds - started;
        }, CpuSet.Of(cpu));
        world.RunUntilIdle();
        return took;
    }

    [Fact]
    public void ACopyTakesItsStartAndItsBytesAtTheRateOfTheFarthestMemory()
    {
        MachineDescription machine = TestMachines.Of([1, 1], costs => costs with { CopyStart = TestMachines.Ns(7) });
        Assert.Equal(7 + (MiB / 8), TimeOf(machine, cpu: 0, bytes: MiB, from: 0, to: 0));
        Assert.Equal(7 + (MiB / 4), TimeOf(machine, cpu: 0, bytes: MiB, from: 1, to: 0));
        Assert.Equal(7 + (MiB / 4), TimeOf(machine, cpu: 0, bytes: MiB, from: 0, to: 1));
        Assert.Equal(7 + (MiB / 4), TimeOf(machine, cpu: 0, bytes: MiB, from: 1, to: 1));
        Assert.Equal(7, TimeOf(machine, cpu: 0, bytes: 0, from: 0, to: 0));
    }

    /// <summary>Many CPUs copy at once: together they get the memory's rate, not more, and all of it.</summary>
    [Theory]
    [InlineData(1, MiB / 8)]
    [InlineData(2, MiB / 8)]
    [InlineData(4, 4 * 2 * MiB / 40)]
    [InlineData(8, 8 * 2 * MiB / 40)]
    public void ANodesMemoryIsSharedOnceItIsTheLimit(int cpus, long expected)
    {
        // One CPU moves 8 bytes a nanosecond, each read and written: 16. The memory moves 40.
        var machine = new Machine(world, TestMachines.Free1Node(cpus, costs => costs with { NodeMemory = TestMachines.BytesPerNs(40) }));
        for (int i = 0; i < cpus; i++)
        {
            machine.StartThread($"t{i}", thread => thread.Copy(MiB, 0, 0), CpuSet.Of(i));
        }
        world.RunUntilIdle();

        // The last piece of the last copy may end a piece's time later than perfect sharing would have it.
        long tolerance = 2 * cpus * (SimThread.CopyPieceBytes / 40);
        Assert.InRange(world.NowNanoseconds, expected, cpus <= 2 ? expected : expected + tolerance);
        Assert.Equal(2 * MiB * cpus, machine.Nodes[0].MemoryBytes);
    }

    [Fact]
    public void TheLinkBetweenNodesIsSharedLikewise()
    {
        var machine = new Machine(world, TestMachines.Of([4, 1], costs => costs with { NodeLink = TestMachines.BytesPerNs(10) }));
        for (int i = 0; i < 4; i++)
        {
            machine.StartThread($"t{i}", thread => thread.Copy(MiB, 1, 0), CpuSet.Of(i));
        }
        world.RunUntilIdle();
        Assert.InRange(world.NowNanoseconds, 4 * MiB / 10, (4 * MiB / 10) + (8 * SimThread.CopyPieceBytes / 10));
        Assert.Equal((4 * MiB, 4 * MiB), (machine.Nodes[0].LinkBytes, machine.Nodes[1].LinkBytes));
    }

    [Fact]
    public void ASmallCopyIsNotHeldUpByALargeOneWhileTheMemoryHasTimeForBoth()
    {
        var machine = new Machine(world, TestMachines.Free1Node(2, costs => costs with { NodeMemory = TestMachines.BytesPerNs(100) }));
        machine.StartThread("large", thread => thread.Copy(100_000_000, 0, 0), CpuSet.Of(0));
        long took = 0;
        machine.StartThread("small", async thread =>
        {
            await thread.Compute(50_000);
            await thread.Copy(4096, 0, 0);
            took = world.NowNanoseconds - 50_000;
        }, CpuSet.Of(1));
        world.RunUntil(100_000);
        Assert.InRange(took, 512, 512 + (2 * SimThread.CopyPieceBytes / 100));
    }

    [Fact]
    public void ANodeThatDoesNotExistIsRefused()
    {
        var machine = new Machine(world, TestMachines.Free1Node(1));
        machine.StartThread("t", thread => thread.Copy(1, 0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(world.RunUntilIdle);
    }

    [Theory]
    [InlineData(SimThread.CopyChargedBytes, 1)]
    [InlineData(SimThread.CopyChargedBytes + 8, 2)]
    public void ASmallCopyThatIsChargedIsSpentWithTheNextOperation(long bytes, int events)
    {
        (long Took, long Events) Run(bool isCharged)
        {
            var own = new SimScheduler();
            var machine = new Machine(own, TestMachines.Free1Node(1, costs => costs with { CopyStart = TestMachines.Ns(20) }));
            (long Took, long Events) result = default;
            machine.StartThread("t", async thread =>
            {
                long before = own.EventsRun;
                await (isCharged ? thread.CopyCharged(bytes, 0, 0) : thread.Copy(bytes, 0, 0));
                await thread.Compute(1);
                result = (own.NowNanoseconds, own.EventsRun - before);
            });
            own.RunUntilIdle();
            Assert.Equal(2 * bytes, machine.Nodes[0].MemoryBytes);
            return result;
        }

        Assert.Equal((20 + (bytes / 8) + 1, events), Run(isCharged: true));
        Assert.Equal(Run(isCharged: false).Took, Run(isCharged: true).Took);
    }
}
