using Harness.Runtime.Native;

namespace Harness.Runtime;

/// <summary>Where a thread may run.</summary>
public enum Affinity
{
    /// <summary>Wherever the scheduler likes.</summary>
    None,

    /// <summary>On one CPU.</summary>
    Cpu,

    /// <summary>On the CPUs of one NUMA node.</summary>
    Numa,

    /// <summary>Where the load is served best, as far as the thread can tell: the channel decides, and may change its mind.</summary>
    Auto,
}

/// <summary>Placement of the calling thread.</summary>
public static class ThreadPlacement
{
    /// <summary>Keeps the calling thread on these CPUs (sched_setaffinity(2)).</summary>
    /// <returns>False if none of them is online or allowed; the thread then stays where it was.</returns>
    public static unsafe bool TryPin(CpuSet cpus)
    {
        ulong[] mask = cpus.ToMask();
        fixed (ulong* words = mask)
        {
            return Libc.SchedSetAffinity(0, (nuint)(mask.Length * sizeof(ulong)), words) == 0;
        }
    }

    /// <summary>The CPUs that the calling thread may use (sched_getaffinity(2)).</summary>
    public static unsafe CpuSet Allowed()
    {
        var mask = new ulong[(CpuSet.NumberMax + 1) / 64];
        fixed (ulong* words = mask)
        {
            // It fails only for a mask shorter than the kernel's.
            _ = Libc.SchedGetAffinity(0, (nuint)(mask.Length * sizeof(ulong)), words);
            return CpuSet.FromMask(mask);
        }
    }

    /// <summary>The CPUs that a thread may use, if its work belongs to one CPU of the machine.</summary>
    /// <returns>Null for "any".</returns>
    public static CpuSet? CpusFor(Affinity affinity, int cpu, Topology topology) => affinity switch
    {
        Affinity.Cpu => new CpuSet([cpu]),
        Affinity.Numa => topology.NodeOf(cpu).Cpus,
        _ => null,
    };
}
