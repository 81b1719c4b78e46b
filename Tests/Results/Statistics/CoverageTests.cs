using Harness.Results.Statistics;
using MathNet.Numerics.Distributions;

namespace Harness.Tests.Results.Statistics;

/// <summary>
/// Whether the intervals keep their promise, on synthetic experiments whose truth is known. Each test is one draw from a fixed seed, so it
/// gives the same answer for ever; the bounds are three standard errors of such a count.
/// </summary>
public sealed class CoverageTests
{
    private const int Seed = 20250601;

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(9)]
    public void StudentIntervalsOfNormalLogRatiosCoverTheTruthIn95PercentOfExperiments(int blocks) =>
        AssertCoverage(experiments: 10_000, blocks, low: 0.95, high: 0.95);

    [Theory]
    [InlineData(10)]
    [InlineData(12)]
    public void BootstrapIntervalsOfNormalLogRatiosCoverTheTruthIn95PercentOfExperiments(int blocks) =>
        AssertCoverage(experiments: 2_000, blocks, low: 0.94, high: 0.96);

    /// <summary>
    /// No interval of so few values is exact for a skewed distribution. For exponential log ratios (skewness 2), far more skewed than what
    /// trials give, the bootstrap's promise is to stay near 95 %, between 92 and 97 %, and nearer than Student's t.
    /// </summary>
    [Fact]
    public void BootstrapIntervalsOfSkewedLogRatiosStayNear95PercentAndNearerThanStudents()
    {
        const int experiments = 2_000;
        var random = new Random(Seed);
        int bootstrap = 0;
        int student = 0;
        for (int i = 0; i < experiments; i++)
        {
            double[] values = [.. Enumerable.Range(0, 12).Select(_ => Exponential.Sample(random, 1) - 1)];
            bootstrap += MeanInterval.Of(values, random)!.Value.Contains(0) ? 1 : 0;
            student += MeanInterval.StudentT(values).Contains(0) ? 1 : 0;
        }

        string counts = $"bootstrap-t covered {bootstrap} times, Student's t {student} times of {experiments} (new Random({Seed}))";
        Assert.True(0.92 * experiments <= bootstrap && bootstrap <= 0.97 * experiments, counts);
        Assert.True(bootstrap > student + 20, counts);
    }

    /// <summary>Drift between blocks is far larger than the difference; only pairing by block can see it.</summary>
    [Theory]
    [InlineData(5)]
    [InlineData(12)]
    public void ARatioOf1Point3UnderNoiseAndDriftIsFound(int blocks)
    {
        const int experiments = 300;
        var random = new Random(Seed);
        int found = 0;
        int wrong = 0;
        for (int i = 0; i < experiments; i++)
        {
            var (baseline, configuration) = Experiment(random, blocks, trueRatio: 1.3);
            Comparison comparison = Comparison.Of(baseline, configuration, Direction.HigherIsBetter, random);
            found += comparison.Verdict == Verdict.Better ? 1 : 0;
            wrong += comparison.Verdict == Verdict.Worse ? 1 : 0;
        }

        Assert.True(found >= 0.95 * experiments, $"found in {found} of {experiments}");
        Assert.Equal(0, wrong);
    }

    [Theory]
    [InlineData(5, 4_000)]
    [InlineData(12, 1_000)]
    public void WithoutADifferenceOneExperimentIn20CallsOne(int blocks, int experiments)
    {
        var random = new Random(Seed);
        int called = 0;
        for (int i = 0; i < experiments; i++)
        {
            var (baseline, configuration) = Experiment(random, blocks, trueRatio: 1);
            called += Comparison.Of(baseline, configuration, Direction.HigherIsBetter, random).Verdict != Verdict.Inconclusive ? 1 : 0;
        }

        double expected = 0.05 * experiments;
        Assert.InRange(called, expected - 3 * Math.Sqrt(expected), expected + 3 * Math.Sqrt(expected));
    }

    /// <summary>Trials with 5 % noise each, on a machine whose speed drifts by ±30 % from block to block.</summary>
    private static (Dictionary<int, double> Baseline, Dictionary<int, double> Configuration) Experiment(
        Random random, int blocks, double trueRatio)
    {
        var baseline = new Dictionary<int, double>();
        var configuration = new Dictionary<int, double>();
        for (int block = 0; block < blocks; block++)
        {
            double speed = 10_000 * Math.Exp(Normal.Sample(random, 0, 0.3));
            baseline[block] = speed * Math.Exp(Normal.Sample(random, 0, 0.05));
            configuration[block] = speed * trueRatio * Math.Exp(Normal.Sample(random, 0, 0.05));
        }
        return (baseline, configuration);
    }

    private static void AssertCoverage(int experiments, int blocks, double low, double high)
    {
        var random = new Random(Seed);
        int covered = 0;
        for (int i = 0; i < experiments; i++)
        {
            double[] values = [.. Enumerable.Range(0, blocks).Select(_ => Normal.Sample(random, 0, 0.1))];
            covered += MeanInterval.Of(values, random)!.Value.Contains(0) ? 1 : 0;
        }

        double share = (double)covered / experiments;
        double error = Math.Sqrt(0.95 * 0.05 / experiments);
        Assert.True(
            low - 3 * error <= share && share <= high + 3 * error,
            $"{share:P2} of the intervals of {blocks} values cover the truth, not {low:P0} to {high:P0} ± {3 * error:P2} "
            + $"(new Random({Seed}))");
    }
}
