using Harness.Experiments.Plan.Workloads;

namespace Harness.Experiments.Plan;

/// <summary>Names a trial within its experiment, also across runs of the program.</summary>
/// <param name="Block">From 0.</param>
/// <param name="Configuration">The configuration's name.</param>
/// <param name="Workload">The workload's name.</param>
internal readonly record struct TrialKey(int Block, string Configuration, string Workload);

/// <summary>One measurement: a fresh mount of a configuration, one run of a workload on it, an unmount.</summary>
/// <param name="Block">The repetition it belongs to, from 0. Trials are compared with those of their own block.</param>
/// <param name="Configuration">How to mount.</param>
/// <param name="Workload">What to run on the mount.</param>
internal sealed record Trial(int Block, Configuration Configuration, Workload Workload)
{
    public TrialKey Key => new(Block, Configuration.Name, Workload.Name);
}
