using Harness.Experiments.Plan.Workloads;
using Harness.Experiments.Plan.Yaml;

namespace Harness.Experiments.Plan;

/// <summary>One entry of a plan file, valid and with every default filled in.</summary>
internal sealed record Experiment
{
    /// <summary>The repetitions of a <c>--quick</c> run unless the experiment says otherwise.</summary>
    public const int QuickRepetitions = Plan.Repetitions.MinimumForInterval;

    /// <summary>The longest measured time of a trial of a <c>--quick</c> run unless the experiment says otherwise.</summary>
    public static readonly TimeSpan QuickRuntimeMax = TimeSpan.FromMilliseconds(250);

    /// <summary>Where the experiment begins in its file.</summary>
    public required SourceMark Mark { get; init; }

    /// <summary>Unique in its file and fit for a file name.</summary>
    public required string Name { get; init; }

    /// <summary>What the experiment asks, in the author's words; may be empty.</summary>
    public required string Description { get; init; }

    public required World World { get; init; }

    /// <summary>The machine file that simulated trials run on.</summary>
    public required string Machine { get; init; }

    public required Backend Backend { get; init; }

    /// <summary>The knobs that all configurations share.</summary>
    public required KnobSettings Mount { get; init; }

    /// <summary>The knobs that vary; none of them is in <see cref="Mount"/>.</summary>
    public required IReadOnlyList<Factor> Factors { get; init; }

    public required Design Design { get; init; }

    /// <summary>At least one, with distinct names.</summary>
    public required IReadOnlyList<Workload> Workloads { get; init; }

    public required Repetitions Repetitions { get; init; }

    /// <summary>Decides the order of trials, and which configurations a random subset has.</summary>
    public required int Seed { get; init; }

    /// <summary>What <c>--quick</c> changes.</summary>
    public required QuickOverrides QuickOverrides { get; init; }

    /// <summary>
    /// The experiment as <c>--quick</c> runs it: fewer and shorter trials of the same cells. Size-bound workloads stay as they are.
    /// </summary>
    public Experiment Quick() => this with
    {
        Repetitions = Repetitions.Fixed(QuickOverrides.Repetitions ?? Math.Min(QuickRepetitions, Repetitions.Maximum)),
        Workloads = [.. Workloads.Select(workload => workload with { Timing = workload.Timing is { } timing ? Shorten(timing) : null })],
    };

    private Timing Shorten(Timing timing) => new(
        QuickOverrides.Runtime ?? Shorter(timing.Runtime, QuickRuntimeMax),
        QuickOverrides.RampTime ?? Shorter(timing.RampTime, QuickRuntimeMax));

    private static TimeSpan Shorter(TimeSpan left, TimeSpan right) => left < right ? left : right;
}

/// <summary>The <c>quick:</c> section of an experiment; null where it says nothing.</summary>
internal sealed record QuickOverrides(int? Repetitions, TimeSpan? Runtime, TimeSpan? RampTime);
