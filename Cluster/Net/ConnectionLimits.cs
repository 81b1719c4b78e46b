namespace Harness.Cluster.Net;

/// <summary>How much one connection may hold.</summary>
internal sealed record ConnectionLimits
{
    /// <summary>Frames queued for sending. Default 4096. Beyond it a send gets EAGAIN.</summary>
    public int FramesQueuedMax { get; init; } = 4096;

    /// <summary>Payload bytes queued for sending. Default 64 MiB. Beyond it a send gets EAGAIN.</summary>
    public long BytesQueuedMax { get; init; } = 64 << 20;
}
