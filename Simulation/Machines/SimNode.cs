namespace Harness.Simulation.Machines;

/// <summary>A NUMA node: its memory and its link to the others, each a server of bytes, first come first served.</summary>
/// <remarks>
/// The model of bandwidth: each copied byte takes its time of the memory it is read from, of the memory it is written to, and of the link
/// of
/// every node that it leaves or enters. A piece of a copy ends when the CPU has moved it and all of these have found time for it, so that
/// together they never move more than they can, and a lone copy is slowed by nothing.
/// </remarks>
public sealed class SimNode
{
    readonly long memoryBytesPerSecond;
    readonly long linkBytesPerSecond;
    long memoryBusyUntil;
    long linkBusyUntil;

    internal SimNode(int id, CpuSet cpus, CostModel costs)
    {
        Id = id;
        Cpus = cpus;
        memoryBytesPerSecond = costs.NodeMemory.BytesPerSecond;
        linkBytesPerSecond = costs.NodeLink.BytesPerSecond;
    }

    /// <summary>The node's number.</summary>
    public int Id { get; }

    /// <summary>Its CPUs.</summary>
    public CpuSet Cpus { get; }

    /// <summary>Bytes read from and written to this node's memory so far.</summary>
    public long MemoryBytes { get; private set; }

    /// <summary>Bytes that have passed between this node and others so far.</summary>
    public long LinkBytes { get; private set; }

    /// <summary>Has the memory move so many bytes; returns when it will have.</summary>
    internal long MoveMemory(long now, long bytes)
    {
        MemoryBytes += bytes;
        return memoryBusyUntil = Math.Max(now, memoryBusyUntil) + Rate.NanosecondsFor(bytes, memoryBytesPerSecond);
    }

    /// <summary>Has the link pass so many bytes; returns when it will have.</summary>
    internal long PassLink(long now, long bytes)
    {
        LinkBytes += bytes;
        return linkBusyUntil = Math.Max(now, linkBusyUntil) + Rate.NanosecondsFor(bytes, linkBytesPerSecond);
    }
}
