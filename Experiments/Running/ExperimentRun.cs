using System.Diagnostics;
using Harness.Experiments.Plan;
using Harness.Results.Analysis;
using Harness.Results.Records;
using PlanKey = Harness.Experiments.Plan.TrialKey;

namespace Harness.Experiments.Running;

/// <summary>One run: all trials of a plan that have no result yet, one after another.</summary>
/// <param name="plans">What to run.</param>
/// <param name="results">Where each trial's record goes as soon as it is there.</param>
/// <param name="trials">Runs a trial.</param>
/// <param name="seed">For the intervals that decide whether another block is wanted.</param>
internal sealed class ExperimentRun(IReadOnlyList<ExperimentPlan> plans, ResultsFile results, TrialRunner trials, long seed)
{
    private readonly TimeEstimate _estimate = new();

    /// <summary>Runs to the end or to the cancellation.</summary>
    /// <exception cref="OperationCanceledException">The run was interrupted; what was measured is kept.</exception>
    public async Task Run(IRunProgress progress, CancellationToken cancellationToken)
    {
        foreach (ExperimentPlan plan in plans)
        {
            HashSet<PlanKey> completed = Completed(plan);
            if (plan.Experiment.World == World.Simulated)
            {
                Trial[] independent = [.. plan.Resume(completed, _ => false)];
                await Parallel.ForEachAsync(
                    independent, cancellationToken, async (trial, stop) => await Run(plan, trial, progress, stop).ConfigureAwait(false)).ConfigureAwait(false);
                completed.UnionWith(independent.Select(trial => trial.Key));
            }

            foreach (Trial trial in plan.Resume(completed, blocks => WantsAnotherBlock(plan, blocks)))
            {
                cancellationToken.ThrowIfCancellationRequested();
                await Run(plan, trial, progress, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Runs one trial. Of simulated ones, which do not disturb each other, there may be one on each CPU.</summary>
    private async Task Run(ExperimentPlan plan, Trial trial, IRunProgress progress, CancellationToken cancellationToken)
    {
        string name = $"{plan.Experiment.Name}: {trial.Workload.Name}, {trial.Configuration.Label}";
        int order;
        lock (_estimate)
        {
            int done = results.Trials.Count(record => record.Measured is not null);
            progress.Started(name, done, Math.Max(plans.Sum(each => each.TrialsMinimum), done + 1), Left(plan));
            order = results.Trials.Count(record => record.Experiment == plan.Experiment.Name && record.Block == trial.Block) % plan.CellCount;
        }

        long started = Stopwatch.GetTimestamp();
        TrialRecord record = await trials.Run(plan, trial, order, cancellationToken).ConfigureAwait(false);
        lock (_estimate)
        {
            _estimate.Add(trial, Stopwatch.GetElapsedTime(started));
            results.Append(record);
            progress.Finished(record);
        }
    }

    private HashSet<PlanKey> Completed(ExperimentPlan plan) =>
    [
        .. results.Trials.Where(record => record.Measured is not null && record.Experiment == plan.Experiment.Name)
            .Select(record => new PlanKey(record.Block, record.Configuration, record.Workload)),
    ];

    private TimeSpan Left(ExperimentPlan current)
    {
        TimeSpan left = TimeSpan.Zero;
        foreach (ExperimentPlan plan in plans.SkipWhile(plan => plan != current))
        {
            left += _estimate.Of(plan.Resume(Completed(plan), _ => false));
        }

        return left;
    }

    private bool WantsAnotherBlock(ExperimentPlan plan, int blocks)
    {
        if (plan.Experiment.Repetitions.ConfidenceWidth is not double widthMax)
        {
            return false;
        }

        ComparisonTable table = ComparisonTable.OfSpeed([RunReport.Outline(plan)], results.Trials, seed + blocks);
        return table.Rows.Any(row => !row.IsBaseline && !(RelativeWidth(row) <= widthMax));
    }

    /// <summary>The interval from end to end as a fraction of the ratio; not a number without an interval, which is wider than any bound.</summary>
    private static double RelativeWidth(ComparisonRow row) =>
        row.Comparison is { Interval: { } interval, Ratio: double ratio } ? (interval.High - interval.Low) / ratio : double.NaN;
}
