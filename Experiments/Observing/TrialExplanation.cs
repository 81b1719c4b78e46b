namespace Harness.Experiments.Observing;

/// <summary>Where the time of a trial's requests went.</summary>
/// <param name="Experiment">The trial's experiment.</param>
/// <param name="Workload">Its workload.</param>
/// <param name="Configuration">Its configuration.</param>
/// <param name="Explanation">What was seen.</param>
internal sealed record TrialExplanation(string Experiment, string Workload, string Configuration, Explanation Explanation);
