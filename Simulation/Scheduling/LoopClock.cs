namespace Harness.Simulation.Scheduling;

/// <summary>How a loop's own clock relates to the world's time.</summary>
/// <param name="OffsetNanoseconds">What the monotonic clock shows at the world's time 0. Not negative.</param>
/// <param name="DriftPartsPerBillion">
/// How much faster than the world the clock runs; negative if slower. Quartz keeps within about 100,000 (100 parts per million).
/// </param>
/// <param name="WallOffset">The error of the wall clock against the monotonic one.</param>
public readonly record struct LoopClock(long OffsetNanoseconds = 0, int DriftPartsPerBillion = 0, TimeSpan WallOffset = default)
{
    const long Billion = 1_000_000_000;

    /// <summary>The most that a clock may drift: half of its own speed, far beyond any clock and any fault worth injecting.</summary>
    public const int DriftPartsPerBillionMax = 500_000_000;

    /// <summary>What this clock shows at the world's time.</summary>
    public long FromWorld(long worldNanoseconds)
    {
        if (DriftPartsPerBillion == 0)
        {
            return worldNanoseconds + OffsetNanoseconds;
        }
        return OffsetNanoseconds + (long)((Int128)worldNanoseconds * (Billion + DriftPartsPerBillion) / Billion);
    }

    /// <summary>
    /// The first time of the world at which this clock shows at least <paramref name="localNanoseconds"/>, or 0 if it always has.
    /// </summary>
    public long ToWorld(long localNanoseconds)
    {
        long sinceStart = Math.Max(0, localNanoseconds - OffsetNanoseconds);
        if (DriftPartsPerBillion == 0)
        {
            return sinceStart;
        }
        Int128 speed = Billion + DriftPartsPerBillion;
        return (long)Int128.Min(long.MaxValue, ((Int128)sinceStart * Billion + speed - 1) / speed);
    }

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(OffsetNanoseconds);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(DriftPartsPerBillion, DriftPartsPerBillionMax);
        ArgumentOutOfRangeException.ThrowIfLessThan(DriftPartsPerBillion, -DriftPartsPerBillionMax);
    }
}
