namespace Harness.Results.Statistics;

/// <summary>A closed interval, here always a confidence interval of 95 %.</summary>
/// <param name="Low">The lower end.</param>
/// <param name="High">The upper end, not below the lower.</param>
public readonly record struct Interval(double Low, double High)
{
    /// <summary>Whether a value lies in the interval, ends included.</summary>
    public bool Contains(double value) => Low <= value && value <= High;
}
