namespace Harness.Cluster.Metadata.Server;

/// <summary>How commands travel through the log.</summary>
internal sealed record PipelineOptions
{
    /// <summary>
    /// Whether every command is flushed before it is answered (default no). Otherwise an answered command outlives the process at once, and a
    /// power cut as soon as it was flushed: by fsync(2), by a command that needs it, or <see cref="SyncDelayNanoseconds"/> later.
    /// </summary>
    public bool SyncAlways { get; init; }

    /// <summary>How long an answered command may wait to be flushed when nobody asks for it (default 5 ms).</summary>
    public long SyncDelayNanoseconds { get; init; } = 5_000_000;

    /// <summary>Commands that may wait for the log (default 65,536); beyond it EAGAIN.</summary>
    public int WaitingMax { get; init; } = 65_536;

    /// <summary>Commands in one batch (default 1024).</summary>
    public int BatchCommandsMax { get; init; } = 1024;

    /// <summary>Bytes after which a batch takes no further command (default 256 KiB).</summary>
    public int BatchBytesMax { get; init; } = 256 << 10;

    /// <summary>Bytes of log after which a snapshot is begun (default 256 MiB).</summary>
    public long SnapshotAfterBytes { get; init; } = 256L << 20;

    /// <summary>Pages of 64 inodes that a snapshot writes before commands have their turn (default 16).</summary>
    public int SnapshotPagesPerStep { get; init; } = 16;
}
