namespace Harness.Experiments.Observing;

/// <summary>What a daemon says of its mount when it is asked.</summary>
internal sealed record MountStats
{
    /// <summary>The line that the daemon printed when it had mounted.</summary>
    public required string Description { get; init; }

    /// <summary>The daemon's process.</summary>
    public required int Pid { get; init; }

    /// <summary>When this was counted, on CLOCK_MONOTONIC in nanoseconds.</summary>
    public required long AtNanos { get; init; }

    /// <summary>When counting began.</summary>
    public required long SinceNanos { get; init; }

    /// <summary>Counts of every opcode that has come.</summary>
    public required IReadOnlyList<OpcodeCounts> Opcodes { get; init; }

    /// <summary>What the process has used.</summary>
    public required ProcessUse Process { get; init; }

    /// <summary>What has come since earlier counts of the same daemon.</summary>
    public MountStats Since(MountStats earlier) => this with
    {
        SinceNanos = earlier.AtNanos,
        Process = Process.Since(earlier.Process),
        Opcodes = [.. Opcodes
            .Select(counts => counts.Since(earlier.Opcodes.FirstOrDefault(then => then.Opcode == counts.Opcode)))
            .Where(counts => counts.Requests > 0)],
    };
}
