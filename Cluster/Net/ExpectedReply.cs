using Harness.Runtime;

namespace Harness.Cluster.Net;

/// <summary>A reply that comes so soon that the loop looks for it instead of sleeping (<see cref="ILoop.ExpectWithin"/>).</summary>
internal static class ExpectedReply
{
    /// <summary>
    /// For how long, unless somebody says otherwise: 400 µs. An answer on one host, or from a neighbour's memory, comes sooner.
    /// </summary>
    public const long NanosecondsDefault = 400_000;
}
