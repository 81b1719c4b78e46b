using ScottPlot;

namespace Harness.Results.Maps;

/// <summary>A point of a <see cref="ScatterChart"/>.</summary>
/// <param name="Series">What the legend calls it; points of the same name have the same colour.</param>
/// <param name="X">Greater than 0.</param>
/// <param name="Y">Greater than 0.</param>
public sealed record ScatterPoint(string Series, double X, double Y);

/// <summary>Predicted against measured, both on a logarithmic scale, with the line where they are equal.</summary>
public static class ScatterChart
{
    private const int Side = 900;
    private const float MarkerSize = 9;

    /// <summary>Draws it into a PNG file, which is written whole or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <param name="title">What it shows.</param>
    /// <param name="xLabel">The horizontal axis, unit included.</param>
    /// <param name="yLabel">The vertical one.</param>
    /// <param name="points">At least one.</param>
    /// <param name="caption">Where the figures come from.</param>
    /// <exception cref="ArgumentException">There is no point, or one that has no logarithm.</exception>
    /// <exception cref="IOException">The directory is missing or full.</exception>
    public static void Write(
        string path, string title, string xLabel, string yLabel, IReadOnlyList<ScatterPoint> points, MapCaption caption)
    {
        ArgumentNullException.ThrowIfNull(points);
        ArgumentNullException.ThrowIfNull(caption);
        (double low, double high) = Powers(points);
        using var plot = new Plot();
        plot.Add.Line(low, low, high, high).Color = Colors.Gray;
        foreach (IGrouping<string, ScatterPoint> series in points.GroupBy(point => point.Series))
        {
            var markers = plot.Add.ScatterPoints(
                series.Select(point => Math.Log10(point.X)).ToArray(), series.Select(point => Math.Log10(point.Y)).ToArray());
            markers.LegendText = series.Key;
            markers.MarkerSize = MarkerSize;
        }

        LogarithmicAxis.Apply(plot.Axes.Bottom, low, high);
        LogarithmicAxis.Apply(plot.Axes.Left, low, high);
        plot.Axes.SetLimits(low, high, low, high);
        plot.Title(title);
        plot.XLabel($"{xLabel}\n{caption.Run} · {caption.Kernel}\n{caption.Machine}");
        plot.YLabel(yLabel);
        plot.ShowLegend(Alignment.LowerRight);
        WholeFile.Write(path, plot.GetImageBytes(Side, Side, ImageFormat.Png));
    }

    /// <summary>The powers of ten between which all points lie, at least one apart.</summary>
    internal static (double Low, double High) Powers(IReadOnlyList<ScatterPoint> points)
    {
        if (points.Count == 0)
        {
            throw new ArgumentException("a scatter chart needs a point", nameof(points));
        }

        foreach (ScatterPoint point in points)
        {
            if (!(point.X > 0 && point.Y > 0 && double.IsFinite(point.X) && double.IsFinite(point.Y)))
            {
                throw new ArgumentException($"{point} has no place on logarithmic scales", nameof(points));
            }
        }

        double low = Math.Floor(points.Min(point => Math.Log10(Math.Min(point.X, point.Y))));
        double high = Math.Ceiling(points.Max(point => Math.Log10(Math.Max(point.X, point.Y))));
        return (low, Math.Max(high, low + 1));
    }
}

/// <summary>An axis whose coordinates are logarithms to the base 10, marked at 1, 2 and 5 of each power.</summary>
internal static class LogarithmicAxis
{
    /// <summary>Marks the axis.</summary>
    public static void Apply(IAxis axis, double low, double high)
    {
        var ticks = new ScottPlot.TickGenerators.NumericManual();
        for (double power = Math.Floor(low); power <= high; power++)
        {
            foreach (int factor in (int[])[1, 2, 5])
            {
                double value = factor * Math.Pow(10, power);
                ticks.AddMajor(Math.Log10(value), Short(value));
            }
        }

        axis.TickGenerator = ticks;
    }

    private static string Short(double value) => value switch
    {
        >= 1e9 => FormattableString.Invariant($"{value / 1e9:0.#} G"),
        >= 1e6 => FormattableString.Invariant($"{value / 1e6:0.#} M"),
        >= 1e3 => FormattableString.Invariant($"{value / 1e3:0.#} K"),
        _ => FormattableString.Invariant($"{value:0.##}"),
    };
}
