namespace Harness.Results.Statistics;

/// <summary>
/// A 95 % confidence interval for a mean: Student's t below ten values, the studentized bootstrap from ten on. Few values cannot show
/// their distribution's shape, so there the normal one is assumed; more of them can, and the bootstrap follows it (Efron and Tibshirani,
/// An Introduction to the Bootstrap, 1993, section 12.5).
/// </summary>
internal static class MeanInterval
{
    /// <summary>From this many values on, the bootstrap.</summary>
    public const int BootstrapFrom = 10;

    /// <summary>
    /// One less than a multiple of 40, so that both 2.5 % quantiles fall on an order statistic (Davison and Hinkley, Bootstrap Methods and
    /// their Application, 1997, section 5.2).
    /// </summary>
    public const int Resamples = 3999;

    private const double Tail = 0.025;

    /// <summary>What is left, relative to its terms, when a sum of squares is taken from an equal one.</summary>
    private const double RoundingError = 1e-12;

    /// <summary>The interval; null with fewer than two values, which say nothing of their spread.</summary>
    /// <param name="values">Finite values.</param>
    /// <param name="chance">What the bootstrap draws from; the same seed gives the same interval.</param>
    public static Interval? Of(ReadOnlySpan<double> values, Random chance) => values.Length switch
    {
        < 2 => null,
        < BootstrapFrom => StudentT(values),
        _ => Bootstrap(values, chance) ?? StudentT(values),
    };

    /// <summary>The interval that is exact for normally distributed values.</summary>
    internal static Interval StudentT(ReadOnlySpan<double> values)
    {
        var (mean, error) = MeanAndStandardError(values);
        double reach = error * MathNet.Numerics.Distributions.StudentT.InvCDF(0, 1, values.Length - 1, 1 - Tail);
        return new(mean - reach, mean + reach);
    }

    /// <summary>
    /// The interval whose t quantiles come from resampling. Null when a resample has no spread, and so no t: with ten distinct values that
    /// has a chance of 1e-9, so it means that most values are ties, as in a deterministic world, and the bootstrap has nothing to follow.
    /// </summary>
    internal static Interval? Bootstrap(ReadOnlySpan<double> values, Random chance)
    {
        var (mean, error) = MeanAndStandardError(values);
        double[] studentized = new double[Resamples];
        for (int i = 0; i < Resamples; i++)
        {
            // Measured from the mean, so that one pass keeps the spread.
            double sum = 0;
            double squares = 0;
            for (int j = 0; j < values.Length; j++)
            {
                double value = values[chance.Next(values.Length)] - mean;
                sum += value;
                squares += value * value;
            }
            double spread = squares - (sum * sum / values.Length);
            if (spread <= squares * RoundingError)
            {
                return null;
            }
            studentized[i] = sum / values.Length / Math.Sqrt(spread / (values.Length - 1) / values.Length);
        }
        Array.Sort(studentized);
        int rank = (int)Math.Round((Resamples + 1) * Tail);
        return new(mean - (studentized[^rank] * error), mean - (studentized[rank - 1] * error));
    }

    /// <summary>
    /// In two passes and from the first value on, since the textbook's one pass loses the spread of values that are close together, and so
    /// that equal values give exactly no spread.
    /// </summary>
    private static (double Mean, double StandardError) MeanAndStandardError(ReadOnlySpan<double> values)
    {
        double origin = values[0];
        double sum = 0;
        foreach (double value in values)
        {
            sum += value - origin;
        }
        double mean = origin + (sum / values.Length);
        double squares = 0;
        foreach (double value in values)
        {
            squares += (value - mean) * (value - mean);
        }
        return (mean, Math.Sqrt(squares / (values.Length - 1) / values.Length));
    }
}
