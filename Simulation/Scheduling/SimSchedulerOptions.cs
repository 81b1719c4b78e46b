namespace Harness.Simulation.Scheduling;

/// <summary>How events of one instant are ordered.</summary>
public enum TieBreak
{
    /// <summary>In the order in which they were scheduled.</summary>
    Sequence,

    /// <summary>
    /// By a permutation drawn from the seed, to explore interleavings. Posts from one loop to another keep their order, as
    /// <see cref="Runtime.ILoop.Post"/> promises.
    /// </summary>
    Seed,
}

/// <summary>What a <see cref="SimScheduler"/> is made with.</summary>
public sealed record SimSchedulerOptions
{
    /// <summary>The seed that all chance in this world comes from. Default 1.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>The order of events of one instant. Default <see cref="TieBreak.Sequence"/>.</summary>
    public TieBreak Ties { get; init; } = TieBreak.Sequence;

    /// <summary>So many events in a row without virtual time moving on are called a livelock. Default 1,000,000.</summary>
    public int EventsAtOneInstantMax { get; init; } = 1_000_000;

    /// <summary>The most events that may be pending together. Default 16,777,216, about 1.2 GiB of them.</summary>
    public int PendingEventsMax { get; init; } = 1 << 24;

    /// <summary>What clocks show as the wall-clock time at virtual time 0. Default: the first instant of 2000, UTC.</summary>
    public DateTimeOffset Epoch { get; init; } = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);
}
