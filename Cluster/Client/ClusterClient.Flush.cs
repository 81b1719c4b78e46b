using Harness.Cluster.Chunks;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Client;

/// <content>Writing what waits: data to the chunk servers, then what has become of the attributes to the metadata server.</content>
internal sealed partial class ClusterClient
{
    private readonly HashSet<ClientNode> _dirty = [];
    private readonly Queue<TaskCompletionSource> _waitingForRoom = new();
    private long _dirtyBytes;
    private bool _flushIsDue;

    /// <summary>Data of so much, of one file, are synced with their being written; more are first written, in pieces, and then synced together.</summary>
    private const int DurableBytesMax = 128 << 10;

    /// <summary>Writes everything that is dirty of a file. Its error stays with the file for fsync(2).</summary>
    /// <param name="node">The file.</param>
    /// <param name="durable">Whether somebody waits for all of it to be synced, so that what can be is synced on the way.</param>
    private async ValueTask Flush(ClientNode node, bool durable = false)
    {
        while (node.IsDirty || node.Flushing is not null)
        {
            if (node.Flushing is { } flushing)
            {
                await flushing;
                continue;
            }

            Task flush = FlushOnce(node, durable);
            node.Flushing = flush.IsCompleted ? null : flush;
            await flush;
        }
    }

    private async Task FlushSoon(ClientNode node)
    {
        await Flush(node);
        DropIfUnused(node);
    }

    private async Task FlushOnce(ClientNode node, bool durable)
    {
        long bytes = node.Extents.Bytes;
        List<DirtyPiece> extents = node.Extents.TakeAll();
        Errno error = Errnos.Ok;

        // A size may not be known before its bytes are there; times may.
        bool timesAlone = (node.Dirty & ~DirtyAttributes.Times) == DirtyAttributes.None;
        Task<Errno>? times = durable && timesAlone && extents.Count > 0 ? FlushAttributes(node, durable) : null;
        if (extents.Count > 0)
        {
            node.IsWritingExtents = true;
            error = await WriteExtents(node, extents, durable && bytes <= DurableBytesMax ? ChunkWriteFlags.Durable : ChunkWriteFlags.None);
            node.IsWritingExtents = false;
        }

        ReleaseRoom(bytes);
        Errno told = times is not null ? await times : error == Errnos.Ok ? await FlushAttributes(node, durable) : Errnos.Ok;
        error = error == Errnos.Ok ? told : error;

        if (error != Errnos.Ok)
        {
            await GiveUpFlush(node, error);
        }

        node.Flushing = null;
        if (!node.IsDirty)
        {
            _dirty.Remove(node);
            node.MadeAs = (0, []);
        }
    }

    /// <summary>What could not be written is not tried for ever: fsync(2) or close(2) tells it, and the server's attributes hold.</summary>
    private async ValueTask GiveUpFlush(ClientNode node, Errno error)
    {
        _hearsCloses = true;
        (node.Error, node.Dirty) = (error, DirtyAttributes.None);
        _options.Log.Write(true, "a write that was waiting failed", ("inode", node.Inode), ("error", error));
        MetadataReply reply = await _session.Call(new MetadataRequest { GetAttributes = node.Inode });
        node.Attributes = reply.Errno == 0 ? reply.Attributes : node.Attributes;
    }

    private async ValueTask<Errno> WriteExtents(ClientNode node, List<DirtyPiece> extents, ChunkWriteFlags flags)
    {
        if (extents.Count == 1)
        {
            return await WriteExtent(node, extents[0], flags);
        }

        Task<Errno>[] writes = [.. extents.Select(extent => WriteExtent(node, extent, flags).AsTask())];
        Errno[] errors = await Task.WhenAll(writes);
        return errors.FirstOrDefault(static error => error != Errnos.Ok);
    }

    private async ValueTask<Errno> WriteExtent(ClientNode node, DirtyPiece extent, ChunkWriteFlags flags)
    {
        Errno error = await WriteData(node, _session.Id, extent.Offset, extent.Data, flags);
        extent.Release();
        return error;
    }

    /// <summary>Tells the metadata server what has become of size, times, mode and owner.</summary>
    private async Task<Errno> FlushAttributes(ClientNode node, bool durable)
    {
        if (node.Dirty == DirtyAttributes.None)
        {
            return Errnos.Ok;
        }

        (DirtyAttributes dirty, Attributes attributes) = (node.Dirty, node.Attributes);
        node.Dirty = DirtyAttributes.None;
        // What is told from here on, and answered before this, may not be synced with it.
        node.NeedsMetadataSync = !durable;
        var wrote = new Wrote { Inode = node.Inode };
        if ((dirty & DirtyAttributes.Size) != 0)
        {
            wrote.Size = attributes.Size;
        }

        if ((dirty & DirtyAttributes.Mtime) != 0)
        {
            wrote.Mtime = attributes.Mtime;
        }

        if ((dirty & DirtyAttributes.Ctime) != 0)
        {
            wrote.Ctime = attributes.Ctime;
        }

        if ((dirty & DirtyAttributes.Atime) != 0)
        {
            wrote.Atime = attributes.Atime;
        }

        if ((dirty & DirtyAttributes.Mode) != 0)
        {
            wrote.Mode = attributes.Mode;
        }

        if ((dirty & DirtyAttributes.Owner) != 0)
        {
            (wrote.Uid, wrote.Gid) = (attributes.Uid, attributes.Gid);
        }

        Outcome outcome = await _reports.Add(wrote, durable);
        node.NeedsMetadataSync |= durable && outcome.Errno != 0;
        if (outcome.Errno == 0 && node.Attributes == attributes)
        {
            node.Attributes.Blocks = outcome.Attributes.Blocks;
        }

        return (Errno)outcome.Errno;
    }

    /// <summary>Notes that a file has something to be written, and sees to it that it is, before long.</summary>
    private void MarkDirty(ClientNode node, DirtyAttributes attributes)
    {
        node.Dirty |= attributes;
        _dirty.Add(node);
        if (!_flushIsDue)
        {
            _flushIsDue = true;
            _loop.PostAt(_loop.NowNanoseconds + _options.DirtyNanosecondsMax, static state => ((ClusterClient)state!).FlushAll(), this);
        }
    }

    private void FlushAll()
    {
        _flushIsDue = false;
        foreach (ClientNode node in _dirty.Where(static node => node.Flushing is null).OrderBy(static node => node.Inode).ToArray())
        {
            FlushSoon(node).Watch();
        }
    }

    /// <summary>Waits until there is room for more bytes that wait.</summary>
    private async ValueTask WaitForRoom(int bytes)
    {
        while ((_dirtyBytes > 0 && _dirtyBytes + bytes > _options.DirtyBytesMax) || _forgotten.Count > 2 * _options.ForgottenMax)
        {
            var room = new TaskCompletionSource();
            _waitingForRoom.Enqueue(room);
            FlushAll();
            SettleSoon();
            await room.Task;
        }
    }

    private void ReleaseRoom(long bytes)
    {
        _dirtyBytes -= bytes;
        if (bytes > 0)
        {
            WakeWaiting();
        }
    }

    private void WakeWaiting()
    {
        // Those that wait now, once each: who finds that there is still too little room waits again, behind them.
        for (int waiting = _waitingForRoom.Count; waiting > 0 && _waitingForRoom.TryDequeue(out TaskCompletionSource? first); waiting--)
        {
            first.SetResult();
        }
    }
}
