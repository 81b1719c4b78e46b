using Harness.Results.Statistics;
using Harness.Simulation.Machines;

namespace Harness.Experiments.Calibration;

/// <summary>A figure that was measured here: nanoseconds, with a 95 % confidence interval and what was done to get it.</summary>
/// <param name="Nanos">Its value; bytes per second for a rate.</param>
/// <param name="Low">The lower end of its interval.</param>
/// <param name="High">The upper end of its interval.</param>
/// <param name="Source">What was measured, and what was taken off.</param>
internal sealed record Figure(double Nanos, double Low, double High, string Source)
{
    private const double NanosPerSecond = 1e9;

    /// <summary>Whether its interval is so wide that it should not be relied on.</summary>
    public bool IsWide => High - Low > Sampler.WidthMax * Nanos;

    /// <summary>A figure that is what is left of this one when others are taken off; never below 0. The intervals' widths add up as errors do.</summary>
    public Figure Less(string source, params ReadOnlySpan<Figure> others)
    {
        double value = Nanos;
        double squares = Square(High - Low);
        foreach (Figure other in others)
        {
            value -= other.Nanos;
            squares += Square(other.High - other.Low);
        }

        double reach = Math.Sqrt(squares) / 2;
        return new Figure(Math.Max(0, value), Math.Max(0, value - reach), Math.Max(0, value + reach), source);
    }

    /// <summary>This figure and another one together.</summary>
    public Figure Plus(Figure other, string source)
    {
        double reach = Math.Sqrt(Square(High - Low) + Square(other.High - other.Low)) / 2;
        double value = Nanos + other.Nanos;
        return new Figure(value, Math.Max(0, value - reach), value + reach, source);
    }

    /// <summary>The figure of a part, or of several together.</summary>
    public Figure Times(double factor, string? source = null) => new(Nanos * factor, Low * factor, High * factor, source ?? Source);

    /// <summary>As a cost of a machine file.</summary>
    public Cost ToCost() => new((long)Math.Round(Nanos), Source)
    {
        LowNanoseconds = (long)Math.Floor(Math.Min(Low, Math.Round(Nanos))),
        HighNanoseconds = (long)Math.Ceiling(Math.Max(High, Math.Round(Nanos))),
    };

    /// <summary>The rate of something that moves so many bytes in this time.</summary>
    public Rate ToRate(long bytes) => new(PerSecond(bytes, Nanos), Source)
    {
        LowBytesPerSecond = PerSecond(bytes, High),
        HighBytesPerSecond = PerSecond(bytes, Low),
    };

    /// <summary>The median of repeated measurements, with the interval of the median.</summary>
    /// <param name="values">Nanoseconds each; at least six, since fewer have no such interval.</param>
    /// <param name="source">What was measured.</param>
    public static Figure Median(IReadOnlyCollection<double> values, string source)
    {
        var summary = Summary.Of(values, new Random(values.Count));
        Interval interval = summary.MedianInterval ?? throw new ArgumentException("a median's interval takes six values", nameof(values));
        return new Figure(summary.Median, interval.Low, interval.High, source);
    }

    private static long PerSecond(long bytes, double nanos) => Math.Max(1, (long)(bytes * NanosPerSecond / Math.Max(nanos, 1e-3)));

    private static double Square(double value) => value * value;
}
