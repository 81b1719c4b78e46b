using Harness.Results.Analysis;

namespace Harness.Experiments.Benchmarking.Cluster;

/// <summary>One figure of the comparison, and what it should come to beside a peer.</summary>
/// <param name="Name">Distinct; a row of the table.</param>
/// <param name="Speed">What is measured.</param>
/// <param name="Bar">The least ratio to the peer that the project asks of itself.</param>
internal sealed record ClusterCell(string Name, Metric Speed, double Bar)
{
    /// <summary>What every cell is to reach.</summary>
    public const double BarOfAll = 1.5;

    /// <summary>What looking files up and reading small ones back is to reach.</summary>
    public const double BarOfLooking = 2;

    /// <summary>What changing names is to reach.</summary>
    public const double BarOfMetadata = 10;

    /// <summary>Whether it is about metadata.</summary>
    public bool IsMetadata => Bar >= BarOfMetadata;
}

/// <summary>A job: what runs on a directory, and the cells that it fills.</summary>
internal abstract class ClusterJob
{
    /// <summary>Distinct; fit for a file name.</summary>
    public abstract string Name { get; }

    /// <summary>What it measures, in the order of the table.</summary>
    public abstract IReadOnlyList<ClusterCell> Cells { get; }

    /// <summary>Makes what the job needs in a directory and is not measured.</summary>
    /// <exception cref="InvalidDataException">It could not be made.</exception>
    /// <exception cref="IOException">It could not be made.</exception>
    public virtual Task Prepare(ClusterSide side, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Measures once, and leaves nothing behind that the next run would meet.</summary>
    /// <returns>A measurement for each cell.</returns>
    /// <exception cref="InvalidDataException">The job failed; the message says how.</exception>
    /// <exception cref="IOException">The directory failed it.</exception>
    public abstract Task<IReadOnlyList<Results.Records.TrialMeasurement>> Run(ClusterSide side, string stem, CancellationToken cancellationToken);
}
