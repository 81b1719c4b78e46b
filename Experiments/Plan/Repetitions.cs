namespace Harness.Experiments.Plan;

/// <summary>How many blocks an experiment runs; each block measures every cell once.</summary>
/// <param name="Minimum">Blocks that run in any case; at least one.</param>
/// <param name="Maximum">Blocks after which the experiment ends in any case.</param>
/// <param name="ConfidenceWidth">
/// Between the two, blocks are added until every 95 % interval of a ratio to the baseline is no wider than this fraction of the ratio
/// (0.05 for 5 %, from end to end); null for a fixed number of blocks.
/// </param>
internal sealed record Repetitions(int Minimum, int Maximum, double? ConfidenceWidth)
{
    /// <summary>
    /// Student's t interval of a paired difference needs two blocks; with three its width says something (t = 4.3, not 12.7).
    /// </summary>
    public const int MinimumForInterval = 3;

    public static Repetitions Fixed(int blocks) => new(blocks, blocks, null);
}
