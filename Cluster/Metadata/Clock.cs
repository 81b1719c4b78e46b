namespace Harness.Cluster.Metadata;

/// <summary>Wall-clock time as the metadata count it.</summary>
internal static class Clock
{
    /// <summary>Nanoseconds since 1970, in steps of 100.</summary>
    public static long UnixNanoseconds(TimeProvider time) =>
        (time.GetUtcNow().UtcTicks - DateTime.UnixEpoch.Ticks) * TimeSpan.NanosecondsPerTick;
}
