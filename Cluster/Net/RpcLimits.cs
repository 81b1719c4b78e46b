namespace Harness.Cluster.Net;

/// <summary>How much one <see cref="RpcPeer"/> has under way.</summary>
internal sealed record RpcLimits
{
    /// <summary>Calls waiting for a reply. Default 4096, at most 65536. Beyond it a call gets EAGAIN.</summary>
    public int CallsInFlightMax { get; init; } = 4096;

    /// <summary>Requests received and not yet answered. Default 1024. Beyond it a request is answered EAGAIN and its payload dropped.</summary>
    public int RequestsInFlightMax { get; init; } = 1024;

    /// <summary>How often deadlines are looked at; a call ends at most so much after its deadline. Default 10 ms.</summary>
    public long DeadlineTickNanoseconds { get; init; } = 10_000_000;
}
