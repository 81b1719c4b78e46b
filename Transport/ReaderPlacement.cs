using Harness.Runtime;

namespace Harness.Transport;

/// <summary>Where one of a channel's threads runs, and where its buffers lie.</summary>
/// <param name="Cpus">The CPUs it may use; null for any.</param>
/// <param name="Node">The NUMA node of its buffers; null for wherever they are touched first.</param>
internal readonly record struct ReaderPlacement(CpuSet? Cpus, int? Node)
{
    /// <summary>Threads are dealt out to the online CPUs in turn.</summary>
    /// <remarks>A message does not say on which CPU its request was made, so by itself (<see cref="Affinity.Auto"/>) a reader goes nowhere.</remarks>
    public static ReaderPlacement For(int index, Affinity affinity, Topology topology)
    {
        if (affinity == Affinity.Auto)
        {
            return default;
        }

        int[] online = [.. topology.Online.Numbers];
        return ForCpu(online[index % online.Length], affinity, topology);
    }

    /// <summary>The placement of a thread that belongs to one CPU.</summary>
    public static ReaderPlacement ForCpu(int cpu, Affinity affinity, Topology topology) => new(
        ThreadPlacement.CpusFor(affinity, cpu, topology),
        affinity != Affinity.None && topology.Nodes.Count > 1 ? topology.NodeOf(cpu).Number : null);

    /// <summary>Places the calling thread. A CPU that is offline, or that a cpuset forbids, leaves it where it is.</summary>
    public void Apply()
    {
        if (Cpus is not null)
        {
            _ = ThreadPlacement.TryPin(Cpus);
        }
    }
}
