namespace Harness.Results.Statistics;

/// <summary>The mean of ratios, in which twice and half cancel.</summary>
public static class GeometricMean
{
    /// <summary>The geometric mean.</summary>
    /// <param name="values">Positive and finite.</param>
    /// <returns>Null without a value.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is zero, negative or not finite.</exception>
    public static double? Of(IEnumerable<double> values)
    {
        double sum = 0;
        int count = 0;
        foreach (double value in values)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(values));
            ArgumentOutOfRangeException.ThrowIfEqual(double.IsFinite(value), false, nameof(values));
            sum += Math.Log(value);
            count++;
        }
        return count == 0 ? null : Math.Exp(sum / count);
    }
}
