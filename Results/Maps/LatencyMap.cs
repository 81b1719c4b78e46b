using Harness.Results.Analysis;
using Harness.Results.Records;

namespace Harness.Results.Maps;

/// <summary>A picture of every configuration's latency on every workload, and of the ratio to the baseline as text and colour.</summary>
public static class LatencyMap
{
    /// <summary>Draws the map as a PNG file, whole or not at all. The same arguments give the same bytes.</summary>
    /// <param name="path">The file to create or replace.</param>
    /// <param name="outlines">The run's experiments, one panel each, in order; at least one.</param>
    /// <param name="trials">The run's trials.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="caption">Where the figures come from.</param>
    /// <param name="metric">One of the latencies of <see cref="Metric"/>; the 99th percentile unless said otherwise.</param>
    /// <exception cref="IOException">The directory is missing or full.</exception>
    public static void Write(
        string path,
        IReadOnlyList<ExperimentOutline> outlines,
        IReadOnlyList<TrialRecord> trials,
        long seed,
        MapCaption caption,
        Metric? metric = null)
    {
        metric ??= Metric.LatencyP99;
        ComparisonTable table = ComparisonTable.Of(outlines, trials, _ => metric, seed);
        var map = new HeatMap($"Completion {metric.Name}", metric.Direction, table, caption);
        WholeFile.Write(path, ScenePainter.Png(map.Compose()));
    }
}
