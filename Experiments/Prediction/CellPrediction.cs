using Harness.Experiments.Benchmarking;
using Harness.Results.Analysis;
using Harness.Results.Records;
using Harness.Results.Statistics;

namespace Harness.Experiments.Prediction;

/// <summary>A cell as it was measured and as the model predicts it.</summary>
/// <param name="Cell">The cell.</param>
/// <param name="Measured">Its trials, by block.</param>
/// <param name="Predicted">What the model says.</param>
internal sealed record CellPrediction(PredictionCell Cell, IReadOnlyDictionary<int, TrialMeasurement> Measured, TrialMeasurement Predicted)
{
    private const double MicrosPerSecond = 1e6;
    private const double Percent = 100;

    /// <summary>Operations per second that were measured: the median over the blocks.</summary>
    public double MeasuredIops { get; } = Summary.MedianOf(Measured.Values.Select(trial => trial.Iops));

    /// <summary>By how much the prediction is off, as a share of what was measured.</summary>
    public double Error => Math.Abs(Predicted.Iops - MeasuredIops) / MeasuredIops;

    /// <summary>Where an operation's time goes, µs of each stage, as measured and as predicted.</summary>
    public IReadOnlyList<(string Stage, double Measured, double Predicted)> Stages
    {
        get
        {
            (double Application, double Daemon, double Waiting)[] measured = [.. Measured.Values.Select(Split)];
            (double Application, double Daemon, double Waiting) predicted = Split(Predicted);
            return
            [
                ("the application's CPU time", Summary.MedianOf(measured.Select(part => part.Application)), predicted.Application),
                ("the daemon's CPU time", Summary.MedianOf(measured.Select(part => part.Daemon)), predicted.Daemon),
                ("waking up and waiting", Summary.MedianOf(measured.Select(part => part.Waiting)), predicted.Waiting),
            ];
        }
    }

    /// <summary>The stage whose prediction is farthest from its measurement.</summary>
    public (string Stage, double Measured, double Predicted) WorstStage => Stages.MaxBy(stage => Math.Abs(stage.Measured - stage.Predicted));

    /// <summary>The speed as people read it.</summary>
    public static string Text(PredictionCell cell, double iops) => PredictionCell.IsLarge(cell.Workload)
        ? Metric.Throughput.Format(iops * cell.Workload.Number(Plan.Workloads.FioKeys.Bs, 0))
        : Metric.Iops.Format(iops);

    /// <summary>CPU time of an operation on either side, and what is left of the time between two operations on all CPUs that the jobs could use.</summary>
    private (double Application, double Daemon, double Waiting) Split(TrialMeasurement trial)
    {
        long jobs = BenchJobs.Count(Cell.Workload);
        double perOperation = MicrosPerSecond / trial.Iops;
        double application = ((trial.AppCpuUserPercent ?? 0) + (trial.AppCpuSystemPercent ?? 0)) / Percent * jobs * perOperation;
        double daemon = ((trial.DaemonCpuUserPercent ?? 0) + (trial.DaemonCpuSystemPercent ?? 0)) / Percent * perOperation;
        return (application, daemon, Math.Max(0, (perOperation * Math.Min(jobs, Environment.ProcessorCount)) - application - daemon));
    }
}
