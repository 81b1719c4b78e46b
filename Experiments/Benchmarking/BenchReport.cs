using System.Text;
using Harness.Results.Statistics;
using Spectre.Console;

namespace Harness.Experiments.Benchmarking;

/// <summary>A comparison for people: a section for each match, and one line at the end.</summary>
internal static class BenchReport
{
    private const string Mean = "geometric mean";

    /// <summary>Prints it: as tables on a terminal, as aligned text elsewhere.</summary>
    public static void Print(BenchComparison comparison)
    {
        foreach (MatchResult result in comparison.Matches)
        {
            if (Console.IsOutputRedirected)
            {
                Console.WriteLine(ToText(result));
            }
            else
            {
                AnsiConsole.Write(ToTable(result));
            }
        }

        foreach (GroupResult group in comparison.Groups)
        {
            Console.WriteLine($"{group.Group}: {group.RatioText}{(group.Interval is Interval interval ? $", 95 % interval {Text(interval)}" : "")}");
        }

        Console.WriteLine(comparison.ClosingLine);
    }

    /// <summary>A match as aligned text, under a heading.</summary>
    public static string ToText(MatchResult result)
    {
        string[][] lines = [Headings(result), .. Rows(result)];
        int[] widths = [.. lines[0].Select((_, column) => lines.Max(line => line[column].Length))];
        var text = new StringBuilder($"{Title(result)}\n");
        foreach (string[] line in lines)
        {
            // Names and verdicts to the left, figures to the right.
            IEnumerable<string> cells = line.Select((cell, column) =>
                column == 0 || column == line.Length - 1 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]));
            text.Append("  ").Append(string.Join("  ", cells).TrimEnd()).Append('\n');
        }

        return text.ToString();
    }

    private static Table ToTable(MatchResult result)
    {
        Table table = new Table().Title(Markup.Escape(Title(result))).Border(TableBorder.Rounded);
        foreach (string heading in Headings(result))
        {
            table.AddColumn(Markup.Escape(heading));
        }

        foreach (string[] row in Rows(result))
        {
            string colour = row[^1] switch { "better" => "green", "worse" => "red", _ => "default" };
            table.AddRow([.. row[..^1].Select(Markup.Escape), $"[{colour}]{Markup.Escape(row[^1])}[/]"]);
        }

        return table;
    }

    private static string Title(MatchResult result) => $"{result.Match.Title} ({result.Match.Ours.Placement})";

    private static string[] Headings(MatchResult result) =>
        ["job", result.Match.Ours.Server, result.Match.Peer.Server, "ratio", "95 % interval", "blocks", "verdict"];

    private static IEnumerable<string[]> Rows(MatchResult result) =>
    [
        .. result.Cells.Select(cell => new[]
        {
            cell.Job.Name,
            cell.Ours.MedianText,
            cell.Peer.MedianText,
            cell.Ours.RatioText,
            cell.Ours.IntervalText,
            $"{cell.Ours.Comparison.Pairs}",
            cell.Ours.VerdictText,
        }),
        [Mean, "", "", result.Ratio is double ratio ? FormattableString.Invariant($"×{ratio:F2}") : "–", "", "", ""],
    ];

    private static string Text(Interval interval) => FormattableString.Invariant($"{interval.Low:F2} to {interval.High:F2}");
}
