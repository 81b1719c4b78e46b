using Harness.Experiments.Prediction;
using Harness.Results.Records;

namespace Harness.Tests.Experiments.Prediction;

public sealed class PredictionScoreTests
{
    private static readonly IReadOnlyList<PredictionCell> s_cells = PredictionPlan.Cells(TimeSpan.FromSeconds(1), "0us", quick: false);

    [Fact]
    public void ThereAreAtLeastFortyCellsEachOfItsOwnName()
    {
        Assert.True(s_cells.Count >= 40);
        Assert.Equal(s_cells.Count, s_cells.Select(cell => $"{cell}").Distinct().Count());
        Assert.True(PredictionPlan.Cells(TimeSpan.FromSeconds(1), "0us", quick: true).Count >= 40);
    }

    [Fact]
    public void APerfectPredictionHasNoErrorAndATauOfOne()
    {
        PredictionScore score = Score((0, 100, 100), (1, 200, 200), (2, 400, 400));
        Assert.Equal("3 cells, median error 0.0 %, tau 1.00", score.ClosingLine);
        Assert.Equal(3, score.Pairs);
    }

    [Fact]
    public void AReversedRankingHasATauOfMinusOne() => Assert.Equal(-1, Score((0, 100, 400), (1, 200, 200), (2, 400, 100)).Tau);

    [Fact]
    public void PairsThatTheMeasurementCannotTellApartAreLeftOut()
    {
        PredictionScore score = Score((0, 100, 900), (1, 100, 100));
        Assert.Equal(0, score.Pairs);
        Assert.Null(score.Tau);
    }

    [Fact]
    public void TheErrorIsAShareOfWhatWasMeasured() => Assert.Equal(0.5, Score((0, 200, 100)).MedianError, 6);

    [Fact]
    public void APredictionDependsOnTheMachineAndTheCellAlone()
    {
        PredictionCell[] two = [s_cells[0], s_cells[^1]];
        var machine = Harness.Simulation.MachineFiles.MachineFile.Load("1x8");
        Assert.Equal(
            Predictions.Simulate(machine, two, 1).Select(trial => trial.Iops), Predictions.Simulate(machine, two, 1).Select(trial => trial.Iops));
    }

    /// <summary>Cells of one workload: their place in the plan, what each block measured with a little scatter, and what was predicted.</summary>
    private static PredictionScore Score(params (int Cell, double Measured, double Predicted)[] cells) => PredictionScore.Of(
    [
        .. cells.Select(cell => new CellPrediction(
            s_cells[cell.Cell],
            Enumerable.Range(0, 3).ToDictionary(block => block, block => Trial(cell.Measured * (1 + (0.01 * ((block + cell.Cell) % 3 - 1))))),
            Trial(cell.Predicted))),
    ]);

    private static TrialMeasurement Trial(double iops) => new()
    {
        ThroughputBytesPerSecond = iops * 4096,
        Iops = iops,
        LatencyMicrosMean = 1,
        LatencyMicrosP50 = 1,
        LatencyMicrosP95 = 1,
        LatencyMicrosP99 = 1,
        LatencyMicrosP999 = 1,
        LatencyMicrosMax = 1,
        ReadBytes = 0,
        WriteBytes = 0,
        RuntimeSeconds = 1,
    };
}
