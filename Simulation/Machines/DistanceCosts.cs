namespace Harness.Simulation.Machines;

/// <summary>The costs that depend on the distance of two nodes, worked out once for each pair of a machine.</summary>
sealed class DistanceCosts
{
    readonly int nodes;
    readonly long[] wake, interrupt, lockTake, handOver, copyBytesPerSecond;

    public DistanceCosts(MachineDescription description)
    {
        nodes = description.CpusOfNode.Count;
        CostModel costs = description.Costs;
        int farthest = description.Distances.Max(row => row.Max());
        long[] Between(Cost near, Cost far) => PerPair(description, distance =>
            Interpolate(near.Nanoseconds, far.Nanoseconds, distance, farthest));
        wake = Between(costs.WakeSameNode, costs.WakeOtherNode);
        interrupt = Between(costs.InterruptSameNode, costs.InterruptOtherNode);
        lockTake = Between(costs.LockSameNode, costs.LockOtherNode);
        handOver = Between(costs.HandOverSameNode, costs.HandOverOtherNode);
        copyBytesPerSecond = PerPair(description, distance =>
            InterpolateRate(costs.CopyLocal.BytesPerSecond, costs.CopyRemote.BytesPerSecond, distance, farthest));
    }

    public long Wake(int from, int to) => wake[from * nodes + to];

    public long Interrupt(int from, int to) => interrupt[from * nodes + to];

    public long LockTake(int from, int to) => lockTake[from * nodes + to];

    public long HandOver(int from, int to) => handOver[from * nodes + to];

    public long CopyBytesPerSecond(int cpuNode, int memoryNode) => copyBytesPerSecond[cpuNode * nodes + memoryNode];

    static long[] PerPair(MachineDescription description, Func<int, long> cost) =>
        [.. description.Distances.SelectMany(row => row.Select(cost))];

    static long Interpolate(long near, long far, int distance, int farthest) => farthest == MachineDescription.LocalDistance
        ? near
        : near + (far - near) * (distance - MachineDescription.LocalDistance) / (farthest - MachineDescription.LocalDistance);

    /// <summary>Interpolates the time per byte, not the rate, since times are what add up.</summary>
    static long InterpolateRate(long near, long far, int distance, int farthest)
    {
        const long attosecondsPerSecond = 1_000_000_000_000_000_000;
        return attosecondsPerSecond / Interpolate(attosecondsPerSecond / near, attosecondsPerSecond / far, distance, farthest);
    }
}
