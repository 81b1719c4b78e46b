namespace Harness.Experiments.Backends.Memory;

/// <summary>A time of a file, in the form in which stat(2) and FUSE carry it.</summary>
/// <param name="Seconds">Since 1970; negative before.</param>
/// <param name="Nanoseconds">0 to 999,999,999.</param>
internal readonly record struct Timestamp(long Seconds, uint Nanoseconds)
{
    private const uint NanosecondsMax = 999_999_999;

    /// <summary>What the clock shows.</summary>
    /// <remarks>
    /// <see cref="TimeProvider"/> counts 100 ns, which is finer than Linux's own stamps: those are as coarse as its tick, 1 to 10 ms
    /// (fs/inode.c, <c>current_time</c>). Times that an application sets keep every nanosecond.
    /// </remarks>
    public static Timestamp Now(TimeProvider time)
    {
        (long seconds, long ticks) = Math.DivRem(time.GetUtcNow().UtcTicks - DateTime.UnixEpoch.Ticks, TimeSpan.TicksPerSecond);
        return new Timestamp(seconds, (uint)(ticks * TimeSpan.NanosecondsPerTick));
    }

    /// <summary>From the two fields of a message.</summary>
    public static Timestamp FromWire(ulong seconds, uint nanoseconds) => new((long)seconds, Math.Min(nanoseconds, NanosecondsMax));

    /// <summary>Whether this is the same time or an earlier one.</summary>
    public bool IsUntil(Timestamp other) =>
        Seconds < other.Seconds || (Seconds == other.Seconds && Nanoseconds <= other.Nanoseconds);
}
