namespace Harness.Simulation.Machines;

/// <summary>What something costs in time, and who says so.</summary>
/// <param name="Nanoseconds">Not negative.</param>
/// <param name="Source">The measurement, publication or estimate that the figure comes from.</param>
public sealed record Cost(long Nanoseconds, string Source)
{
    /// <summary>The lower end of the 95 % confidence interval, if the figure was measured with one.</summary>
    public long? LowNanoseconds { get; init; }

    /// <summary>The upper end of the 95 % confidence interval, if the figure was measured with one.</summary>
    public long? HighNanoseconds { get; init; }
}

/// <summary>How fast something moves bytes, and who says so.</summary>
/// <param name="BytesPerSecond">Greater than 0.</param>
/// <param name="Source">The measurement, publication or estimate that the figure comes from.</param>
public sealed record Rate(long BytesPerSecond, string Source)
{
    /// <summary>The lower end of the 95 % confidence interval, if the figure was measured with one.</summary>
    public long? LowBytesPerSecond { get; init; }

    /// <summary>The upper end of the 95 % confidence interval, if the figure was measured with one.</summary>
    public long? HighBytesPerSecond { get; init; }

    /// <summary>How long <paramref name="bytes"/> take, rounded up to whole nanoseconds.</summary>
    public long NanosecondsFor(long bytes) => NanosecondsFor(bytes, BytesPerSecond);

    internal static long NanosecondsFor(long bytes, long bytesPerSecond)
    {
        const long nanosecondsPerSecond = 1_000_000_000;
        return bytes <= long.MaxValue / (2 * nanosecondsPerSecond)
            ? (bytes * nanosecondsPerSecond + bytesPerSecond - 1) / bytesPerSecond
            : (long)(((Int128)bytes * nanosecondsPerSecond + bytesPerSecond - 1) / bytesPerSecond);
    }
}
