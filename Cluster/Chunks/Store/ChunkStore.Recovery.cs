using System.Globalization;
using System.Runtime.InteropServices;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Store;

/// <content>Making good what a crash has left.</content>
internal sealed partial class ChunkStore
{
    private async ValueTask<Errno> Recover()
    {
        Errno error = await ReadIndex();
        if (error != Errnos.Ok)
        {
            return error;
        }

        Result<ReplayResult> replay = await _journal.Replay(Redo);
        if (!replay.IsOk)
        {
            return replay.Error;
        }

        Recovery = replay.Value;
        // Names may be there that a process before this one has made and no checkpoint has synced.
        _directoryChanged = true;
        error = await Checkpoint();
        error = error == Errnos.Ok ? await RemoveUnfinished() : error;
        _isRecovered = true;
        return error == Errnos.Ok ? await _journal.Restart(Checkpoint) : error;
    }

    private async ValueTask<Errno> ReadIndex()
    {
        var small = new Dictionary<ulong, ChunkHeader>();
        Errno error = await _small.Load(header => small[header.Id.Value] = header);
        Result<IReadOnlyList<string>> names = error == Errnos.Ok ? await _disk.List("chunks") : error;
        if (!names.IsOk)
        {
            return names.Error;
        }

        foreach (ChunkHeader header in small.Values)
        {
            _index[header.Id.Value] = new ChunkSummary(header.Id, header.Version, header.Sequence);
        }

        foreach (string name in names.Value)
        {
            if (name.EndsWith(OwnFiles.SumsSuffix, StringComparison.Ordinal) &&
                ulong.TryParse(name.AsSpan(0, name.Length - OwnFiles.SumsSuffix.Length), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong value))
            {
                var id = new ChunkId(value);
                Result<ChunkHeader> header = await OwnFiles.Peek(_disk, id);
                if (!header.IsOk && header.Error != Errno.ENOENT)
                {
                    return header.Error;
                }

                if (small.TryGetValue(value, out ChunkHeader inSlot) && (!header.IsOk || header.Value.BornLsn <= inSlot.BornLsn))
                {
                    _inBoth.Add(value);
                }
                else if (header.IsOk)
                {
                    _small.Release(id);
                    _index[value] = new ChunkSummary(id, header.Value.Version, header.Value.Sequence);
                }
            }
        }

        return Errnos.Ok;
    }

    /// <summary>
    /// Carries out a record again. In the journal's order whatever the stamps: a block that was taken over from another replica may have an
    /// older one than what it has replaced. In the end each block is as the last record has it.
    /// </summary>
    private async ValueTask<Errno> Redo(FoundRecord found)
    {
        if (found.Head.Type == RecordType.Mutations)
        {
            RecoverMutations(MemoryMarshal.Cast<byte, JournalledMutation>(found.Data.Span));
            return Errnos.Ok;
        }

        var id = new ChunkId(found.Head.Chunk);
        var stamp = new BlockStamp(found.Head.Stamp);
        Result<StoredChunk> got = await Get(id);
        if (got.Error == Errno.ENOENT)
        {
            // A chunk begins with this record; any other is about a chunk that was removed later.
            if (found.Head.Type == RecordType.Version)
            {
                AddNew(id, stamp.Version, found.Head.Lsn);
            }

            return Errnos.Ok;
        }

        if (!got.IsOk)
        {
            return got.Error;
        }

        StoredChunk chunk = got.Value;
        if (found.Head.Lsn < chunk.BornLsn || found.Head.FirstBlock + (ulong)found.Head.Blocks > (ulong)BlocksMax)
        {
            return Errnos.Ok;
        }

        if (found.Head.Type == RecordType.Version && found.Head.Client == s_forgets.Client)
        {
            _recovered.RemoveAll(one => one.Chunk == id);
        }

        if (found.Head.Mutation != 0)
        {
            _recovered.Add((id, new MutationId(found.Head.Client, found.Head.Mutation), stamp));
        }

        Errno error = found.Head.Type switch
        {
            RecordType.Data => await MakeRoom(chunk, (int)(found.Head.FirstBlock + found.Head.Blocks)),
            RecordType.Straight => await MakeRoom(chunk, int.MaxValue),
            _ => Errnos.Ok,
        };
        error = error != Errnos.Ok ? error : found.Head.Type switch
        {
            RecordType.Data => await RedoData(chunk, found, stamp),
            RecordType.Straight => await RedoStraight(chunk, found, stamp),
            RecordType.Punch => await RedoPunch(chunk, found, stamp),
            RecordType.Delete => await RedoDelete(id),
            _ => Errnos.Ok,
        };
        if (found.Head.Type == RecordType.Version)
        {
            chunk.Version = Math.Max(chunk.Version, stamp.Version);
        }

        chunk.Sequence = Math.Max(chunk.Sequence, stamp.Sequence);
        chunk.HeaderChanged = true;
        return error;
    }

    private void RecoverMutations(ReadOnlySpan<JournalledMutation> entries)
    {
        foreach (JournalledMutation entry in entries)
        {
            if (entry.Mutation != 0)
            {
                _recovered.Add((new ChunkId(entry.Chunk), new MutationId(entry.Client, entry.Mutation), new BlockStamp(entry.Stamp)));
            }
        }
    }

    /// <summary>The mutations that a client may still send again, for the beginning of a segment; the newest, if there are too many.</summary>
    private byte[] ComposeMutations()
    {
        (ChunkId Chunk, MutationId Mutation, BlockStamp Stamp)[] live = [.. LiveMutations()];
        int most = Math.Min(JournalRecord.BlocksMax * BlockSum.BlockBytes, _options.SegmentBytes / 8) / Marshal.SizeOf<JournalledMutation>();
        ReadOnlySpan<(ChunkId Chunk, MutationId Mutation, BlockStamp Stamp)> kept = live.AsSpan()[^Math.Min(most, live.Length)..];
        int bytes = kept.Length * Marshal.SizeOf<JournalledMutation>();
        var data = new byte[(bytes + BlockSum.BlockBytes - 1) / BlockSum.BlockBytes * BlockSum.BlockBytes];
        Span<JournalledMutation> entries = MemoryMarshal.Cast<byte, JournalledMutation>(data.AsSpan());
        for (int i = 0; i < kept.Length; i++)
        {
            (ChunkId chunk, MutationId mutation, BlockStamp stamp) = kept[i];
            entries[i] = new JournalledMutation { Chunk = chunk.Value, Stamp = stamp.Value, Client = mutation.Client, Mutation = mutation.Number };
        }

        return data;
    }

    private static async ValueTask<Errno> RedoData(StoredChunk chunk, FoundRecord found, BlockStamp stamp)
    {
        for (int i = 0; i < found.Sums.Length; i++)
        {
            int block = (int)found.Head.FirstBlock + i;
            Errno error = await chunk.Data.Write((long)block * BlockSum.BlockBytes, found.Data.Slice(i * BlockSum.BlockBytes, BlockSum.BlockBytes));
            if (error != Errnos.Ok)
            {
                return error;
            }

            chunk.Sums[block] = BlockSum.OfData(chunk.Id, block, stamp, found.Sums[i]);
            chunk.HighWater = Math.Max(chunk.HighWater, block + 1);
        }

        return Errnos.Ok;
    }

    private static async ValueTask<Errno> RedoStraight(StoredChunk chunk, FoundRecord found, BlockStamp stamp)
    {
        var bytes = new byte[BlockSum.BlockBytes];
        for (int i = 0; i < found.Sums.Length; i++)
        {
            int block = (int)found.Head.FirstBlock + i;
            Result<int> read = await chunk.Data.Read((long)block * BlockSum.BlockBytes, bytes);
            if (!read.IsOk)
            {
                return read.Error;
            }

            // What the power cut has taken was never synced, and the block is still empty.
            if (read.Value == bytes.Length && Crc32C.Compute(bytes) == found.Sums[i])
            {
                chunk.Sums[block] = BlockSum.OfData(chunk.Id, block, stamp, found.Sums[i]);
            }
        }

        chunk.HighWater = Math.Max(chunk.HighWater, (int)(found.Head.FirstBlock + found.Head.Blocks));
        chunk.StraightWrites++;
        return Errnos.Ok;
    }

    private static async ValueTask<Errno> RedoPunch(StoredChunk chunk, FoundRecord found, BlockStamp stamp)
    {
        int end = Math.Min((int)(found.Head.FirstBlock + found.Head.Blocks), chunk.Sums.End);
        for (int block = (int)found.Head.FirstBlock; block < end; block++)
        {
            if (!chunk.Sums[block].IsNever)
            {
                chunk.Sums[block] = BlockSum.OfHole(chunk.Id, block, stamp);
                Errno error = await chunk.Data.PunchHole((long)block * BlockSum.BlockBytes, BlockSum.BlockBytes);
                if (error != Errnos.Ok)
                {
                    return error;
                }
            }
        }

        return Errnos.Ok;
    }

    private ValueTask<Errno> RedoDelete(ChunkId id)
    {
        _index.Remove(id.Value);
        return Remove(id);
    }
}
