using Harness.Results.Analysis;
using Harness.Results.Statistics;

namespace Harness.Results.Maps;

/// <summary>A picture of how fast each contender is beside its own peer: its speed, and the ratio to the peer as text and colour.</summary>
public static class RatioMap
{
    /// <summary>Draws the map as a PNG file, whole or not at all. The same arguments give the same bytes.</summary>
    /// <param name="path">The file to create or replace.</param>
    /// <param name="title">What is compared.</param>
    /// <param name="rows">The cells, panel by panel and in each row by row; none of them a baseline. At least one.</param>
    /// <param name="caption">Where the figures come from.</param>
    /// <exception cref="IOException">The directory is missing or full.</exception>
    public static void Write(string path, string title, IReadOnlyList<ComparisonRow> rows, MapCaption caption)
    {
        var map = new HeatMap(title, Direction.HigherIsBetter, ComparisonTable.OfRows(rows), caption);
        WholeFile.Write(path, ScenePainter.Png(map.Compose()));
    }
}
