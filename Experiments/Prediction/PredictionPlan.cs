using Harness.Experiments.Benchmarking;
using Harness.Experiments.Plan;
using Harness.Experiments.Plan.Workloads;

namespace Harness.Experiments.Prediction;

/// <summary>One configuration on one workload: what is measured, and what the model has to say before it knows the measurement.</summary>
/// <param name="Workload">What runs.</param>
/// <param name="Configuration">The configuration's name.</param>
/// <param name="Knobs">Its knobs.</param>
internal sealed record PredictionCell(Workload Workload, string Configuration, KnobSettings Knobs)
{
    private const long SmallestMessageBytes = 64 << 10;

    /// <summary>Whether messages of different sizes make a difference to the workload.</summary>
    public static bool IsLarge(Workload workload) => workload.Number(FioKeys.Bs, 0) > SmallestMessageBytes;

    /// <inheritdoc/>
    public override string ToString() => $"{Workload.Name} on {Configuration}";
}

/// <summary>The cells of a prediction: every real channel, placement and message size, with every workload of <see cref="BenchJobs"/>.</summary>
internal static class PredictionPlan
{
    private const string Anywhere = "none";
    private const string Pinned = "cpu";

    // The daemon is warm already; fio's own start is not.
    private static readonly TimeSpan s_ramp = TimeSpan.FromMilliseconds(50);

    private static readonly string[] s_messages = ["128K", "1M"];

    private static readonly (string Name, string Channel, int Threads)[] s_channels =
        [("dev-fuse 1", Knobs.DevFuse, 1), ("dev-fuse 2", Knobs.DevFuse, 2), ("clone 2", Knobs.Clone, 2), ("io-uring", Knobs.IoUring, 2)];

    /// <summary>All cells.</summary>
    /// <param name="runtime">How long each is measured.</param>
    /// <param name="spin">How long a thread of the daemon asks before it sleeps.</param>
    /// <param name="quick">Only with the daemon's threads pinned: 40 cells.</param>
    public static IReadOnlyList<PredictionCell> Cells(TimeSpan runtime, string spin, bool quick) =>
    [
        .. from job in BenchJobs.All(runtime)
           let workload = job with { Timing = new Timing(runtime, s_ramp) }
           from channel in s_channels
           from affinity in quick ? [Pinned] : new[] { Anywhere, Pinned }
           from message in PredictionCell.IsLarge(workload) ? s_messages : s_messages[^1..]
           select new PredictionCell(
               workload,
               $"{channel.Name}, {(affinity == Pinned ? "pinned" : "unpinned")}, {message}",
               Settings(channel.Channel, channel.Threads, affinity, message, spin)),
    ];

    private static KnobSettings Settings(string channel, int threads, string affinity, string message, string spin)
    {
        (Knob Knob, string Value)[] pairs =
        [
            (Knobs.Channel, channel), (Knobs.Threads, $"{threads}"), (Knobs.Affinity, affinity), (Knobs.MaxWrite, message), (Knobs.Spin, spin),
            (Knobs.QueueDepth, $"{Shape.RingDepth}"), (Knobs.MaxBackground, $"{Shape.MaxBackground}"),
            (Knobs.EntryTimeout, $"{Shape.TimeoutSeconds}s"), (Knobs.AttrTimeout, $"{Shape.TimeoutSeconds}s"),
        ];
        return pairs.Aggregate(KnobSettings.None, (settings, pair) => settings.With(pair.Knob, pair.Knob.Kind.Parse(pair.Value)));
    }
}
