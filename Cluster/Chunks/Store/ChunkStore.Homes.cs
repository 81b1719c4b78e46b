using Harness.Cluster.Disk;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Store;

/// <content>Where chunks lie on the disk.</content>
internal sealed partial class ChunkStore
{
    private readonly SmallChunks _small;
    private readonly HashSet<ulong> _inBoth = [];
    private List<(SlotFile File, int Index)> _left = [];

    /// <summary>
    /// Gives a chunk a place for so many blocks: a slot, the next larger one, or files of its own. By who applies the journal alone, so that
    /// nobody writes to the old one meanwhile; it stays as it is until a checkpoint has the new one.
    /// </summary>
    /// <returns>ENOENT if it was removed; ENOSPC and its like.</returns>
    private async ValueTask<Errno> MakeRoom(StoredChunk chunk, int blocks)
    {
        if (chunk.Home is { } there && there.Room >= blocks)
        {
            return Errnos.Ok;
        }

        await chunk.HomeGate.Enter();
        Errno error = chunk.IsGone ? Errno.ENOENT : chunk.Home is { } home && home.Room >= blocks ? Errnos.Ok : await Move(chunk, blocks);
        chunk.HomeGate.Leave();
        return error;
    }

    /// <summary>Gives a new chunk files of its own, to be written straight.</summary>
    /// <returns>EEXIST if it lies in a slot already; ENOENT if it was removed.</returns>
    private async ValueTask<Errno> MakeOwnFiles(StoredChunk chunk)
    {
        if (chunk.Home is OwnFiles)
        {
            return Errnos.Ok;
        }

        await chunk.HomeGate.Enter();
        Errno error = chunk.IsGone ? Errno.ENOENT : chunk.Home switch
        {
            null => await Move(chunk, int.MaxValue),
            OwnFiles => Errnos.Ok,
            _ => Errno.EEXIST,
        };
        chunk.HomeGate.Leave();
        return error;
    }

    private async ValueTask<Errno> Move(StoredChunk chunk, int blocks)
    {
        Result<Slot?> slot = await _small.Take(chunk.Id, blocks);
        ChunkHome? home = slot.Value;
        Errno error = slot.Error;
        if (error == Errnos.Ok && home is null)
        {
            _directoryChanged = true;
            Result<OwnFiles> files = await OwnFiles.Make(_disk, chunk.Header, keepsBlocks: !_isRecovered);
            (home, error) = (files.IsOk ? files.Value : null, files.Error);
        }

        if (error == Errnos.Ok && chunk.Home is Slot old)
        {
            error = await Copy(old, home!, chunk.Sums.End);
            if (error == Errnos.Ok)
            {
                _left.Add((old.File, old.Index));
                chunk.Sums.MarkAll();
            }
        }

        if (error == Errnos.Ok)
        {
            chunk.Home = home;
            if (home is OwnFiles)
            {
                _small.Forget(chunk.Id);
            }
        }
        else if (home is Slot unused)
        {
            _small.Untake(chunk.Id, unused, chunk.Home as Slot);
        }
        else if (_isRecovered)
        {
            // The chunk goes on where it was. Where there is one file too few, what was made for nothing must not stay.
            home?.Dispose();
            _ = await OwnFiles.Delete(_disk, chunk.Id);
        }

        return error;
    }

    /// <summary>Copies a chunk's first blocks, which keep their sums: a damaged one does not match at its new place either.</summary>
    private static async ValueTask<Errno> Copy(Slot from, ChunkHome to, int blocks)
    {
        var bytes = new byte[blocks * BlockSum.BlockBytes];
        Result<int> read = await from.Blocks.Read(0, bytes);
        return read.IsOk ? await to.Blocks.Write(0, bytes) : read.Error;
    }

    /// <summary>Removes what the disk has of a chunk.</summary>
    private async ValueTask<Errno> Remove(ChunkId id)
    {
        bool mayHaveFiles;
        if (_open.Remove(id, out StoredChunk? chunk))
        {
            _pendingBytes -= chunk.Pending.Values.Count(pending => pending.Data is not null) * (long)BlockSum.BlockBytes;
            mayHaveFiles = await chunk.Discard() is OwnFiles;
        }
        else
        {
            mayHaveFiles = _small.Find(id) is null;
        }

        _small.Release(id);
        if (!mayHaveFiles && _isRecovered)
        {
            // Before that there might be some left over from the chunk's last life.
            return Errnos.Ok;
        }

        _directoryChanged = true;
        return await OwnFiles.Delete(_disk, id);
    }

    private async ValueTask<Errno> SyncNames()
    {
        if (!_directoryChanged && !_small.HasNewNames)
        {
            return Errnos.Ok;
        }

        _directoryChanged = false;
        _small.NoteNamesSynced();
        Errno error = await _disk.SyncDirectory("chunks");
        _directoryChanged |= error != Errnos.Ok;
        return error;
    }

    /// <summary>Gives back the slots of chunks that have grown, whose larger places are on the disk now.</summary>
    private async ValueTask<Errno> FreeLeft()
    {
        HashSet<(SlotFile File, int Index)> left = [.. _left];
        _left = [];
        Errno error = await SmallChunks.Free(left);
        _left.AddRange(left);
        return error == Errnos.Ok ? DiskSpace.Flushed(await _small.SyncHeads()) : error;
    }

    /// <summary>Files of chunks that lie in slots after all, though they had begun to grow out of them when the process ended.</summary>
    private async ValueTask<Errno> RemoveUnfinished()
    {
        foreach (ulong id in _inBoth.Where(id => _small.Find(new ChunkId(id)) is not null))
        {
            _directoryChanged = true;
            Errno error = await OwnFiles.Delete(_disk, new ChunkId(id));
            if (error != Errnos.Ok)
            {
                return error;
            }
        }

        _inBoth.Clear();
        return Errnos.Ok;
    }
}
