using System.Runtime.InteropServices;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Metadata;

/// <content>Chunk maps.</content>
internal sealed partial class MetadataState
{
    private const uint FirstVersion = 1;

    private readonly Dictionary<ulong, ChunkRecord> _chunks = [];
    private ulong _nextChunk = 1;

    /// <summary>How many chunks there are.</summary>
    public int ChunkCount => _chunks.Count;

    /// <summary>The ids of all chunks, in no order that means anything; sort what can be seen.</summary>
    public IReadOnlyCollection<ulong> ChunkIds => _chunks.Keys;

    /// <summary>Finds a chunk.</summary>
    public bool TryGetChunk(ulong chunk, out ChunkRecord record) => _chunks.TryGetValue(chunk, out record);

    /// <summary>The chunks with the least ids above one.</summary>
    public IReadOnlyList<ulong> ChunksAfter(ulong after, int count)
    {
        // A heap of the least seen so far: a page costs a pass over all chunks and no more memory than itself.
        var least = new PriorityQueue<ulong, ulong>(Comparer<ulong>.Create(static (one, other) => other.CompareTo(one)));
        foreach (ulong chunk in _chunks.Keys)
        {
            if (chunk <= after)
            {
                continue;
            }

            if (least.Count < count)
            {
                least.Enqueue(chunk, chunk);
            }
            else if (count > 0)
            {
                least.EnqueueDequeue(chunk, chunk);
            }
        }

        return [.. least.UnorderedItems.Select(static item => item.Element).Order()];
    }

    /// <summary>Where a chunk lies.</summary>
    public ChunkLocation LocationOf(ulong chunk)
    {
        ChunkRecord record = _chunks[chunk];
        var location = new ChunkLocation { Index = record.Index, Chunk = chunk, Version = record.Version, TailJoins = record.Target != 0 };
        location.Servers.AddRange(record.Servers);
        return location;
    }

    /// <summary>Gives a file chunks where it has none; where it has, the placement is disregarded. Answers with where all of them are.</summary>
    private Outcome AllocateChunks(AllocateChunks allocate)
    {
        ref Inode inode = ref _inodes.Find(allocate.Inode);
        if (!inode.Exists || !inode.IsFile)
        {
            return Failed(!inode.Exists ? Errno.ESTALE : inode.IsDirectory ? Errno.EISDIR : Errno.EINVAL);
        }

        var outcome = new Outcome();
        foreach (Placement placement in allocate.Placements)
        {
            if (placement.Servers.Count > Limits.ReplicasMax || placement.Index > MetadataLimits.FileBytesMax / Limits.ChunkBytes)
            {
                return Failed(placement.Servers.Count > Limits.ReplicasMax ? Errno.EINVAL : Errno.EFBIG);
            }

            var list = (ChunkList)(inode.Body ??= new ChunkList());
            ulong chunk = list.Find(placement.Index);
            bool isNew = chunk == 0;
            if (isNew)
            {
                chunk = _nextChunk++;
                list.Add(placement.Index, chunk);
                _chunks.Add(chunk, new ChunkRecord(allocate.Inode, placement.Index, FirstVersion, [.. placement.Servers], 0));
            }

            ChunkLocation location = LocationOf(chunk);
            location.Made = isNew;
            outcome.Chunks.Add(location);
        }

        return outcome;
    }

    private Outcome DropChunks(DropChunks drop)
    {
        ref Inode inode = ref _inodes.Find(drop.Inode);
        Errno error = CheckResize(in inode, 0);
        if (error != Errnos.Ok || drop.First > drop.Last)
        {
            return Failed(error != Errnos.Ok ? error : Errno.EINVAL);
        }

        DropChunksBetween(ref inode, drop.First, drop.Last);
        inode.Modified(Now);
        return Done(in inode);
    }

    private Outcome ChangeReplicas(ChangeReplicas change)
    {
        ref ChunkRecord record = ref CollectionsMarshal.GetValueRefOrNullRef(_chunks, change.Chunk);
        if (System.Runtime.CompilerServices.Unsafe.IsNullRef(ref record))
        {
            return Failed(Errno.ENOENT);
        }

        if (record.Version != change.Version || change.Servers.Count == 0 || change.Servers.Count > Limits.ReplicasMax)
        {
            return Failed(record.Version != change.Version ? Errno.EAGAIN : Errno.EINVAL);
        }

        record = record with { Version = record.Version + 1, Servers = [.. change.Servers], Target = change.Target };
        var outcome = new Outcome();
        outcome.Chunks.Add(LocationOf(change.Chunk));
        return outcome;
    }

    private void DropAllChunks(in Inode inode)
    {
        if (inode.Chunks is { } list)
        {
            Forget(list.Slots);
        }
    }

    private void DropChunksBetween(ref Inode inode, ulong first, ulong last)
    {
        if (inode.Chunks is not { } list)
        {
            return;
        }

        Forget(list.Range(first, last));
        list.RemoveRange(first, last);
        inode.Body = list.Slots.IsEmpty ? null : list;
    }

    private void Forget(ReadOnlySpan<ChunkSlot> slots)
    {
        foreach (ChunkSlot slot in slots)
        {
            if (_chunks.Remove(slot.Chunk, out ChunkRecord record))
            {
                ChunkDropped?.Invoke(slot.Chunk, record);
            }
        }
    }
}
