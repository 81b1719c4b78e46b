namespace Harness.Cluster.Chunks.Server;

/// <summary>What a chunk server was asked since its start. Written by its loop, read by anybody.</summary>
internal sealed class ChunkServerCounters
{
    private long _reads;
    private long _readBytes;
    private long _writes;
    private long _writtenBytes;
    private long _forwards;
    private long _syncs;
    private long _others;

    /// <summary>Reads of clients.</summary>
    public long Reads => Volatile.Read(ref _reads);

    /// <summary>Bytes that they asked for.</summary>
    public long ReadBytes => Volatile.Read(ref _readBytes);

    /// <summary>Writes and punches of clients.</summary>
    public long Writes => Volatile.Read(ref _writes);

    /// <summary>Bytes of all writes, those from other replicas too.</summary>
    public long WrittenBytes => Volatile.Read(ref _writtenBytes);

    /// <summary>Writes and punches that came from the replica before.</summary>
    public long Forwards => Volatile.Read(ref _forwards);

    /// <summary>Flushes.</summary>
    public long Syncs => Volatile.Read(ref _syncs);

    /// <summary>All else.</summary>
    public long Others => Volatile.Read(ref _others);

    /// <summary>All requests.</summary>
    public long All => Reads + Writes + Forwards + Syncs + Others;

    /// <summary>Counts a request.</summary>
    public void Count(ushort kind, in ChunkRequest message)
    {
        switch (kind)
        {
            case ChunkKind.Read:
                _reads++;
                _readBytes += message.Length;
                break;
            case ChunkKind.Write or ChunkKind.Punch:
                _writes++;
                _writtenBytes += kind == ChunkKind.Write ? message.Length : 0;
                break;
            case ChunkKind.ForwardWrite or ChunkKind.ForwardPunch:
                _forwards++;
                _writtenBytes += kind == ChunkKind.ForwardWrite ? message.Length : 0;
                break;
            case ChunkKind.Sync:
                _syncs++;
                break;
            default:
                _others++;
                break;
        }
    }
}
