using Harness.Cluster.Chunks;
using Harness.Cluster.Chunks.Client;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Client;

/// <content>From bytes of files to bytes of chunks.</content>
internal sealed partial class ClusterClient
{
    /// <summary>Chunks that are asked for at once, from the one that is needed on.</summary>
    private const ulong LocateAhead = 64;

    private async ValueTask<Errno> ReadData(ClientNode node, ulong offset, Memory<byte> buffer)
    {
        ulong session = _session.Id;
        while (!buffer.IsEmpty)
        {
            (ulong index, long within, int length) = Piece(offset, buffer.Length);
            Memory<byte> piece = buffer[..length];
            Errno error = await WithChunk(
                node, session, index, allocate: false, location => _data.Read(location, within, piece), () => piece.Span.Clear());
            if (error != Errnos.Ok)
            {
                return error;
            }

            offset += (ulong)length;
            buffer = buffer[length..];
        }

        return Errnos.Ok;
    }

    /// <summary>Writes bytes of a file to all replicas, under the session in which its lease was held.</summary>
    private async ValueTask<Errno> WriteData(ClientNode node, ulong session, ulong offset, ReadOnlyMemory<byte> data, ChunkWriteFlags flags)
    {
        while (!data.IsEmpty)
        {
            (ulong index, long within, int length) = Piece(offset, data.Length);
            ReadOnlyMemory<byte> piece = data[..length];

            // What was answered before this is sent is synced with it; what is answered meanwhile is not.
            bool isDurable = (flags & ChunkWriteFlags.Durable) != 0;
            bool wasUnsynced = isDurable && node.Unsynced.Remove(index);
            Errno error = await WithChunk(node, session, index, allocate: true, location => _data.Write(location, within, piece, flags), null);
            if (!isDurable || (wasUnsynced && error != Errnos.Ok))
            {
                node.Unsynced.Add(index);
            }

            if (error != Errnos.Ok)
            {
                return error;
            }

            offset += (ulong)length;
            data = data[length..];
        }

        return Errnos.Ok;
    }

    /// <summary>Makes a range of a file zero, without making chunks where there are none.</summary>
    private async ValueTask<Errno> ZeroData(ClientNode node, ulong offset, ulong length)
    {
        ulong session = _session.Id;
        ulong end = offset + length;
        ulong chunkBytes = _session.ChunkBytes;
        var locate = new Locate { Inode = node.Inode, First = offset / chunkBytes, Last = (end - 1) / chunkBytes };
        MetadataReply reply = await _session.Call(new MetadataRequest { Locate = locate });
        if (reply.Errno != 0)
        {
            return (Errno)reply.Errno;
        }

        _data.Learn(reply.Servers);
        foreach (ChunkLocation chunk in reply.Chunks)
        {
            ulong from = Math.Max(offset, chunk.Index * chunkBytes);
            ulong to = Math.Min(end, (chunk.Index + 1) * chunkBytes);
            long within = (long)(from % chunkBytes);
            Errno error = await WithChunk(
                node, session, chunk.Index, allocate: false, location => _data.Zero(location, within, (long)(to - from)), null);
            if (error != Errnos.Ok)
            {
                return error;
            }

            node.Unsynced.Add(chunk.Index);
        }

        return Errnos.Ok;
    }

    /// <summary>
    /// Syncs a chunk. Not under the lease, which somebody else may have by now; so where the chunk lies is asked for anew once it is not known for certain,
    /// and not kept.
    /// </summary>
    private async Task<Errno> SyncChunk(ClientNode node, ulong index)
    {
        long until = _loop.NowNanoseconds + _options.RetryNanoseconds;
        long backoff = _options.BackoffNanoseconds;
        ChunkLocation? location = node.Lease != LeaseMode.None ? node.Chunks.GetValueOrDefault(index) : null;
        while (true)
        {
            if (location is null)
            {
                MetadataReply reply = await _session.Call(new MetadataRequest { Locate = new Locate { Inode = node.Inode, First = index, Last = index } });
                _data.Learn(reply.Servers);
                location = reply.Errno == 0 ? reply.Chunks.FirstOrDefault() : null;
                if (location is null)
                {
                    // What has been cut off or removed since needs no sync.
                    return (Errno)reply.Errno == Errno.ESTALE ? Errnos.Ok : (Errno)reply.Errno;
                }
            }

            Errno error = await _data.Sync(location);
            if (error == Errnos.Ok || _loop.NowNanoseconds >= until)
            {
                return error == Errnos.Ok ? Errnos.Ok : Errno.EIO;
            }

            location = null;
            await Waits.Delay(_loop, backoff);
            backoff = Math.Min(backoff * 2, 1_000_000_000);
        }
    }

    /// <summary>Brings the chain of a chunk up to date that a server has refused or that could not be reached.</summary>
    /// <returns>False if the chunk is gone, or the session in which it was asked for: then nothing more may be sent under that one's lease.</returns>
    public async ValueTask<bool> Refresh(ChunkHandle handle)
    {
        if (IsOver(handle))
        {
            return false;
        }

        MetadataReply reply = await _session.Call(new MetadataRequest { LocateChunk = handle.Id.Value });
        if (reply.Errno != 0 || _data is not ClusterChunkData data || IsOver(handle))
        {
            return false;
        }

        data.Learn(reply.Servers);
        handle.Chain = data.ChainOf(reply.Chunks[0]) ?? handle.Chain;
        return true;
    }

    private (ulong Index, long Within, int Length) Piece(ulong offset, int length)
    {
        ulong within = offset % _session.ChunkBytes;
        return (offset / _session.ChunkBytes, (long)within, (int)Math.Min((ulong)length, _session.ChunkBytes - within));
    }

    /// <summary>Does something with a chunk; where its replicas have changed meanwhile, again with the new ones.</summary>
    /// <param name="node">The file, under a lease.</param>
    /// <param name="session">
    /// The session in which that lease was held. Once it is over nothing is sent: others may have the file by then, and have written to it.
    /// </param>
    /// <param name="index">Which chunk.</param>
    /// <param name="allocate">Whether to make it if it is a hole.</param>
    /// <param name="access">What to do.</param>
    /// <param name="hole">What to do instead if it is a hole.</param>
    private async ValueTask<Errno> WithChunk(
        ClientNode node, ulong session, ulong index, bool allocate, Func<ChunkLocation, ValueTask<Errno>> access, Action? hole)
    {
        long until = _loop.NowNanoseconds + _options.RetryNanoseconds;
        long backoff = _options.BackoffNanoseconds;
        while (true)
        {
            Result<ChunkLocation?> location = await LocationOf(node, index, allocate);
            if (!location.IsOk)
            {
                return location.Error;
            }

            if (!Holds(session))
            {
                return Errno.EIO;
            }

            if (location.Value is null)
            {
                hole?.Invoke();
                return Errnos.Ok;
            }

            Errno error = await access(location.Value);
            if (error is Errnos.Ok or Errno.ENOSPC)
            {
                return error;
            }

            if (_loop.NowNanoseconds >= until || node.Lease == LeaseMode.None)
            {
                return Errno.EIO;
            }

            node.Chunks.Remove(index);
            await Waits.Delay(_loop, backoff);
            backoff = Math.Min(backoff * 2, 1_000_000_000);
        }
    }

    private bool IsOver(ChunkHandle handle) => handle.Session != 0 && !Holds(handle.Session);

    /// <summary>Whether a session goes on, so that the leases that were held in it are held still, or were given up in good order.</summary>
    private bool Holds(ulong session) => session == _session.Id && _session.ValidNanoseconds > 0;

    private async ValueTask<Result<ChunkLocation?>> LocationOf(ClientNode node, ulong index, bool allocate)
    {
        if (node.Chunks.TryGetValue(index, out ChunkLocation? known) && (known is not null || !allocate))
        {
            return Results.Of(known);
        }

        return allocate ? await Allocate(node, index) : await Locate(node, index);
    }

    private async ValueTask<Result<ChunkLocation?>> Allocate(ClientNode node, ulong index)
    {
        Outcome outcome = await _allocations.Add(new AllocateChunks { Inode = node.Inode, Placements = { new Placement { Index = index } } });
        node.NeedsMetadataSync = true;
        if (outcome.Errno != 0)
        {
            return (Errno)outcome.Errno;
        }

        return Results.Of<ChunkLocation?>(node.Chunks[index] = outcome.Chunks[0]);
    }

    private async ValueTask<Result<ChunkLocation?>> Locate(ClientNode node, ulong index)
    {
        ulong last = index + LocateAhead - 1;
        MetadataReply reply = await _session.Call(new MetadataRequest { Locate = new Locate { Inode = node.Inode, First = index, Last = last } });
        if (reply.Errno != 0)
        {
            return (Errno)reply.Errno;
        }

        _data.Learn(reply.Servers);
        node.Chunks[index] = null;
        foreach (ChunkLocation chunk in reply.Chunks)
        {
            node.Chunks[chunk.Index] = chunk;
        }

        return Results.Of(node.Chunks[index]);
    }

    private static Command PackAllocations(IReadOnlyList<AllocateChunks> files) =>
        files.Count == 1 ? new Command { AllocateChunks = files[0] } : new Command { AllocateAll = new AllocateAll { Files = { files } } };

    private static Command PackReports(IReadOnlyList<Wrote> files) =>
        files.Count == 1 ? new Command { Wrote = files[0] } : new Command { WroteAll = new WroteAll { Files = { files } } };
}
