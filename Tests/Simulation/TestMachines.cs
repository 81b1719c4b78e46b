using Harness.Simulation.Machines;

namespace Harness.Tests.Simulation;

/// <summary>Machines with round figures, so that a test can say to the nanosecond what should come out.</summary>
static class TestMachines
{
    public const long Slice = 1_000_000;
    public const long Switch = 100;

    static readonly Cost Free = new(0, "test");

    /// <summary>Nothing costs anything but what a test sets with <paramref name="costs"/>; a time slice is a millisecond.</summary>
    public static MachineDescription Free1Node(int cpus, Func<CostModel, CostModel>? costs = null) => Of([cpus], costs);

    /// <summary>Nodes at distance 20 from each other.</summary>
    public static MachineDescription Of(int[] cpusOfNode, Func<CostModel, CostModel>? costs = null)
    {
        int nodes = cpusOfNode.Length;
        CostModel model = FreeCosts();
        return new MachineDescription
        {
            Name = "test",
            CpusOfNode = cpusOfNode,
            Distances = [.. Enumerable.Range(0, nodes).Select(from =>
                Enumerable.Range(0, nodes).Select(to => from == to ? 10 : 20).ToArray())],
            Costs = costs is null ? model : costs(model),
        };
    }

    public static Cost Ns(long nanoseconds) => new(nanoseconds, "test");

    public static Rate BytesPerNs(long bytes) => new(bytes * 1_000_000_000, "test");

    static CostModel FreeCosts() => new()
    {
        SystemCall = Free,
        ContextSwitch = Free,
        TimeSlice = Ns(Slice),
        WakePreemptsAfter = Ns(Slice),
        WakeSameCpu = Free,
        Block = Free,
        WakeSameNode = Free,
        WakeOtherNode = Free,
        InterruptSend = Free,
        InterruptSameNode = Free,
        InterruptOtherNode = Free,
        IdleExitShallow = Free,
        IdleExitDeep = Free,
        IdleDeepAfter = Free,
        LockSameCpu = Free,
        LockSameNode = Free,
        LockOtherNode = Free,
        HandOverSameNode = Free,
        HandOverOtherNode = Free,
        HandOverPerWaiter = Free,
        MutexSpin = Free,
        CopyStart = Free,
        CopyLocal = BytesPerNs(8),
        CopyRemote = BytesPerNs(4),
        NodeMemory = BytesPerNs(1000),
        NodeLink = BytesPerNs(1000),
    };
}
