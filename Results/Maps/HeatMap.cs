using Harness.Results.Analysis;
using Harness.Results.Statistics;
using ScottPlot;

namespace Harness.Results.Maps;

/// <summary>
/// A map of a run: one panel per experiment under each other, workloads as rows, configurations as columns; then what the colours and
/// marks mean. The picture is as large as its content needs.
/// </summary>
internal sealed class HeatMap(string title, Direction direction, ComparisonTable table, MapCaption caption)
{
    internal static readonly Color Ink = Color.FromHex("#1A1A1A");
    internal static readonly Color PaleInk = Color.FromHex("#5C5C5C");
    internal static readonly Color Hairline = Color.FromHex("#C8C8C8");

    private const double Margin = 28;
    private const double MinWidth = 760;

    /// <summary>Panels that would begin below this are left out, and said to be: viewers refuse to open pictures without end.</summary>
    internal const double MaxPanelTop = 16_000;

    private const double LegendWidth = 320;
    private const double LegendHeight = 16;
    private const int LegendSteps = 81;

    private static readonly TextStyle TitleStyle = new(25, Bold: true);
    private static readonly TextStyle CaptionStyle = new(13);
    private static readonly TextStyle NoteStyle = new(12.5f);
    private static readonly TextStyle LegendHeadStyle = NoteStyle with { Bold = true };

    /// <summary>Lays the picture out.</summary>
    public Scene Compose()
    {
        double[] ratios = [.. table.Rows.Select(row => row.Comparison.Ratio).OfType<double>()];
        var scale = new DivergingScale(ratios, direction);
        Panel[] panels = [.. table.Rows.GroupBy(row => row.Experiment).SelectMany(rows => Panel.Of(rows.Key, [.. rows]))];
        double rowHeadWidth = panels.Max(panel => panel.RowHeadWidth);
        double width = Math.Ceiling(Math.Max(MinWidth, panels.Max(panel => panel.WidthBeside(rowHeadWidth)) + (2 * Margin)));

        var scene = new Scene { Width = width };
        double bottom = WriteTitle(scene, Margin, width - (2 * Margin));
        int drawn = 0;
        while (drawn < panels.Length && bottom < MaxPanelTop)
        {
            bottom = panels[drawn++].Draw(scene, Margin, bottom + 22, rowHeadWidth, scale);
        }
        if (drawn < panels.Length)
        {
            string rest = $"{panels.Length - drawn} more panels do not fit this picture; results.csv has their figures.";
            bottom = WriteParagraph(scene, rest, bottom + 22, width - (2 * Margin), LegendHeadStyle, Ink);
        }
        bottom = DrawLegend(scene, bottom + 30, scale);
        bottom = WriteNote(scene, bottom + 16, width - (2 * Margin));
        scene.Height = Math.Ceiling(bottom + Margin);
        return scene;
    }

    private double WriteTitle(Scene scene, double top, double width)
    {
        double bottom = WriteParagraph(scene, title, top, width, TitleStyle, Ink) + 4;
        return WriteParagraph(scene, $"{caption.Run} · {caption.Kernel} · {caption.Machine}", bottom, width, CaptionStyle, PaleInk);
    }

    private static double DrawLegend(Scene scene, double top, DivergingScale scale)
    {
        const string worse = "worse";
        scene.Write("Ratio to the baseline", new(Margin, top, LegendWidth, LegendHeadStyle.LineHeight), LegendHeadStyle, Ink);
        top += LegendHeadStyle.LineHeight + 6;
        double left = Margin + NoteStyle.Width(worse) + 10;
        var bar = new Box(left, top, LegendWidth, LegendHeight);
        scene.Write(worse, bar with { Left = Margin }, NoteStyle, Ink);
        scene.Write("better", bar with { Left = bar.Right + 10 }, NoteStyle, Ink);
        double step = bar.Width / LegendSteps;
        for (int i = 0; i < LegendSteps; i++)
        {
            Color color = DivergingScale.ColorAt((2.0 * i / (LegendSteps - 1)) - 1);
            scene.Fill(new(bar.Left + (i * step), bar.Top, step, bar.Height), color, color);
        }
        scene.Frame(bar, Hairline, 1);
        foreach (double place in new[] { -1, -0.5, 0, 0.5, 1 })
        {
            double x = bar.Left + (bar.Width * (place + 1) / 2);
            double ratio = scale.RatioAt(place);
            string beyond = !scale.IsExceeded || Math.Abs(place) < 1 ? "" : ratio > 1 ? "≥ " : "≤ ";
            var mark = new Box(x - 40, bar.Bottom + 3, 80, NoteStyle.LineHeight);
            scene.Write(FormattableString.Invariant($"{beyond}×{ratio:0.##}"), mark, NoteStyle, PaleInk, Scene.Middle);
        }
        return bar.Bottom + 3 + NoteStyle.LineHeight;
    }

    private double WriteNote(Scene scene, double top, double width)
    {
        string failures = table.Rows.Any(row => row.Failed > 0) ? " † Some of the cell's trials failed; results.csv says why." : "";
        return WriteParagraph(
            scene,
            "In each cell: the median of all repetitions, and below it the ratio to the baseline (×), which is the geometric mean of one "
            + "ratio per block of trials that ran close together. A bold ratio differs from 1 with 95 % confidence. A question mark says "
            + "that it is inconclusive: its confidence interval includes 1, or there are fewer than two blocks to compare." + failures,
            top,
            width,
            NoteStyle,
            PaleInk);
    }

    private static double WriteParagraph(Scene scene, string text, double top, double width, TextStyle style, Color color)
    {
        IReadOnlyList<string> lines = style.Wrap(text, width);
        scene.WriteLines(lines, new(Margin, top, width, 0), style, color);
        return top + (lines.Count * style.LineHeight);
    }
}
