namespace Harness.Results.Statistics;

/// <summary>Rank correlation: whether two lists order the same things alike.</summary>
public static class KendallTau
{
    /// <summary>
    /// Kendall's tau-b, which allows for ties: 1 for the same order, −1 for the opposite, about 0 for no relation (Kendall, The treatment
    /// of ties in ranking problems, Biometrika 33, 1945). Takes time quadratic in the number of values.
    /// </summary>
    /// <param name="first">One list.</param>
    /// <param name="second">The other, its values for the same things in the same places.</param>
    /// <returns>Null when all values of a list are equal: they have no order.</returns>
    /// <exception cref="ArgumentException">The lists differ in length.</exception>
    public static double? B(IReadOnlyList<double> first, IReadOnlyList<double> second)
    {
        if (first.Count != second.Count)
        {
            throw new ArgumentException($"{first.Count} values cannot be paired with {second.Count}", nameof(second));
        }
        long agreement = 0;
        long distinctInFirst = 0;
        long distinctInSecond = 0;
        for (int i = 0; i < first.Count; i++)
        {
            for (int j = 0; j < i; j++)
            {
                int a = Math.Sign(first[i].CompareTo(first[j]));
                int b = Math.Sign(second[i].CompareTo(second[j]));
                agreement += a * b;
                distinctInFirst += a * a;
                distinctInSecond += b * b;
            }
        }
        return distinctInFirst == 0 || distinctInSecond == 0
            ? null
            : agreement / Math.Sqrt((double)distinctInFirst * distinctInSecond);
    }
}
