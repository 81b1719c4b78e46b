namespace Harness.Experiments.Fuzz;

/// <summary>What a campaign has done, and what it found.</summary>
/// <param name="Seed">Replays it.</param>
/// <param name="Scripts">Sessions that were run.</param>
/// <param name="Counts">What happened in them.</param>
/// <param name="Failure">What is wrong, with the script that shows it; null if nothing is.</param>
public sealed record FuzzReport(ulong Seed, long Scripts, FuzzCounts Counts, string? Failure)
{
    /// <inheritdoc/>
    public override string ToString()
    {
        string outcome = Failure ?? "nothing found";
        return
            $"seed {Seed}: {Counts.Messages} messages in {Scripts} sessions ({Counts.NotMessages} more were none), {Counts.Calls} calls of the file system, " +
            $"{Counts.Waits} of them waited, {Counts.Replies} replies, {Counts.Errors} of them errors, {Counts.Refused} messages refused, " +
            $"{Counts.Faults} faults on purpose: {outcome}";
    }
}

/// <summary>Counts of a campaign.</summary>
public sealed record FuzzCounts
{
    /// <summary>Messages that the session got.</summary>
    public long Messages { get; set; }

    /// <summary>Bytes that a channel would not accept as a message.</summary>
    public long NotMessages { get; set; }

    /// <summary>Messages that the session refused.</summary>
    public long Refused { get; set; }

    /// <summary>Calls of the file system.</summary>
    public long Calls { get; set; }

    /// <summary>Calls that were not answered at once.</summary>
    public long Waits { get; set; }

    /// <summary>Failures of the file system, all on purpose.</summary>
    public long Faults { get; set; }

    /// <summary>Replies.</summary>
    public long Replies { get; set; }

    /// <summary>Replies that were errors.</summary>
    public long Errors { get; set; }
}
