using System.Globalization;
using ScottPlot;

namespace Harness.Results.Maps;

/// <summary>A part of a bar.</summary>
/// <param name="Name">What the legend calls it; parts of the same name have the same colour.</param>
/// <param name="Micros">Its length, µs.</param>
public sealed record StagePart(string Name, double Micros);

/// <summary>A bar of a <see cref="StageChart"/>.</summary>
/// <param name="Name">What it is about.</param>
/// <param name="Detail">A second line, smaller.</param>
/// <param name="Parts">Its parts from the left, in the same order in all bars.</param>
public sealed record StageBar(string Name, string Detail, IReadOnlyList<StagePart> Parts)
{
    internal double Micros => Parts.Sum(part => part.Micros);
}

/// <summary>Bars that are compared with each other, on one scale.</summary>
/// <param name="Heading">What they have in common; empty for no heading.</param>
/// <param name="Bars">At least one.</param>
public sealed record StagePanel(string Heading, IReadOnlyList<StageBar> Bars);

/// <summary>Where time goes, as bars stacked from stages; a scale of microseconds for each panel.</summary>
public static class StageChart
{
    private const double Margin = 28;
    private const double Width = 1180;
    private const double HeadWidthMax = 300;
    private const double HeadMargin = 14;
    private const double BarHeight = 46;
    private const double BarGap = 16;
    private const double ValueWidth = 84;
    private const double SwatchSize = 14;
    private const double TextMargin = 5;
    private const int TicksMax = 10;

    private static readonly TextStyle TitleStyle = new(25, Bold: true);
    private static readonly TextStyle CaptionStyle = new(13);
    private static readonly TextStyle HeadingStyle = new(17, Bold: true);
    private static readonly TextStyle HeadStyle = new(14, Bold: true);
    private static readonly TextStyle DetailStyle = new(12.5f);
    private static readonly TextStyle ValueStyle = new(13, Bold: true);

    // The kernel's share in blue, the daemon's in green, waiting for a thread to run in red and orange.
    private static readonly Color[] Palette =
        [.. new[] { "#A9C1DC", "#6C93C0", "#D1495B", "#3B5F8A", "#8CCB9B", "#2E7D4F", "#8D6A9F", "#EDAE49", "#BFBFBF" }.Select(hex => Color.FromHex(hex))];

    /// <summary>Draws the chart as a PNG file, whole or not at all.</summary>
    /// <param name="path">The file to create or replace.</param>
    /// <param name="title">What the bars are.</param>
    /// <param name="caption">Where the figures come from, and what is to be known of them; a line each, which may be wrapped.</param>
    /// <param name="panels">At least one.</param>
    /// <exception cref="IOException">The directory is missing or full.</exception>
    public static void Write(string path, string title, IReadOnlyList<string> caption, IReadOnlyList<StagePanel> panels) =>
        WholeFile.Write(path, ScenePainter.Png(Compose(title, caption, panels)));

    /// <summary>Lays the picture out.</summary>
    internal static Scene Compose(string title, IReadOnlyList<string> caption, IReadOnlyList<StagePanel> panels)
    {
        StageBar[] bars = [.. panels.SelectMany(panel => panel.Bars)];
        var scene = new Scene { Width = Width };
        double bottom = Paragraph(scene, title, Margin, TitleStyle, HeatMap.Ink) + 4;
        bottom = caption.Aggregate(bottom, (top, line) => Paragraph(scene, line, top, CaptionStyle, HeatMap.PaleInk));
        string[] stages = [.. bars.SelectMany(bar => bar.Parts).Select(part => part.Name).Distinct()];
        Dictionary<string, Color> colors = stages.Index().ToDictionary(each => each.Item, each => Palette[each.Index % Palette.Length]);
        bottom = DrawLegend(scene, bottom + 16, stages, colors);

        double headWidth = Math.Min(HeadWidthMax, bars.Max(bar => Math.Max(HeadStyle.Width(bar.Name), DetailStyle.Width(bar.Detail))));
        foreach (StagePanel panel in panels)
        {
            bottom = DrawPanel(scene, panel, bottom + 20, headWidth, colors);
        }

        scene.Height = Math.Ceiling(bottom + Margin);
        return scene;
    }

    private static double DrawPanel(Scene scene, StagePanel panel, double top, double headWidth, Dictionary<string, Color> colors)
    {
        if (panel.Heading.Length > 0)
        {
            top = Paragraph(scene, panel.Heading, top, HeadingStyle, HeatMap.Ink) + 8;
        }

        double left = Margin + headWidth + HeadMargin;
        var plot = new Box(left, top, Width - Margin - ValueWidth - left, 0);
        // A time of nothing has a scale too.
        double pixelsPerMicro = plot.Width / Math.Max(panel.Bars.Max(bar => bar.Micros), 1e-3);
        foreach (StageBar bar in panel.Bars)
        {
            top += DrawBar(scene, bar, plot with { Top = top }, headWidth, pixelsPerMicro, colors) + BarGap;
        }

        return DrawScale(scene, plot with { Top = top - BarGap + 6 }, pixelsPerMicro);
    }

    private static double DrawLegend(Scene scene, double top, IEnumerable<string> stages, Dictionary<string, Color> colors)
    {
        const double between = 22;
        double left = Margin;
        foreach (string stage in stages)
        {
            double width = SwatchSize + 6 + DetailStyle.Width(stage);
            if (left + width > Width - Margin)
            {
                left = Margin;
                top += DetailStyle.LineHeight + 6;
            }

            scene.Fill(new(left, top + 1, SwatchSize, SwatchSize), colors[stage], HeatMap.Hairline);
            scene.Write(stage, new(left + SwatchSize + 6, top, width, DetailStyle.LineHeight), DetailStyle, HeatMap.Ink);
            left += width + between;
        }

        return top + DetailStyle.LineHeight;
    }

    private static double DrawBar(
        Scene scene, StageBar bar, Box plot, double headWidth, double pixelsPerMicro, Dictionary<string, Color> colors)
    {
        IReadOnlyList<string> names = HeadStyle.Wrap(bar.Name, headWidth);
        IReadOnlyList<string> details = DetailStyle.Wrap(bar.Detail, headWidth);
        double headHeight = (names.Count * HeadStyle.LineHeight) + (details.Count * DetailStyle.LineHeight);
        double height = Math.Max(BarHeight, headHeight);
        var head = new Box(Margin, plot.Top + ((height - headHeight) / 2), headWidth, 0);
        scene.WriteLines(names, head, HeadStyle, HeatMap.Ink, Scene.Right);
        scene.WriteLines(
            details, head with { Top = head.Top + (names.Count * HeadStyle.LineHeight) }, DetailStyle, HeatMap.PaleInk, Scene.Right);

        double x = plot.Left;
        foreach (StagePart part in bar.Parts)
        {
            var box = new Box(x, plot.Top + ((height - BarHeight) / 2), part.Micros * pixelsPerMicro, BarHeight);
            scene.Fill(box, colors[part.Name], HeatMap.Hairline);
            string value = Number(part.Micros);
            if (ValueStyle.Width(value) + (2 * TextMargin) <= box.Width)
            {
                scene.Write(value, box, ValueStyle, DivergingScale.InkOn(colors[part.Name]), Scene.Middle);
            }

            x = box.Right;
        }

        scene.Write($"{Number(bar.Micros)} µs", new(x + 8, plot.Top, ValueWidth, height), ValueStyle, HeatMap.Ink);
        return height;
    }

    private static double DrawScale(Scene scene, Box plot, double pixelsPerMicro)
    {
        const double markWidth = 80;
        double step = Step(plot.Width / pixelsPerMicro / TicksMax);
        scene.Fill(plot with { Height = 1 }, HeatMap.Hairline, HeatMap.Hairline);
        for (double micros = 0; micros * pixelsPerMicro <= plot.Width + 0.5; micros += step)
        {
            double x = plot.Left + (micros * pixelsPerMicro);
            scene.Fill(new(x, plot.Top, 1, 5), HeatMap.Hairline, HeatMap.Hairline);
            var mark = new Box(x - (markWidth / 2), plot.Top + 8, markWidth, DetailStyle.LineHeight);
            scene.Write($"{Number(micros)} µs", mark, DetailStyle, HeatMap.PaleInk, Scene.Middle);
        }

        return plot.Top + 8 + DetailStyle.LineHeight;
    }

    /// <summary>The least of 1, 2, 5, 10, … that is not below a width.</summary>
    private static double Step(double micros)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(Math.Max(micros, 1e-3))));
        return ((double[])[power, 2 * power, 5 * power, 10 * power]).First(step => step >= micros * 0.999);
    }

    private static double Paragraph(Scene scene, string text, double top, TextStyle style, Color color)
    {
        IReadOnlyList<string> lines = style.Wrap(text, Width - (2 * Margin));
        scene.WriteLines(lines, new(Margin, top, Width - (2 * Margin), 0), style, color);
        return top + (lines.Count * style.LineHeight);
    }

    private static string Number(double micros) =>
        micros.ToString(micros is 0 or >= 100 ? "0" : micros >= 10 ? "0.#" : "0.##", CultureInfo.InvariantCulture);
}
