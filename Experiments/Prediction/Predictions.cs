using System.Globalization;
using System.Runtime.ExceptionServices;
using Harness.Experiments.Plan;
using Harness.Experiments.Simulated;
using Harness.Results.Records;
using Harness.Simulation.MachineFiles;
using Harness.Simulation.Machines;

namespace Harness.Experiments.Prediction;

/// <summary>Predicts cells by simulation, and says how that compares with what was measured.</summary>
internal static class Predictions
{
    private const int WorstShown = 8;

    // Whatever misses by more than this is listed with the stage that explains it.
    private const double ErrorShown = 0.5;
    private static readonly Backend s_null = new(Backend.Null, null);

    // Where threads begin is chance, and where they begin they may stay for long: as a measurement has blocks, a prediction has draws.
    private const int Draws = 8;

    /// <summary>
    /// Simulates every cell on a machine, on all cores at once: the mean of some runs that differ in what is drawn, each cost within its interval
    /// included. What goes in is the machine file and the cell's own description; measurements are not at hand here.
    /// </summary>
    /// <exception cref="MachineFileException">A layer of the machine lacks a cost, or has one that is not known.</exception>
    public static IReadOnlyList<TrialMeasurement> Simulate(MachineDescription machine, IReadOnlyList<PredictionCell> cells, ulong seed)
    {
        var predicted = new TrialMeasurement[cells.Count];
        MachineDescription[] machines = [.. Enumerable.Range(0, Draws).Select(draw => UncertainMachine.Draw(machine, seed + (ulong)draw))];
        try
        {
            Parallel.For(0, cells.Count, i => predicted[i] = Mean(
            [
                .. Enumerable.Range(0, Draws).Select(draw =>
                    SimulatedTrial.Run(machines[draw], s_null, cells[i].Knobs, cells[i].Workload, seed + (ulong)draw, out _)),
            ]));
        }
        catch (AggregateException all) when (all.InnerException is MachineFileException wrong)
        {
            // The costs of a layer are read by who needs them; each cell says the same of them.
            ExceptionDispatchInfo.Throw(wrong);
        }

        return predicted;
    }

    /// <summary>What is compared, averaged; the rest as in the first run.</summary>
    private static TrialMeasurement Mean(TrialMeasurement[] runs) => runs[0] with
    {
        Iops = runs.Average(run => run.Iops),
        ThroughputBytesPerSecond = runs.Average(run => run.ThroughputBytesPerSecond),
        LatencyMicrosMean = runs.Average(run => run.LatencyMicrosMean),
        AppCpuSystemPercent = runs.Average(run => run.AppCpuSystemPercent),
        DaemonCpuSystemPercent = runs.Average(run => run.DaemonCpuSystemPercent),
    };

    /// <summary>Puts predictions beside the measurements; cells that could not be measured are left out.</summary>
    public static PredictionScore Compare(
        IReadOnlyList<PredictionCell> cells, IReadOnlyList<TrialMeasurement> predicted, IReadOnlyList<TrialRecord> measured)
    {
        ILookup<(string, string), TrialRecord> trials = measured.Where(trial => trial.Measured is not null)
            .ToLookup(trial => (trial.Workload, trial.Configuration));
        return PredictionScore.Of(
        [
            .. from pair in cells.Zip(predicted)
               let blocks = trials[(pair.First.Workload.Name, pair.First.Configuration)].ToDictionary(trial => trial.Block, trial => trial.Measured!)
               where blocks.Count > 0
               select new CellPrediction(pair.First, blocks, pair.Second),
        ]);
    }

    /// <summary>Prints a prediction for people.</summary>
    public static void Print(PredictionScore score, TextWriter output)
    {
        foreach (IGrouping<string, CellPrediction> workload in score.Cells.GroupBy(cell => cell.Cell.Workload.Name))
        {
            output.WriteLine(workload.Key);
            foreach (CellPrediction cell in workload)
            {
                output.WriteLine(
                    $"  {cell.Cell.Configuration,-30} measured {CellPrediction.Text(cell.Cell, cell.MeasuredIops),12}   " +
                    $"predicted {CellPrediction.Text(cell.Cell, cell.Predicted.Iops),12}   {Off(cell)}");
            }
        }

        output.WriteLine("farthest off");
        foreach (CellPrediction cell in score.Cells.OrderByDescending(cell => cell.Error).Where((cell, i) => i < WorstShown || cell.Error > ErrorShown))
        {
            (string stage, double measured, double predicted) = cell.WorstStage;
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  {cell.Cell}: {Off(cell)}; most of it in {stage}: measured {measured:0.0} us an operation, predicted {predicted:0.0}"));
        }

        output.WriteLine($"{score.Pairs} pairs of configurations were told apart by the measurement");
        output.WriteLine(score.ClosingLine);
    }

    private static string Off(CellPrediction cell) =>
        string.Create(CultureInfo.InvariantCulture, $"{((cell.Predicted.Iops / cell.MeasuredIops) - 1) * 100:+0;-0;0} %");
}
