namespace Harness.Results.Records;

/// <summary>One trial: one workload under one configuration, once. A row of results.csv.</summary>
public sealed record TrialRecord
{
    /// <summary>The experiment's name.</summary>
    public required string Experiment { get; init; }

    /// <summary>The workload's name within the experiment.</summary>
    public required string Workload { get; init; }

    /// <summary>The configuration's name within the experiment.</summary>
    public required string Configuration { get; init; }

    /// <summary>Whether the configuration is the one that the experiment's others are compared with.</summary>
    public required bool IsBaseline { get; init; }

    /// <summary>The configuration's factors, in the experiment's order. Names are distinct.</summary>
    public IReadOnlyList<Factor> Factors { get; init; } = [];

    /// <summary>The repetition. Trials of one block ran close together in time and are compared with each other.</summary>
    public required int Block { get; init; }

    /// <summary>The trial's place in its block's random order.</summary>
    public required int OrderInBlock { get; init; }

    /// <summary>When the trial started, UTC.</summary>
    public required DateTimeOffset StartedAtUtc { get; init; }

    /// <summary><c>real</c> or <c>simulated</c>.</summary>
    public required string World { get; init; }

    /// <summary>What was measured; null when the trial failed.</summary>
    public TrialMeasurement? Measured { get; init; }

    /// <summary>Why the trial failed; null when it did not.</summary>
    public string? Error { get; init; }

    /// <summary>What identifies the trial within its run.</summary>
    public TrialKey Key => new(Experiment, Workload, Configuration, Block);
}
