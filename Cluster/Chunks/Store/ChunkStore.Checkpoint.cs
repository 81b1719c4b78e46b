using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Store;

/// <content>Bringing everything to the disk, so that the journal up to there is no longer needed.</content>
internal sealed partial class ChunkStore
{
    /// <summary>
    /// So many chunks are flushed one by one, two flushes each; of more all are flushed at once, whatever else is dirty on the disk: 2,000 new
    /// files of 1 KiB would be 4,000 flushes, each a commit of the file system's journal.
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

        error = error != Errnos.Ok ? error : await MakeFilesOf(dirty);
        error = error != Errnos.Ok ? error : dirty.Length > FlushedAloneMax ? await SaveTogether(dirty) : await SaveEach(dirty);
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
        Failure = Failure == Errnos.Ok ? error : Failure;
        _applyGate.Leave();
        return error;
    }

    private async ValueTask<Errno> MakeFilesOf(StoredChunk[] chunks)
    {
        for (int i = 0; i < chunks.Length; i++)
        {
            StoredChunk chunk = chunks[i];
            Errno error = chunk.HasFiles || chunk.IsGone ? Errnos.Ok : await MakeFiles(chunk);
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

    private async ValueTask<Errno> SaveEach(StoredChunk[] chunks)
    {
        foreach (StoredChunk chunk in chunks)
        {
            Errno error = chunk.IsGone ? Errnos.Ok : await chunk.Save();
            if (error != Errnos.Ok && !chunk.IsGone)
            {
                return error;
            }
        }

        if (!_directoryChanged)
        {
            return Errnos.Ok;
        }

        _directoryChanged = false;
        return await _disk.SyncDirectory("chunks");
    }

    /// <summary>As <see cref="SaveEach"/> does: blocks first, so that no sum on the disk is about a block that is not.</summary>
    private async ValueTask<Errno> SaveTogether(StoredChunk[] chunks)
    {
        _directoryChanged = false;
        Errno error = await _disk.SyncAll();
        for (int i = 0; i < chunks.Length && error == Errnos.Ok; i++)
        {
            error = chunks[i].IsGone ? Errnos.Ok : await chunks[i].SaveSums();
            error = chunks[i].IsGone ? Errnos.Ok : error;
            if ((i + 1) % WritesPerTurn == 0)
            {
                await LoopYield.Yield(_loop);
            }
        }

        return error == Errnos.Ok ? await _disk.SyncAll() : error;
    }
}
