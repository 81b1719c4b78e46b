using Harness.Results.Analysis;
using Harness.Results.Records;
using Harness.Results.Statistics;

namespace Harness.Results.Maps;

/// <summary>
/// A picture of how fast every configuration is on every workload: operations or bytes per second, as the workload's outline says, and the
/// ratio to the baseline as text and colour.
/// </summary>
public static class ThroughputMap
{
    /// <summary>Draws the map as a PNG file, whole or not at all. The same arguments give the same bytes.</summary>
    /// <param name="path">The file to create or replace.</param>
    /// <param name="outlines">The run's experiments, one panel each, in order; at least one.</param>
    /// <param name="trials">The run's trials.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="caption">Where the figures come from.</param>
    /// <exception cref="IOException">The directory is missing or full.</exception>
    public static void Write(
        string path, IReadOnlyList<ExperimentOutline> outlines, IReadOnlyList<TrialRecord> trials, long seed, MapCaption caption)
    {
        var map = new HeatMap("Throughput", Direction.HigherIsBetter, ComparisonTable.OfSpeed(outlines, trials, seed), caption);
        WholeFile.Write(path, ScenePainter.Png(map.Compose()));
    }
}
