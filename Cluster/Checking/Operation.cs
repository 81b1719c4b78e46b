namespace Harness.Cluster.Checking;

/// <summary>What a lane of a schedule does.</summary>
internal enum OperationKind
{
    /// <summary>Writes cells of a file, through its lease.</summary>
    Write,

    /// <summary>Reads cells of a file.</summary>
    Read,

    /// <summary>Sets a file's size, in cells.</summary>
    Truncate,

    /// <summary>Makes cells of a file zero.</summary>
    Punch,

    /// <summary>Asks for a file's size.</summary>
    Size,

    /// <summary>Makes what was written to a file outlive a power cut.</summary>
    Sync,

    /// <summary>Writes cells of a chunk on its servers, without any lease.</summary>
    ChunkWrite,

    /// <summary>Reads cells of a chunk from some replica.</summary>
    ChunkRead,

    /// <summary>Makes cells of a chunk zero.</summary>
    ChunkPunch,

    /// <summary>Makes a file that must not be there yet (O_EXCL).</summary>
    Create,

    /// <summary>Makes a directory.</summary>
    MakeDirectory,

    /// <summary>Looks a name up.</summary>
    LookUp,

    /// <summary>Removes a file's name.</summary>
    Unlink,

    /// <summary>Removes an empty directory.</summary>
    RemoveDirectory,

    /// <summary>Renames, also from one directory to another.</summary>
    Rename,

    /// <summary>Gives the file that this lane has made or found last another name.</summary>
    Link,

    /// <summary>Lists a directory.</summary>
    List,
}

/// <summary>An operation as it is planned. Numbers name files, chunks, directories and names by their place among those of the world.</summary>
/// <param name="Lane">Who does it, one after another.</param>
/// <param name="Kind">What.</param>
/// <param name="PauseNanoseconds">How long the lane waits before.</param>
/// <param name="Subject">Which file, chunk or directory.</param>
/// <param name="First">The first cell; of a truncation the size; of an operation on names the name.</param>
/// <param name="Count">How many cells.</param>
/// <param name="OtherSubject">The directory that a rename leads to.</param>
/// <param name="OtherName">The name that a rename leads to.</param>
/// <param name="IsDirect">Whether a write is O_DIRECT.</param>
internal sealed record Operation(
    int Lane,
    OperationKind Kind,
    long PauseNanoseconds,
    int Subject,
    int First,
    int Count = 0,
    int OtherSubject = 0,
    int OtherName = 0,
    bool IsDirect = false);
