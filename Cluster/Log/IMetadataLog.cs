using Mono.Unix.Native;

namespace Harness.Cluster.Log;

/// <summary>Who reads a log back.</summary>
internal interface ILogReader
{
    /// <summary>A record of the newest complete snapshot; they come first, in order.</summary>
    void OnSnapshot(ReadOnlySpan<byte> record);

    /// <summary>A batch behind the snapshot.</summary>
    /// <param name="index">Its index; consecutive.</param>
    /// <param name="batch">As it was appended.</param>
    void OnBatch(ulong index, ReadOnlySpan<byte> batch);
}

/// <summary>
/// The metadata log as its one writer sees it: batches in order, each whole or not at all, and snapshots that let the beginning go. Every
/// member is for one loop.
/// </summary>
/// <remarks>
/// Any error but ENOSPC of a snapshot ends the log for this
/// writer: what became of its last batches is then not known until it, or a successor, opens it again.
/// </remarks>
internal interface IMetadataLog
{
    /// <summary>Reads what is there; to be called once, first. A torn end, which a power cut leaves, is cut off.</summary>
    /// <returns>EIO or another errno if it cannot be read; EBADMSG if it is damaged elsewhere than at its end.</returns>
    ValueTask<Errno> Open(ILogReader reader);

    /// <summary>The index of the last batch; 0 if there is none.</summary>
    ulong LastIndex { get; }

    /// <summary>Appends a batch; the next may be appended before this one is done.</summary>
    /// <param name="batch">Must stay as it is until the task ends.</param>
    /// <param name="durable">
    /// Whether the task ends only when the batch, and all before it, outlive a power cut; otherwise it ends when they outlive this process.
    /// </param>
    ValueTask<Errno> Append(ReadOnlyMemory<byte> batch, bool durable);

    /// <summary>Makes everything appended so far outlive a power cut.</summary>
    ValueTask<Errno> Sync();

    /// <summary>Begins to write a snapshot that contains everything up to a batch.</summary>
    ISnapshotSink BeginSnapshot(ulong index);
}

/// <summary>Takes the records of a snapshot.</summary>
internal interface ISnapshotSink
{
    /// <summary>Adds a record.</summary>
    void Add(ReadOnlySpan<byte> record);

    /// <summary>Waits until what was added has gone to the disk, so that a snapshot never takes more memory than a step of it.</summary>
    ValueTask<Errno> Flush();

    /// <summary>Makes the snapshot the one to begin from, durably, and frees what it replaces.</summary>
    ValueTask<Errno> Complete();
}
