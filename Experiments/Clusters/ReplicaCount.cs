using System.Globalization;
using Harness.Cluster.Metadata;
using Harness.Experiments.Commands;
using Harness.Experiments.Plan.Values;

namespace Harness.Experiments.Clusters;

/// <summary>How many replicas each chunk has.</summary>
/// <param name="Normal">How many there shall be.</param>
/// <param name="Min">Below how many a chunk takes no writes.</param>
internal readonly record struct ReplicaCount(int Normal, int Min)
{
    /// <summary>What <c>--replicas</c> does.</summary>
    public const string Description = "Replicas of each chunk, and below how many it takes no writes (default 3:2; N alone: the majority of N)";

    private static readonly int s_max = new MetadataLimits().ReplicasMax;

    /// <summary>With the least number that the majority of replicas is.</summary>
    public static ReplicaCount Of(int normal) => new(normal, (normal / 2) + 1);

    /// <summary>Reads <c>N[:MIN]</c>.</summary>
    /// <exception cref="BadArgumentsException">It is something else.</exception>
    public static ReplicaCount Read(string text)
    {
        string[] parts = text.Split(':');
        bool isCount = int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int normal) && normal >= 1 && normal <= s_max;
        int min = Of(normal).Min;
        bool isMin = parts.Length == 1 ||
            (parts.Length == 2 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out min) && min >= 1 && min <= normal);
        return isCount && isMin ? new ReplicaCount(normal, min) : throw new BadArgumentsException(
            $"--replicas: {Quoted.Text(text)} is no number of replicas; allowed: N or N:MIN, with N from 1 to {s_max} and MIN from 1 to N.");
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Normal}:{Min}";
}
