using Harness.Results;
using Harness.Results.Analysis;
using Harness.Results.Maps;

namespace Harness.Experiments.Benchmarking;

/// <summary>A comparison as a picture: a panel for each question, jobs as rows, what was compared as columns.</summary>
internal static class BenchPicture
{
    /// <summary>Its name in the run's directory.</summary>
    public const string FileName = "channels.png";

    /// <summary>Draws it.</summary>
    /// <exception cref="IOException">The directory is missing or full.</exception>
    public static void Write(BenchComparison comparison, string directory, string run, RunEnvironment environment) =>
        RatioMap.Write(Path.Combine(directory, FileName), "Channels beside their peers", [.. Rows(comparison)], MapCaption.Of(run, environment));

    /// <summary>Our side's cells. The peer, to which the ratio is, stands in the column's heading.</summary>
    private static IEnumerable<ComparisonRow> Rows(BenchComparison comparison) =>
        from matches in comparison.Matches.GroupBy(result => result.Match.Group)
        from job in matches.First().Cells.Select(cell => cell.Job.Name)
        from result in matches
        from cell in result.Cells
        where cell.Job.Name == job
        select cell.Ours with { Experiment = Heading(comparison, matches.Key), Configuration = Column(result.Match) };

    private static string Heading(BenchComparison comparison, string group) =>
        $"{group}: ×{comparison.Groups.Single(each => each.Group == group).RatioText}";

    private static string Column(Match match) =>
        $"{match.Shape}{(match.Shape.Channel is null || match.Ours.Placement.IsPinned ? string.Empty : ", unpinned")} against {match.Peer.Server}";
}
