namespace Harness.Cluster.Chunks;

/// <summary>
/// Bugs on purpose, for the tests of the consistency checks: each is one that such systems have had. Everything is false outside tests,
/// which alone can reach this type's setters.
/// </summary>
internal sealed class PlantedFaults
{
    /// <summary>None of them.</summary>
    public static PlantedFaults None { get; } = new();

    /// <summary>A write is acknowledged before the tail has it.</summary>
    public bool AcknowledgesEarly { get; init; }

    /// <summary>A replica answers reads of bytes whose write is not committed.</summary>
    public bool ReadsDirty { get; init; }

    /// <summary>Requests of any version are served.</summary>
    public bool SkipsVersionCheck { get; init; }

    /// <summary>A server goes on when its lease is over.</summary>
    public bool ServesAfterLease { get; init; }

    /// <summary>A server that has restarted is a member again in the version that it was in.</summary>
    public bool ForgetsRejoinBump { get; init; }

    /// <summary>A mutation that is sent again is carried out again.</summary>
    public bool RepeatsMutations { get; init; }

    /// <summary>The journal is applied from its end to its beginning.</summary>
    public bool ReplaysBackwards { get; init; }

    /// <summary>The journal's last record is dropped.</summary>
    public bool DropsLastRecord { get; init; }

    /// <summary>Blocks are read without a look at their checksums.</summary>
    public bool SkipsChecksums { get; init; }

    /// <summary>A copy is made from a replica of whatever version.</summary>
    public bool CopiesStaleReplicas { get; init; }
}
