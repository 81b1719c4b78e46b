using Harness.Runtime;

namespace Harness.Experiments.Benchmarking;

/// <summary>Where the daemon and the application may run. Null is anywhere.</summary>
/// <param name="Daemon">The daemon's CPUs.</param>
/// <param name="OneJob">The application's, where it is one job.</param>
/// <param name="ManyJobs">The application's, where it is several.</param>
internal sealed record Placement(CpuSet? Daemon, CpuSet? OneJob, CpuSet? ManyJobs)
{
    /// <summary>Wherever the scheduler likes.</summary>
    public static Placement Free { get; } = new(null, null, null);

    /// <summary>Whether both are kept on CPUs.</summary>
    public bool IsPinned => Daemon is not null;

    /// <summary>
    /// The same CPUs for whoever serves this shape. One job runs on the first CPU. A daemon of one thread has the second to itself, and several
    /// jobs the others; a daemon of two threads has the first two, one with rings all, and several jobs all.
    /// </summary>
    public static Placement Pinned(Shape shape, Topology topology)
    {
        int[] online = [.. topology.Online.Numbers];
        var first = new CpuSet([online[0]]);
        if (shape.IsRing)
        {
            return new Placement(topology.Online, first, topology.Online);
        }

        if (shape.Threads == 1)
        {
            var second = new CpuSet([online[Math.Min(1, online.Length - 1)]]);
            return new Placement(second, first, online.Length > 1 ? new CpuSet(online.Where(cpu => !second.Contains(cpu))) : first);
        }

        return new Placement(new CpuSet(online.Take(shape.Threads)), first, topology.Online);
    }

    /// <summary>Where an application of so many jobs runs.</summary>
    public CpuSet? Application(long jobs) => jobs == 1 ? OneJob : ManyJobs;

    /// <summary>In a few words, for headings.</summary>
    public override string ToString() => Daemon is null
        ? "nothing pinned"
        : $"daemon on CPU {Daemon}, one job on CPU {OneJob}, several on CPU {ManyJobs}";
}
