using MathNet.Numerics.Distributions;

namespace Harness.Results.Statistics;

/// <summary>The values of one cell: what a configuration gave on a workload over all blocks.</summary>
/// <param name="Count">How many values.</param>
/// <param name="Mean">Their mean; NaN without a value.</param>
/// <param name="MeanInterval">The mean's 95 % confidence interval; null with fewer than two values.</param>
/// <param name="Median">Their median; NaN without a value.</param>
/// <param name="MedianInterval">The median's confidence interval, at least 95 %; null with fewer than six values, which give none.</param>
public sealed record Summary(int Count, double Mean, Interval? MeanInterval, double Median, Interval? MedianInterval)
{
    /// <summary>Summarizes values.</summary>
    /// <param name="values">Finite values, in any order.</param>
    /// <param name="chance">What the mean's bootstrap draws from; the same seed gives the same interval.</param>
    public static Summary Of(IEnumerable<double> values, Random chance)
    {
        double[] sorted = [.. values.Order()];
        double mean = sorted.Length == 0 ? double.NaN : sorted.Average();
        return new(sorted.Length, mean, Statistics.MeanInterval.Of(sorted, chance), MedianOf(sorted), MedianIntervalOf(sorted));
    }

    /// <summary>The median alone; NaN without a value.</summary>
    public static double MedianOf(IEnumerable<double> values) => MedianOf([.. values.Order()]);

    private static double MedianOf(double[] sorted) => sorted.Length switch
    {
        0 => double.NaN,
        int n when n % 2 == 1 => sorted[n / 2],
        int n => (sorted[(n / 2) - 1] + sorted[n / 2]) / 2,
    };

    /// <summary>
    /// The interval between two order statistics, which needs no assumption about the distribution: each value lies below the median with
    /// chance one half (Conover, Practical Nonparametric Statistics, 3rd edition, 1999, section 3.2).
    /// </summary>
    private static Interval? MedianIntervalOf(double[] sorted)
    {
        int cut = 0;
        while (cut < sorted.Length / 2 && Binomial.CDF(0.5, sorted.Length, cut) <= 0.025)
        {
            cut++;
        }
        return cut == 0 ? null : new(sorted[cut - 1], sorted[^cut]);
    }
}
