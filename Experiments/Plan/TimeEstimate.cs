namespace Harness.Experiments.Plan;

/// <summary>
/// Tells how long trials will take: their own time, plus what each spends on mounting, starting fio, laying out files and
/// unmounting, which it learns from the trials that have run.
/// </summary>
internal sealed class TimeEstimate
{
    /// <summary>What a trial is taken to spend beyond its own time before any has run.</summary>
    public static readonly TimeSpan OverheadGuess = TimeSpan.FromMilliseconds(600);

    private TimeSpan overheadSum;
    private int trialCount;

    /// <summary>What a trial spends beyond its own time: the mean so far.</summary>
    public TimeSpan Overhead => trialCount == 0 ? OverheadGuess : overheadSum / trialCount;

    /// <summary>Learns from a trial that has run.</summary>
    /// <param name="trial">The trial.</param>
    /// <param name="elapsed">From before its mount to after its unmount.</param>
    public void Add(Trial trial, TimeSpan elapsed)
    {
        TimeSpan overhead = elapsed - trial.Workload.ExpectedTime;
        overheadSum += overhead > TimeSpan.Zero ? overhead : TimeSpan.Zero;
        trialCount++;
    }

    /// <summary>How long these trials will take one after another.</summary>
    public TimeSpan Of(IEnumerable<Trial> trials) =>
        trials.Aggregate(TimeSpan.Zero, (sum, trial) => sum + trial.Workload.ExpectedTime + Overhead);

    /// <summary>How long a plan takes when no block is added to those that run in any case.</summary>
    public TimeSpan Of(ExperimentPlan plan) => Of(plan.Trials(_ => false));
}
