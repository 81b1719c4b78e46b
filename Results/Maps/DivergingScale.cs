using Harness.Results.Statistics;
using ScottPlot;

namespace Harness.Results.Maps;

/// <summary>
/// The colours of ratios: white is the baseline, blue is better, orange is worse, and twice is as deep as half. Blue and orange are told
/// apart by people with any of the common colour blindnesses; the shades are ColorBrewer's RdBu and PuOr (Brewer, colorbrewer2.org).
/// </summary>
internal sealed class DivergingScale
{
    /// <summary>
    /// Where the colour is deepest, the ratio and its inverse. Squares, so that the mark half-way along the scale is a round ratio too.
    /// A ratio beyond the last is as deep as it: else one large gain would bleach all others.
    /// </summary>
    private static readonly double[] Limits = [1.21, 1.44, 2.25, 4];

    private static readonly Color[] Better = [Colors.White, Color.FromHex("#92C5DE"), Color.FromHex("#2166AC")];
    private static readonly Color[] Worse = [Colors.White, Color.FromHex("#FDB863"), Color.FromHex("#B35806")];

    private readonly Direction direction;

    /// <summary>The smallest scale that holds the ratios, up to the last limit.</summary>
    public DivergingScale(IEnumerable<double> ratios, Direction direction)
    {
        this.direction = direction;
        double farthest = ratios.Select(Depth).DefaultIfEmpty(1).Max();
        Limit = Limits.FirstOrDefault(limit => farthest <= limit, Limits[^1]);
        IsExceeded = farthest > Limit;
    }

    /// <summary>The ratio of the deepest colour, above 1.</summary>
    public double Limit { get; }

    /// <summary>Whether some ratio is beyond the deepest colour.</summary>
    public bool IsExceeded { get; }

    /// <summary>A ratio's place on the scale, from −1, worst, over 0, the baseline, to 1, best.</summary>
    public double Place(double ratio)
    {
        double depth = Math.Clamp(Math.Log(ratio) / Math.Log(Limit), -1, 1);
        return direction == Direction.HigherIsBetter ? depth : -depth;
    }

    /// <summary>The ratio at a place on the scale.</summary>
    public double RatioAt(double place) => Math.Pow(Limit, direction == Direction.HigherIsBetter ? place : -place);

    /// <summary>The colour at a place on the scale.</summary>
    public static Color ColorAt(double place)
    {
        Color[] stops = place >= 0 ? Better : Worse;
        double along = Math.Abs(place) * (stops.Length - 1);
        int stop = Math.Min((int)along, stops.Length - 2);
        return stops[stop].MixedWith(stops[stop + 1], along - stop);
    }

    /// <summary>Black or white, whichever is easier to read on a colour.</summary>
    public static Color InkOn(Color background) =>
        Contrast(background, Colors.Black) >= Contrast(background, Colors.White) ? Colors.Black : Colors.White;

    /// <summary>The contrast ratio of two colours, from 1 to 21 (WCAG 2.2, section 1.4.3).</summary>
    internal static double Contrast(Color one, Color other)
    {
        double a = Luminance(one);
        double b = Luminance(other);
        return (Math.Max(a, b) + 0.05) / (Math.Min(a, b) + 0.05);
    }

    private static double Luminance(Color color)
    {
        return (0.2126 * Linear(color.R)) + (0.7152 * Linear(color.G)) + (0.0722 * Linear(color.B));

        static double Linear(byte channel)
        {
            double value = channel / 255.0;
            return value <= 0.04045 ? value / 12.92 : Math.Pow((value + 0.055) / 1.055, 2.4);
        }
    }

    private static double Depth(double ratio) => Math.Max(ratio, 1 / ratio);
}
