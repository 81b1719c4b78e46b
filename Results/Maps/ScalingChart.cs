using ScottPlot;
using SkiaSharp;

namespace Harness.Results.Maps;

/// <summary>A line of a <see cref="ScalingPanel"/>.</summary>
/// <param name="Name">What stands at its end.</param>
/// <param name="Points">From left to right; coordinates greater than 0.</param>
public sealed record ScalingSeries(string Name, IReadOnlyList<(double X, double Y)> Points);

/// <summary>Lines that are compared with each other.</summary>
/// <param name="Heading">What they have in common.</param>
/// <param name="XLabel">The horizontal axis, unit included.</param>
/// <param name="YLabel">The vertical one.</param>
/// <param name="Series">At least one, each with at least one point.</param>
public sealed record ScalingPanel(string Heading, string XLabel, string YLabel, IReadOnlyList<ScalingSeries> Series);

/// <summary>How speed grows with the number of jobs: a panel for each experiment, both axes logarithmic, so that what scales is a straight line.</summary>
public static class ScalingChart
{
    private const int PanelWidth = 860;
    private const int PanelHeight = 620;
    private const int Density = 2;
    private const float LineWidth = 2.5f;
    private const float MarkerSize = 6;
    private const float NameSize = 14;
    private const float AxisSize = 14;
    private const float HeadingSize = 17;
    private const double LineOfText = 0.042;
    private const double RoomForNames = 0.36;

    // Okabe and Ito's colours, which people with any of the common colour blindnesses tell apart (jfly.uni-koeln.de/color).
    private static readonly Color[] Palette =
        [.. new[] { "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999" }.Select(hex => Color.FromHex(hex))];

    private static readonly MarkerShape[] Markers =
        [MarkerShape.FilledCircle, MarkerShape.FilledSquare, MarkerShape.FilledDiamond, MarkerShape.FilledTriangleUp, MarkerShape.FilledTriangleDown];

    static ScalingChart() => InterFont.Register();

    /// <summary>Draws the chart as a PNG file, whole or not at all.</summary>
    /// <param name="path">The file to create or replace.</param>
    /// <param name="panels">At least one; they stand under each other.</param>
    /// <param name="caption">Where the figures come from.</param>
    /// <exception cref="IOException">The directory is missing or full.</exception>
    public static void Write(string path, IReadOnlyList<ScalingPanel> panels, MapCaption caption)
    {
        ArgumentNullException.ThrowIfNull(panels);
        ArgumentNullException.ThrowIfNull(caption);
        int columns = Math.Min(panels.Count, 2);
        int rows = (panels.Count + columns - 1) / columns;
        using SKSurface surface = SKSurface.Create(new SKImageInfo(columns * PanelWidth * Density, rows * PanelHeight * Density));
        surface.Canvas.Clear(SKColors.White);
        for (int i = 0; i < panels.Count; i++)
        {
            using var plot = new Plot { ScaleFactor = Density };
            Draw(plot, panels[i], i == panels.Count - 1 ? $"\n{caption.Run} · {caption.Kernel} · {caption.Machine}" : "\n ");
            using SKBitmap panel = SKBitmap.Decode(plot.GetImageBytes(PanelWidth * Density, PanelHeight * Density, ImageFormat.Png));
            surface.Canvas.DrawBitmap(panel, i % columns * PanelWidth * Density, i / columns * PanelHeight * Density);
        }

        using SKImage whole = surface.Snapshot();
        using SKData png = whole.Encode(SKEncodedImageFormat.Png, 100);
        WholeFile.Write(path, png.ToArray());
    }

    /// <summary>
    /// Where the lines' names stand, as shares of the axis' height: each at its line's end, or as far away from it as its neighbours need.
    /// </summary>
    /// <param name="ends">Where each line ends, as a share of the height.</param>
    internal static double[] Spread(IReadOnlyList<double> ends)
    {
        double[] places = [.. ends];
        int[] order = [.. Enumerable.Range(0, ends.Count).OrderBy(i => ends[i])];

        // Upwards until no name lies on another, then down again from the top if they have run out of it.
        for (int i = 1; i < order.Length; i++)
        {
            places[order[i]] = Math.Max(places[order[i]], places[order[i - 1]] + LineOfText);
        }

        double ceiling = 1;
        for (int i = order.Length - 1; i >= 0; i--)
        {
            places[order[i]] = Math.Min(places[order[i]], ceiling);
            ceiling = places[order[i]] - LineOfText;
        }

        return places;
    }

    private static void Draw(Plot plot, ScalingPanel panel, string caption)
    {
        plot.Font.Set(InterFont.Name);
        double left = panel.Series.Min(series => Math.Log10(series.Points[0].X));
        double right = Math.Max(left + 0.1, panel.Series.Max(series => Math.Log10(series.Points[^1].X)));
        double low = panel.Series.Min(series => series.Points.Min(point => Math.Log10(point.Y))) - 0.08;
        double high = panel.Series.Max(series => series.Points.Max(point => Math.Log10(point.Y))) + 0.08;
        double[] names = Spread([.. panel.Series.Select(series => (Math.Log10(series.Points[^1].Y) - low) / (high - low))]);
        for (int i = 0; i < panel.Series.Count; i++)
        {
            ScalingSeries series = panel.Series[i];
            var line = plot.Add.Scatter(
                series.Points.Select(point => Math.Log10(point.X)).ToArray(), series.Points.Select(point => Math.Log10(point.Y)).ToArray());
            line.Color = Palette[i % Palette.Length];
            line.LineWidth = LineWidth;
            line.MarkerShape = Markers[i % Markers.Length];
            line.MarkerSize = MarkerSize;
            var name = plot.Add.Text(series.Name, right + ((right - left) * 0.02), low + (names[i] * (high - low)));
            name.LabelFontName = InterFont.Name;
            name.LabelFontColor = line.Color;
            name.LabelFontSize = NameSize;
            name.LabelBold = true;
            name.LabelAlignment = Alignment.MiddleLeft;
        }

        LogarithmicAxis.Apply(plot.Axes.Left, low, high);
        plot.Axes.Bottom.TickGenerator = PowersOfTwo(left, right);
        plot.Axes.SetLimits(left - 0.03, right + ((right - left) * RoomForNames), low, high);
        plot.Axes.Left.TickLabelStyle.FontSize = plot.Axes.Bottom.TickLabelStyle.FontSize = AxisSize;
        plot.Axes.Left.Label.FontSize = plot.Axes.Bottom.Label.FontSize = AxisSize;
        plot.Axes.Left.Label.Bold = plot.Axes.Bottom.Label.Bold = false;
        plot.Title(panel.Heading, HeadingSize);
        plot.XLabel(panel.XLabel + caption);
        plot.YLabel(panel.YLabel);
    }

    private static ScottPlot.TickGenerators.NumericManual PowersOfTwo(double left, double right)
    {
        var ticks = new ScottPlot.TickGenerators.NumericManual();
        for (int value = 1; Math.Log10(value) <= right + 0.001; value *= 2)
        {
            if (Math.Log10(value) >= left - 0.001)
            {
                ticks.AddMajor(Math.Log10(value), FormattableString.Invariant($"{value}"));
            }
        }

        return ticks;
    }
}
