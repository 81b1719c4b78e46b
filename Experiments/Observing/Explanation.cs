using Harness.FuseProtocol.Wire;
using Harness.Results;

namespace Harness.Experiments.Observing;

/// <summary>How long requests of an opcode spent in a stage.</summary>
/// <param name="Stage">Which.</param>
/// <param name="Nanos">Its times.</param>
/// <param name="Share">Its mean's part of the sum of all stages' means, from 0 to 1.</param>
internal sealed record StageFigures(Stage Stage, LatencyHistogram Nanos, double Share);

/// <summary>Where the time of an opcode's requests went.</summary>
/// <param name="Opcode">Which.</param>
/// <param name="Requests">How many were seen.</param>
/// <param name="Stages">Those stages of which anything is known, in order.</param>
internal sealed record OpcodeExplanation(Opcode Opcode, long Requests, IReadOnlyList<StageFigures> Stages)
{
    /// <summary>The sum of the stages' means: what a request takes on average.</summary>
    public double TotalNanos => Stages.Sum(figures => figures.Nanos.MeanNanos);
}

/// <summary>Where the time of a mount's requests went.</summary>
internal sealed record Explanation
{
    /// <summary>The mount in the daemon's own words.</summary>
    public required string Mount { get; init; }

    /// <summary>For how long requests were watched.</summary>
    public required TimeSpan Watched { get; init; }

    /// <summary>Requests that the daemon recorded.</summary>
    public required long Recorded { get; init; }

    /// <summary>Why the kernel's stages are missing; null if they are there.</summary>
    public required string? KernelProblem { get; init; }

    /// <summary>By opcode, the one that took the most time in all first.</summary>
    public required IReadOnlyList<OpcodeExplanation> Opcodes { get; init; }
}
