using Harness.Cluster.Wire;
using Mono.Unix.Native;

namespace Harness.Cluster.Client;

/// <summary>Attributes that the holder of a Write lease has changed and not told yet.</summary>
[Flags]
internal enum DirtyAttributes
{
    None = 0,
    Size = 1,
    Mtime = 2,
    Ctime = 4,
    Atime = 8,
    Mode = 16,
    Owner = 32,
    Times = Mtime | Ctime | Atime,
}

/// <summary>An inode that the kernel knows, or that is open.</summary>
internal sealed class ClientNode(ulong inode)
{
    /// <summary>Node id and inode number.</summary>
    public ulong Inode { get; } = inode;

    /// <summary>Lookups that the kernel has not given back.</summary>
    public ulong Lookups { get; set; }

    /// <summary>Open files.</summary>
    public int Opens { get; set; }

    /// <summary>The lease.</summary>
    public LeaseMode Lease { get; set; }

    /// <summary>The attributes; true while there is a lease, the latest known otherwise.</summary>
    public Attributes Attributes { get; set; } = Unknown(inode);

    /// <summary>Whether the server has changed attributes that this client does not know: link count, times of a directory.</summary>
    public bool IsStale { get; set; }

    /// <summary>What of <see cref="Attributes"/> the server does not know yet.</summary>
    public DirtyAttributes Dirty { get; set; }

    /// <summary>Data that were not written yet.</summary>
    public DirtyExtents Extents { get; } = new();

    /// <summary>The chunks that are known, by index; null values are holes.</summary>
    public Dictionary<ulong, ChunkLocation?> Chunks { get; } = [];

    /// <summary>Chunks written since the last sync.</summary>
    public HashSet<ulong> Unsynced { get; } = [];

    /// <summary>Whether the server's log has something about it that fsync(2) must flush.</summary>
    public bool NeedsMetadataSync { get; set; }

    /// <summary>Whether fsync(2) has something to ask of the servers.</summary>
    public bool IsUnsynced => Unsynced.Count > 0 || NeedsMetadataSync;

    /// <summary>One fsync(2) after the other: what one of them has taken over another may not take for done.</summary>
    public LoopGate SyncGate { get; } = new();

    /// <summary>What went wrong behind the back of applications; fsync(2) or close(2) tells it, once.</summary>
    public Errno Error { get; set; }

    /// <summary>Requests that work under the lease now.</summary>
    public int Users { get; set; }

    /// <summary>Requests that wait for the lease.</summary>
    public int Waiting { get; set; }

    /// <summary>Requests that have worked under the lease since it was granted.</summary>
    public long Uses { get; set; }

    /// <summary>Ends when a recall has been answered; null while there is none, or it lets requests go on.</summary>
    public TaskCompletionSource? Recalled { get; set; }

    /// <summary>Ends when <see cref="Users"/> has become 0.</summary>
    public TaskCompletionSource? Drained { get; set; }

    /// <summary>Recalls are answered one after the other: a metadata server that has restarted asks again.</summary>
    public LoopGate RecallGate { get; } = new();

    /// <summary>Whether the lease is about to go, so that nothing more may be cached under it.</summary>
    public bool IsBeingRecalled { get; set; }

    /// <summary>The lease that is being asked for.</summary>
    public Task? Acquiring { get; set; }

    /// <summary>The flush that is under way.</summary>
    public Task? Flushing { get; set; }

    /// <summary>Whether that flush is still writing data: what is written to the file besides has to wait for it.</summary>
    public bool IsWritingExtents { get; set; }

    /// <summary>Whether this client has ever taken a lock on it, so that close(2) has something to release.</summary>
    public bool HasLocks { get; set; }

    /// <summary>Whether the server may take it for open here although it has no name: to be told when it is closed.</summary>
    public bool TellWhenClosed { get; set; }

    /// <summary>Whether it lost a name here: the server is to be told when this client's kernel has forgotten it.</summary>
    public bool TellWhenForgotten { get; set; }

    /// <summary>The name under which it was made, while that may still be unwritten.</summary>
    public (ulong Parent, byte[] Name) MadeAs { get; set; } = (0, []);

    /// <summary>Whether there is something to write.</summary>
    public bool IsDirty => Dirty != DirtyAttributes.None || !Extents.IsEmpty;

    /// <summary>Whether nobody needs it any more.</summary>
    public bool IsUnused => Lookups == 0 && Opens == 0 && Users == 0 && Waiting == 0 && !IsDirty &&
        Flushing is null && Acquiring is null && Recalled is null && !RecallGate.IsTaken && !SyncGate.IsTaken;

    /// <summary>Nobody needs it any more, and it is kept for what fsync(2) would still have to do, and to tell, alone.</summary>
    public void Forget()
    {
        (Lease, IsStale, Attributes) = (LeaseMode.None, false, Unknown(Inode));
        (TellWhenClosed, TellWhenForgotten, HasLocks, MadeAs) = (false, false, false, (0, []));
        Chunks.Clear();
        Chunks.TrimExcess();
    }

    private static Attributes Unknown(ulong inode) => new() { Inode = inode };
}
