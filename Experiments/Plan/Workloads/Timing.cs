namespace Harness.Experiments.Plan.Workloads;

/// <summary>How long a workload runs (fio's <c>time_based</c>), in whole microseconds.</summary>
/// <param name="Runtime">The measured time; more than zero.</param>
/// <param name="RampTime">The time before it that is run but not measured.</param>
internal sealed record Timing(TimeSpan Runtime, TimeSpan RampTime)
{
    public TimeSpan Total => RampTime + Runtime;
}
