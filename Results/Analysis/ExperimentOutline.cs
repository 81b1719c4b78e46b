namespace Harness.Results.Analysis;

/// <summary>What an experiment consists of, in the order people wrote it: trials run in random order, tables and maps do not.</summary>
public sealed record ExperimentOutline
{
    /// <summary>Outlines an experiment.</summary>
    /// <param name="name">Its name, as in the trials.</param>
    /// <param name="workloads">Its workloads, in order.</param>
    /// <param name="configurations">Its configurations' names, in order, the baseline among them.</param>
    /// <param name="baseline">The configuration that the others are compared with.</param>
    /// <exception cref="ArgumentException">The baseline is not among the configurations, or there is no workload.</exception>
    public ExperimentOutline(
        string name, IReadOnlyList<WorkloadOutline> workloads, IReadOnlyList<string> configurations, string baseline)
    {
        if (!configurations.Contains(baseline))
        {
            throw new ArgumentException(
                $"experiment '{name}': the baseline '{baseline}' is not among {string.Join(", ", configurations)}", nameof(baseline));
        }
        if (workloads.Count == 0)
        {
            throw new ArgumentException($"experiment '{name}' has no workload", nameof(workloads));
        }
        Name = name;
        Workloads = workloads;
        Configurations = configurations;
        Baseline = baseline;
    }

    /// <summary>Its name, as in the trials.</summary>
    public string Name { get; }

    /// <summary>Its workloads, in order; at least one.</summary>
    public IReadOnlyList<WorkloadOutline> Workloads { get; }

    /// <summary>Its configurations' names, in order.</summary>
    public IReadOnlyList<string> Configurations { get; }

    /// <summary>The configuration that the others are compared with.</summary>
    public string Baseline { get; }
}

/// <summary>A workload of an experiment.</summary>
/// <param name="Name">Its name, as in the trials.</param>
/// <param name="Speed">The metric of its speed, for which <see cref="Metric.SpeedFor"/> is a good choice.</param>
public sealed record WorkloadOutline(string Name, Metric Speed);
