namespace Harness.Experiments.Observing;

/// <summary>What a daemon's process has used: serving a request should add CPU time to it and nothing else.</summary>
/// <param name="ResidentBytes">Its memory that is in use now (VmRSS of proc(5)).</param>
/// <param name="CpuNanos">CPU time of all its threads, user and kernel.</param>
/// <param name="AllocatedBytes">Bytes that the garbage collector has handed out.</param>
/// <param name="Collections">How often it has collected, of any generation.</param>
internal sealed record ProcessUse(long ResidentBytes, long CpuNanos, long AllocatedBytes, int Collections)
{
    /// <summary>That of this process.</summary>
    public static ProcessUse Read() => new(
        Environment.WorkingSet,
        (long)Environment.CpuUsage.TotalTime.TotalNanoseconds,
        GC.GetTotalAllocatedBytes(),
        GC.CollectionCount(0));

    /// <summary>What was used since an earlier moment; memory is what it is.</summary>
    public ProcessUse Since(ProcessUse earlier) => this with
    {
        CpuNanos = CpuNanos - earlier.CpuNanos,
        AllocatedBytes = AllocatedBytes - earlier.AllocatedBytes,
        Collections = Collections - earlier.Collections,
    };
}
