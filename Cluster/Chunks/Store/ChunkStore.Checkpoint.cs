using Harness.Cluster.Disk;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Store;

/// <content>Bringing everything to the disk, so that the journal up to there is no longer needed.</content>
internal sealed partial class ChunkStore
{
    /// <summary>
    /// Files of so many chunks are flushed one by one, two flushes each; of more all are flushed at once, whatever else is dirty on the disk: 2,000
    /// files would be 4,000 flushes, each a commit of the file system's journal.
    /// </summary>
    private const int FlushedAloneMax = 16;

    /// <summary>Applies everything, saves and syncs it: the journal up to here is no longer needed.</summary>
    public async ValueTask<Errno> Checkpoint()
    {
        await _applyGate.Enter();
        Errno error = await ApplyAll();
        StoredChunk[] dirty = [.. _open.Values.Where(chunk => chunk.IsDirty).OrderBy(chunk => chunk.Id.Value)];
        long[] straight = [.. dirty.Select(chunk => chunk.StraightWrites)];
        foreach (StoredChunk chunk in dirty)
        {
            chunk.Users++;
        }

        error = error == Errnos.Ok ? await Each(dirty, chunk => MakeRoom(chunk, Math.Max(1, chunk.HighWater))) : error;
        error = error == Errnos.Ok ? await SaveAndSync(dirty) : error;
        error = error == Errnos.Ok ? await FreeLeft() : error;
        for (int i = 0; i < dirty.Length; i++)
        {
            dirty[i].Users--;
            if (error == Errnos.Ok)
            {
                dirty[i].NoteSynced(straight[i]);
                dirty[i].IsNew = false;
            }
        }

        CloseBeyondLimit(_openOrder.Count);
        _applyGate.Leave();
        return Note(error);
    }

    /// <summary>
    /// Brings everything to its place and lets go of the memory that only load needs: for a store that nobody has asked for anything in a while.
    /// </summary>
    public async ValueTask<Errno> Rest()
    {
        Errno error = await Checkpoint();
        foreach (StoredChunk chunk in _open.Values)
        {
            chunk.Pending.TrimExcess();
        }

        return error;
    }

    /// <summary>Blocks first, so that no sum on the disk is about a block that is not.</summary>
    private async ValueTask<Errno> SaveAndSync(StoredChunk[] chunks)
    {
        ChunkHome[] homes = [.. chunks.Select(static chunk => chunk.Home).OfType<ChunkHome>()];
        bool together = homes.Count(static home => home is OwnFiles) > FlushedAloneMax;
        Errno error = DiskSpace.Flushed(together ? await _disk.SyncAll() : await Each(chunks, static chunk => chunk.Data.Sync()));
        error = error == Errnos.Ok ? await Each(chunks, static chunk => chunk.SaveSums()) : error;
        if (error == Errnos.Ok && together)
        {
            _directoryChanged = false;
            error = DiskSpace.Flushed(await _disk.SyncAll());
        }
        else if (error == Errnos.Ok)
        {
            error = DiskSpace.Flushed(await Each(chunks, static chunk => chunk.Home!.SyncSums()));
            error = error == Errnos.Ok ? DiskSpace.Flushed(await _small.SyncHeads()) : error;
            error = error == Errnos.Ok ? DiskSpace.Flushed(await SyncNames()) : error;
        }

        foreach (ChunkHome home in homes)
        {
            home.IsSettled |= error == Errnos.Ok;
        }

        return error;
    }

    /// <summary>Does something for each chunk that is still there.</summary>
    private async ValueTask<Errno> Each(StoredChunk[] chunks, Func<StoredChunk, ValueTask<Errno>> what)
    {
        for (int i = 0; i < chunks.Length; i++)
        {
            StoredChunk chunk = chunks[i];
            Errno error = chunk.IsGone ? Errnos.Ok : await what(chunk);
            if (error != Errnos.Ok && !chunk.IsGone)
            {
                return error;
            }

            if ((i + 1) % WritesPerTurn == 0)
            {
                await LoopYield.Yield(_loop);
            }
        }

        return Errnos.Ok;
    }
}
