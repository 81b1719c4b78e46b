using Harness.Experiments.Plan.Values;

namespace Harness.Experiments.Plan.Reading;

/// <summary>The kinds of the runner's own keys.</summary>
internal static class Kinds
{
    /// <summary>A name of an experiment or a workload.</summary>
    public static ValueKind Name { get; } = new NameKind();

    /// <summary>The measured time of a trial: at least long enough to hold a few requests of a slow backend.</summary>
    public static ValueKind Runtime { get; } =
        ValueKind.Duration(10 * DurationKind.Millisecond, 3600 * DurationKind.Second, DurationKind.Microsecond);

    public static ValueKind RampTime { get; } = ValueKind.Duration(0, 3600 * DurationKind.Second, DurationKind.Microsecond);

    public static ValueKind Repetitions { get; } = ValueKind.Integer(1, 10_000);

    public static ValueKind RepetitionsForInterval { get; } = ValueKind.Integer(Plan.Repetitions.MinimumForInterval, 10_000);

    public static ValueKind Seed { get; } = ValueKind.Integer(0, int.MaxValue);

    public static ValueKind SubsetSize { get; } = ValueKind.Integer(1, Design.ConfigurationsMax);

    /// <summary>Chunk servers of a trial's cluster, all on this machine.</summary>
    public static ValueKind ChunkServers { get; } = ValueKind.Integer(1, 32);

    /// <summary>Replicas of a chunk.</summary>
    public static ValueKind Replicas { get; } = ValueKind.Integer(1, 15);

    /// <summary>A width relative to the ratio, in thousandths of a percent.</summary>
    public static ValueKind Width { get; } = new PercentKind();

    /// <summary>A duration value as a time span; exact, since a duration in whole microseconds is one in whole ticks.</summary>
    public static TimeSpan? Time(ScalarValue? value) =>
        value is { } duration ? TimeSpan.FromTicks(duration.Number / TimeSpan.NanosecondsPerTick) : null;
}
