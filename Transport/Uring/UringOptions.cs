using Harness.Runtime;

namespace Harness.Transport.Uring;

/// <summary>What a <see cref="UringChannel"/> is made of.</summary>
public sealed record UringOptions
{
    /// <summary>Entries of each queue: requests of one CPU that the daemon can have at a time (default 8).</summary>
    public int Depth { get; init; } = 8;

    /// <summary>Largest data of one message, in bytes: at least the session's <c>MaxWrite</c>.</summary>
    public int MessageBytes { get; init; } = 1 << 20;

    /// <summary>Where each queue's thread runs (default: as <see cref="LoadPlacement"/> says).</summary>
    public Affinity Affinity { get; init; } = Affinity.Auto;

    /// <summary>How long a queue's thread that has nothing to do looks again before it sleeps (default 50 µs; 0 not at all).</summary>
    public TimeSpan Spin { get; init; } = TimeSpan.FromMicroseconds(50);

    /// <summary>The machine; one queue for each of its possible CPUs.</summary>
    public Topology Topology { get; init; } = Topology.Current;
}
