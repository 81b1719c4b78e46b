namespace Harness.Results.Records;

/// <summary>What identifies a trial within a run. An interrupted run resumes with the keys that results.csv does not have.</summary>
/// <param name="Experiment">The experiment's name.</param>
/// <param name="Workload">The workload's name within the experiment.</param>
/// <param name="Configuration">The configuration's name within the experiment.</param>
/// <param name="Block">The repetition.</param>
public readonly record struct TrialKey(string Experiment, string Workload, string Configuration, int Block);
