namespace Harness.Results.Statistics;

/// <summary>Which way a metric is better.</summary>
public enum Direction
{
    /// <summary>As throughput.</summary>
    HigherIsBetter,

    /// <summary>As latency.</summary>
    LowerIsBetter,
}

/// <summary>What a comparison with the baseline says.</summary>
public enum Verdict
{
    /// <summary>The interval includes 1, or there are too few pairs for one.</summary>
    Inconclusive,

    /// <summary>The whole interval is on the better side of 1.</summary>
    Better,

    /// <summary>The whole interval is on the worse side of 1.</summary>
    Worse,
}

/// <summary>
/// A configuration against the baseline. Each block gives one ratio of the two trials that ran close together in it, so what drifts between
/// blocks cancels; ratios are averaged and judged as logarithms, where twice and half are equally far from 1.
/// </summary>
/// <param name="Ratio">The geometric mean of the ratios, configuration to baseline; null without a pair.</param>
/// <param name="Interval">Its 95 % confidence interval; null with fewer than two pairs.</param>
/// <param name="Pairs">Blocks in which both were measured.</param>
/// <param name="Excluded">Further blocks that both have, but with a value that has no logarithm: zero, negative or not finite.</param>
/// <param name="Verdict">What follows.</param>
public sealed record Comparison(double? Ratio, Interval? Interval, int Pairs, int Excluded, Verdict Verdict)
{
    /// <summary>Compares a configuration with the baseline, block by block. Blocks that one of the two lacks do not count.</summary>
    /// <param name="baseline">The baseline's value by block.</param>
    /// <param name="configuration">The configuration's value by block.</param>
    /// <param name="direction">Which way the metric is better.</param>
    /// <param name="chance">What the bootstrap draws from; the same seed gives the same comparison.</param>
    public static Comparison Of(
        IReadOnlyDictionary<int, double> baseline, IReadOnlyDictionary<int, double> configuration, Direction direction, Random chance)
    {
        int[] blocks = [.. configuration.Keys.Where(baseline.ContainsKey).Order()];
        double[] logRatios =
        [
            .. blocks.Where(block => HasLogarithm(baseline[block]) && HasLogarithm(configuration[block]))
                .Select(block => Math.Log(configuration[block] / baseline[block])),
        ];
        double? ratio = logRatios.Length == 0 ? null : Math.Exp(logRatios.Average());
        Interval? interval = MeanInterval.Of(logRatios, chance) is { } log ? new(Math.Exp(log.Low), Math.Exp(log.High)) : null;
        return new(ratio, interval, logRatios.Length, blocks.Length - logRatios.Length, Judge(interval, direction));
    }

    private static bool HasLogarithm(double value) => value > 0 && double.IsFinite(value);

    private static Verdict Judge(Interval? interval, Direction direction)
    {
        if (interval is not { } range || range.Contains(1))
        {
            return Verdict.Inconclusive;
        }
        return range.Low > 1 == (direction == Direction.HigherIsBetter) ? Verdict.Better : Verdict.Worse;
    }
}
