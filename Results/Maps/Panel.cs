using Harness.Results.Analysis;
using Harness.Results.Statistics;
using ScottPlot;

namespace Harness.Results.Maps;

/// <summary>
/// A grid of workloads and configurations under a heading. An experiment with more configurations than fit beside each other takes several
/// panels, each of which begins with the baseline.
/// </summary>
internal sealed class Panel
{
    /// <summary>Configurations beside each other: more make a picture that must be scrolled sideways.</summary>
    internal const int MaxColumns = 14;

    private const double MinCellHeight = 56;
    private const double CellGap = 3;
    private const double MinColumnWidth = 100;
    private const double MaxColumnWidth = 150;
    private const double MaxRowHeadWidth = 220;
    private const double TextMargin = 7;
    private const double RowHeadMargin = 12;

    private static readonly Color EmptyCell = Color.FromHex("#F1F1F1");
    private static readonly TextStyle HeadingStyle = new(17, Bold: true);
    private static readonly TextStyle HeadStyle = new(13.5f);
    private static readonly TextStyle BaselineHeadStyle = HeadStyle with { Bold = true };
    private static readonly TextStyle ValueStyle = new(15.5f, Bold: true);
    private static readonly TextStyle RatioStyle = new(13.5f);
    private static readonly TextStyle SureRatioStyle = RatioStyle with { Bold = true };

    private readonly string heading;
    private readonly ComparisonRow[][] rows;
    private readonly double columnWidth;
    private readonly double cellHeight;
    private readonly IReadOnlyList<string>[] columnHeads;
    private readonly IReadOnlyList<string>[] rowHeads;

    private Panel(string heading, ComparisonRow[][] rows)
    {
        this.heading = heading;
        this.rows = rows;
        double widest = rows.SelectMany(row => row).Max(cell => Math.Max(
            Math.Max(ValueStyle.Width(ValueText(cell)), SureRatioStyle.Width(RatioText(cell))),
            HeadStyleOf(cell).WidestWord(cell.Configuration)));
        columnWidth = Math.Clamp(Math.Ceiling(widest + (2 * TextMargin)), MinColumnWidth, MaxColumnWidth);
        columnHeads = [.. rows[0].Select(cell => HeadStyleOf(cell).Wrap(cell.Configuration, columnWidth - (2 * TextMargin)))];
        rowHeads = [.. rows.Select(row => HeadStyle.Wrap(row[0].Workload, MaxRowHeadWidth))];
        cellHeight = Math.Max(MinCellHeight, rowHeads.Max(lines => lines.Count) * HeadStyle.LineHeight);
        RowHeadWidth = Math.Ceiling(rowHeads.SelectMany(lines => lines).Max(HeadStyle.Width));
    }

    /// <summary>How much room the workloads' names need, pixels.</summary>
    public double RowHeadWidth { get; }

    /// <summary>The panels of an experiment, whose cells come row by row.</summary>
    public static IEnumerable<Panel> Of(string experiment, IReadOnlyList<ComparisonRow> cells)
    {
        ComparisonRow[][] rows = [.. cells.GroupBy(cell => cell.Workload).Select(row => row.ToArray())];
        if (rows[0].Length <= MaxColumns)
        {
            return [new(experiment, rows)];
        }
        int[] others = [.. Enumerable.Range(0, rows[0].Length).Where(column => !rows[0][column].IsBaseline)];
        int baseline = Array.FindIndex(rows[0], cell => cell.IsBaseline);
        int[][] bands = [.. others.Chunk(MaxColumns - 1).Select(band => (int[])[baseline, .. band])];
        return bands.Select((band, i) => new Panel(
            $"{experiment} ({i + 1} of {bands.Length})", [.. rows.Select(row => band.Select(column => row[column]).ToArray())]));
    }

    /// <summary>The panel's width when the workloads' names get a certain room, pixels.</summary>
    public double WidthBeside(double rowHeadWidth) => rowHeadWidth + RowHeadMargin + (rows[0].Length * (columnWidth + CellGap));

    /// <summary>Draws the panel and returns where it ends.</summary>
    public double Draw(Scene scene, double left, double top, double rowHeadWidth, DivergingScale scale)
    {
        double width = WidthBeside(rowHeadWidth);
        IReadOnlyList<string> headingLines = HeadingStyle.Wrap(heading, Math.Max(width, 3 * MaxRowHeadWidth));
        scene.WriteLines(headingLines, new(left, top, width, 0), HeadingStyle, HeatMap.Ink);
        double headTop = top + (headingLines.Count * HeadingStyle.LineHeight) + 10;
        double headHeight = columnHeads.Max(lines => lines.Count) * HeadStyle.LineHeight;
        double gridTop = headTop + headHeight + 5;
        double gridLeft = left + rowHeadWidth + RowHeadMargin;
        double gridBottom = gridTop + (rows.Length * (cellHeight + CellGap)) - CellGap;

        for (int row = 0; row < rows.Length; row++)
        {
            double cellTop = gridTop + (row * (cellHeight + CellGap));
            double lines = rowHeads[row].Count * HeadStyle.LineHeight;
            var head = new Box(left, cellTop + ((cellHeight - lines) / 2), rowHeadWidth, lines);
            scene.WriteLines(rowHeads[row], head, HeadStyle, HeatMap.Ink, Scene.Right);
            for (int column = 0; column < rows[row].Length; column++)
            {
                var cell = new Box(gridLeft + (column * (columnWidth + CellGap)), cellTop, columnWidth, cellHeight);
                DrawCell(scene, cell, rows[row][column], scale);
            }
        }
        for (int column = 0; column < columnHeads.Length; column++)
        {
            double lines = columnHeads[column].Count * HeadStyle.LineHeight;
            var head = new Box(gridLeft + (column * (columnWidth + CellGap)), headTop + headHeight - lines, columnWidth, lines);
            scene.WriteLines(columnHeads[column], head, HeadStyleOf(rows[0][column]), HeatMap.Ink, Scene.Middle);
            if (rows[0][column].IsBaseline)
            {
                scene.Frame(new Box(head.Left, head.Top - 3, columnWidth, gridBottom - head.Top + 3).Inside(-2), HeatMap.Ink, 1.5f);
            }
        }
        return gridBottom;
    }

    private static void DrawCell(Scene scene, Box box, ComparisonRow cell, DivergingScale scale)
    {
        Color fill = cell.Comparison.Ratio is { } ratio ? DivergingScale.ColorAt(scale.Place(ratio)) : EmptyCell;
        Color ink = DivergingScale.InkOn(fill);
        TextStyle ratioStyle = cell.Comparison.Verdict == Verdict.Inconclusive ? RatioStyle : SureRatioStyle;
        double top = box.Top + ((box.Height - ValueStyle.LineHeight - ratioStyle.LineHeight) / 2);
        scene.Fill(box, fill, HeatMap.Hairline);
        scene.Write(ValueText(cell), box with { Top = top, Height = ValueStyle.LineHeight }, ValueStyle, ink, Scene.Middle);
        scene.Write(
            RatioText(cell), box with { Top = top + ValueStyle.LineHeight, Height = ratioStyle.LineHeight }, ratioStyle, ink, Scene.Middle);
    }

    private static string ValueText(ComparisonRow cell) => cell.Failed > 0 ? cell.MedianText + " †" : cell.MedianText;

    private static string RatioText(ComparisonRow cell) => cell switch
    {
        { IsBaseline: true } => "baseline",
        { Comparison: { Ratio: not null, Verdict: Verdict.Inconclusive } } => cell.RatioText + " ?",
        _ => cell.RatioText,
    };

    private static TextStyle HeadStyleOf(ComparisonRow cell) => cell.IsBaseline ? BaselineHeadStyle : HeadStyle;
}
