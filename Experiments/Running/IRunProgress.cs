using Harness.Experiments.Plan;
using Harness.Results.Records;

namespace Harness.Experiments.Running;

/// <summary>Is told how a run gets on.</summary>
internal interface IRunProgress
{
    /// <summary>A trial starts.</summary>
    void Started(ExperimentPlan plan, Trial trial, int done, int total, TimeSpan left);

    /// <summary>A trial has ended, well or not.</summary>
    void Finished(TrialRecord record);
}
