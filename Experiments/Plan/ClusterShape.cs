namespace Harness.Experiments.Plan;

/// <summary>The cluster that each trial of an experiment gets, new and its own.</summary>
/// <param name="ChunkServers">Chunk servers (default 3).</param>
/// <param name="Replicas">Replicas of each chunk (default 3, or as many as there are chunk servers).</param>
internal sealed record ClusterShape(int ChunkServers, int Replicas)
{
    /// <summary>What a plan that says only <c>cluster</c> means.</summary>
    public static ClusterShape Default { get; } = new(3, 3);
}
