using Harness.Results.Records;
using Harness.Results.Statistics;

namespace Harness.Experiments.Prediction;

/// <summary>How good a prediction is as a whole.</summary>
/// <param name="Cells">Every cell.</param>
/// <param name="MedianError">The median of the cells' absolute errors, as a share.</param>
/// <param name="Tau">
/// Kendall's tau of the ranking of the configurations, averaged over the workloads; null if the measurement tells no two of them apart.
/// </param>
/// <param name="Pairs">How many pairs of configurations the measurement told apart.</param>
internal sealed record PredictionScore(IReadOnlyList<CellPrediction> Cells, double MedianError, double? Tau, int Pairs)
{
    /// <summary>The line that a prediction closes with.</summary>
    public string ClosingLine => FormattableString.Invariant(
        $"{Cells.Count} cells, median error {MedianError * 100:0.0} %, tau {(Tau is double tau ? FormattableString.Invariant($"{tau:0.00}") : "unknown")}");

    /// <summary>Scores a prediction.</summary>
    public static PredictionScore Of(IReadOnlyList<CellPrediction> cells)
    {
        var taus = new List<double>();
        int pairs = 0;
        foreach (IGrouping<string, CellPrediction> workload in cells.GroupBy(cell => cell.Cell.Workload.Name))
        {
            (int agreed, int told) = Rank([.. workload]);
            pairs += told;
            if (told > 0)
            {
                taus.Add(((2.0 * agreed) - told) / told);
            }
        }

        return new PredictionScore(cells, Summary.MedianOf(cells.Select(cell => cell.Error)), taus.Count > 0 ? taus.Average() : null, pairs);
    }

    /// <summary>Pairs of configurations that the measurement tells apart, and how many of them the prediction orders alike.</summary>
    private static (int Agreed, int Told) Rank(CellPrediction[] cells)
    {
        (int agreed, int told) = (0, 0);
        for (int i = 0; i < cells.Length; i++)
        {
            for (int j = 0; j < i; j++)
            {
                if (Difference(cells[i], cells[j]) is int sign and not 0)
                {
                    told++;
                    agreed += Math.Sign(cells[i].Predicted.Iops.CompareTo(cells[j].Predicted.Iops)) == sign ? 1 : 0;
                }
            }
        }

        return (agreed, told);
    }

    /// <summary>Which of two cells was measured faster: 0 if the 95 % interval of their paired log ratios includes 1.</summary>
    private static int Difference(CellPrediction first, CellPrediction second)
    {
        double[] logRatios =
        [
            .. from block in first.Measured.Keys.Intersect(second.Measured.Keys).Order()
               select Math.Log(Speed(first.Measured[block]) / Speed(second.Measured[block])),
        ];
        return Summary.Of(logRatios, new Random(logRatios.Length)).MeanInterval is not Interval interval || interval.Contains(0)
            ? 0
            : Math.Sign(interval.Low);
    }

    private static double Speed(TrialMeasurement trial) => trial.Iops;
}
