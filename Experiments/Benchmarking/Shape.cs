using Harness.Experiments.Plan;

namespace Harness.Experiments.Benchmarking;

/// <summary>A way of serving that both sides of a comparison have in common.</summary>
/// <param name="Name">What the command line calls it.</param>
/// <param name="Channel">The channel, by its name in the table of knobs; null where each side does what it does by itself.</param>
/// <param name="Threads">Threads that read the device; a ring has one for each CPU besides.</param>
internal sealed record Shape(string Name, string? Channel, int Threads)
{
    /// <summary>
    /// Background requests of a connection: twice as many as the deepest job keeps in flight, so that what is measured is the channel and not
    /// the kernel's background queue.
    /// </summary>
    public const int MaxBackground = 64;

    /// <summary>Entries of each ring.</summary>
    public const int RingDepth = 8;

    /// <summary>How long the kernel may trust names and attributes: longer than a trial, so that only reads and writes are counted.</summary>
    public const int TimeoutSeconds = 3600;

    /// <summary>One thread on one descriptor.</summary>
    public static Shape DevFuse1 { get; } = new("dev-fuse-1", Knobs.DevFuse, 1);

    /// <summary>Two threads on one descriptor.</summary>
    public static Shape DevFuse2 { get; } = new("dev-fuse-2", Knobs.DevFuse, 2);

    /// <summary>Two threads on a descriptor each.</summary>
    public static Shape Clone2 { get; } = new("clone-2", Knobs.Clone, 2);

    /// <summary>A ring for each CPU.</summary>
    public static Shape Ring { get; } = new("io-uring", Knobs.IoUring, 1);

    /// <summary>Each side's own defaults.</summary>
    public static Shape Default { get; } = new("default", null, 0);

    /// <summary>Those with a channel.</summary>
    public static IReadOnlyList<Shape> Channels { get; } = [DevFuse1, DevFuse2, Clone2, Ring];

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Shape> All { get; } = [.. Channels, Default];

    /// <summary>Whether rings serve it.</summary>
    public bool IsRing => Channel == Knobs.IoUring;

    /// <summary>The knobs of <c>harness mount</c>.</summary>
    /// <param name="pinned">Whether each ring's thread stays on its ring's CPU.</param>
    public KnobSettings Harness(bool pinned) => Channel is null ? KnobSettings.None : Settings(
    [
        (Knobs.Channel, Channel),
        (Knobs.Threads, $"{Threads}"),
        (Knobs.QueueDepth, $"{RingDepth}"),
        (Knobs.Affinity, IsRing && pinned ? "cpu" : "none"),
        (Knobs.MaxWrite, "1M"),
        (Knobs.MaxBackground, $"{MaxBackground}"),
        (Knobs.EntryTimeout, $"{TimeoutSeconds}s"),
        (Knobs.AttrTimeout, $"{TimeoutSeconds}s"),
        // libfuse 3.14 cannot ask for it.
        (Knobs.InitFlagKnobs[FuseProtocol.Wire.InitFlags.ParallelDirops], "off"),
    ]);

    /// <summary>The arguments of <c>Benchmarks/Peers/libfuse_null</c>, which asks the kernel for the same.</summary>
    public IReadOnlyList<string> Libfuse() => Channel is null
        ? []
        :
        [
            .. Threads == 1 ? ["-s"] : new[] { "-o", $"max_threads={Threads}" },
            .. Channel == Knobs.Clone ? ["-o", "clone_fd"] : Array.Empty<string>(),
            "-o", "default_permissions,allow_other", "--like-harness", $"--max-background={MaxBackground}", $"--timeout={TimeoutSeconds}",
        ];

    /// <summary>The arguments of <c>Benchmarks/Peers/floor</c>.</summary>
    /// <param name="pinned">Whether each ring's thread stays on its ring's CPU.</param>
    public IReadOnlyList<string> Floor(bool pinned) =>
    [
        "--threads", $"{Threads}",
        .. Channel == Knobs.Clone ? ["--clone"] : Array.Empty<string>(),
        .. IsRing ? ["--ring", $"{RingDepth}"] : Array.Empty<string>(),
        .. IsRing && pinned ? ["--pin"] : Array.Empty<string>(),
        "--max-background", $"{MaxBackground}", "--timeout", $"{TimeoutSeconds}",
    ];

    /// <inheritdoc/>
    public override string ToString() => Name;

    private static KnobSettings Settings((Knob Knob, string Value)[] pairs) =>
        pairs.Aggregate(KnobSettings.None, (settings, pair) => settings.With(pair.Knob, pair.Knob.Kind.Parse(pair.Value)));
}
