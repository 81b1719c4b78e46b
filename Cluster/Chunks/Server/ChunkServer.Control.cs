using System.Runtime.InteropServices;
using Harness.Cluster.Chunks.Store;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Server;

/// <content>What the metadata server and other replicas ask.</content>
internal sealed partial class ChunkServer
{
    private const int StampsMax = 4096;
    private const int FetchBlocksMax = 32;
    private const int ListedMax = 4096;

    /// <summary>As many as one payload holds.</summary>
    private const int MutationsMax = 128 << 10;

    private async void OnControl(RpcRequest request, ChunkRequest message)
    {
        // What the metadata server said before this server registered anew may come late, and is true no longer.
        bool isOrder = request.Header.Kind is ChunkKind.Create or ChunkKind.SetChain or ChunkKind.Delete or ChunkKind.CatchUp or ChunkKind.Merge
            or ChunkKind.CreateAll or ChunkKind.DeleteAll or ChunkKind.Leave or ChunkKind.EndSession;
        if (isOrder && _metadata is not null && !(HasLease && _metadata.IsRegisteredWith(request.Peer)))
        {
            request.Reply(Errno.EAGAIN);
            return;
        }

        switch (request.Header.Kind)
        {
            case ChunkKind.Create:
                request.Reply(await Create(message));
                break;
            case ChunkKind.SetChain:
                await SetChain(request, message);
                break;
            case ChunkKind.Delete:
                Remove(message.Chunk);
                request.Reply(await _store.Delete(new ChunkId(message.Chunk)));
                break;
            case ChunkKind.CreateAll:
                request.Reply(await CreateAll(message, request.PayloadBytes, Epoch));
                break;
            case ChunkKind.DeleteAll:
                request.Reply(await DeleteAll(message, request.PayloadBytes));
                break;
            case ChunkKind.Leave:
                request.Reply(Leave(message.Chunk));
                break;
            case ChunkKind.EndSession:
                request.Reply(await EndSession(message.Client));
                break;
            case ChunkKind.CatchUp:
                request.Reply(await CatchUp(message));
                break;
            case ChunkKind.Merge:
                request.Reply(await Merge(message, request.PayloadBytes));
                break;
            case ChunkKind.Scrub:
                await Scrub(request, message);
                break;
            case ChunkKind.Query:
                Query(request, message);
                break;
            case ChunkKind.Seek:
                await Seek(request, message);
                break;
            case ChunkKind.List:
                ListReplicas(request, message);
                break;
            case ChunkKind.Digest:
                await Digest(request, message);
                break;
            case ChunkKind.Stamps:
                await Stamps(request, message);
                break;
            case ChunkKind.Mutations:
                await Mutations(request, message);
                break;
            case ChunkKind.Fetch:
                await Fetch(request, message);
                break;
            default:
                request.Reply(Errno.ENOSYS);
                break;
        }
    }

    private async ValueTask<Errno> Create(ChunkRequest message)
    {
        if (message.Version is 0 or > BlockStamp.VersionMax)
        {
            return Errno.EINVAL;
        }

        var id = new ChunkId(message.Chunk);
        Errno error = await _store.Create(id, message.Version);
        if (error == Errnos.Ok)
        {
            Add(id).Restore(new BlockStamp(message.Version, 0));
        }

        // Asked again, since the answer was lost.
        bool again = error == Errno.EEXIST && _replicas.TryGetValue(message.Chunk, out ChunkReplica? there) && there.Chain is null &&
            there.LastStamp == new BlockStamp(message.Version, 0);
        return again ? Errnos.Ok : error;
    }

    private async ValueTask SetChain(RpcRequest request, ChunkRequest message)
    {
        Errno error = Chain.TryRead(message.Version, request.PayloadBytes.Span) is { } chain ? await TakeChain(message.Chunk, chain, Epoch) : Errno.EINVAL;
        if (error == Errnos.Ok && _replicas.TryGetValue(message.Chunk, out ChunkReplica? replica))
        {
            request.Reply(new ChunkReply { Stamp = replica.LastStamp.Value });
        }
        else
        {
            request.Reply(error == Errnos.Ok ? Errno.ENOENT : error);
        }
    }

    /// <summary>Makes several replicas of one chain.</summary>
    /// <returns>The first error; what was made before it stays.</returns>
    private async ValueTask<Errno> CreateAll(ChunkRequest message, ReadOnlyMemory<byte> payload, int epoch)
    {
        int idBytes = (int)Math.Min(message.Length, ChunkKind.AllMax + 1u) * sizeof(ulong);
        if (message.Length > ChunkKind.AllMax || idBytes > payload.Length || Chain.TryRead(message.Version, payload.Span[idBytes..]) is not { } chain)
        {
            return Errno.EINVAL;
        }

        foreach (ulong id in MemoryMarshal.Cast<byte, ulong>(payload.Span[..idBytes]).ToArray())
        {
            Errno error = await Create(message with { Chunk = id });
            error = error is Errnos.Ok or Errno.EEXIST ? await TakeChain(id, chain, epoch) : error;
            if (error != Errnos.Ok)
            {
                return error;
            }
        }

        return Errnos.Ok;
    }

    private async ValueTask<Errno> DeleteAll(ChunkRequest message, ReadOnlyMemory<byte> payload)
    {
        if (message.Length > ChunkKind.AllMax || message.Length * sizeof(ulong) != payload.Length)
        {
            return Errno.EINVAL;
        }

        Errno all = Errnos.Ok;
        foreach (ulong id in MemoryMarshal.Cast<byte, ulong>(payload.Span).ToArray())
        {
            Remove(id);
            Errno error = await _store.Delete(new ChunkId(id));
            all = all == Errnos.Ok ? error : all;
        }

        return all;
    }

    /// <summary>Takes part in a chain, unless what the metadata server said when the server was in <paramref name="epoch"/> is void by then.</summary>
    private async ValueTask<Errno> TakeChain(ulong id, Chain chain, int epoch)
    {
        if (chain.Version is 0 or > BlockStamp.VersionMax)
        {
            return Errno.EINVAL;
        }

        if (!_replicas.TryGetValue(id, out ChunkReplica? replica))
        {
            return Errno.ENOENT;
        }

        int place = chain.PositionOf(_options.ServerId);
        bool joins = chain.TailJoins && place == chain.Members.Count - 1;
        if (!joins && (replica.HasFailed || (replica.NeedsCatchUp && chain.Members.Count > 1)))
        {
            return replica.HasFailed ? Errno.EIO : Errno.ESTALE;
        }

        Result<StoredChunk> chunk = await _store.Get(replica.Id);
        bool isNewer = chunk.IsOk && chain.Version > chunk.Value.Version;
        Errno error = chunk.IsOk && isNewer && place >= 0 ? await _store.SetVersion(chunk.Value, chain.Version, joins) : chunk.Error;
        if (epoch != Epoch)
        {
            return Errno.EAGAIN;
        }

        if (error == Errnos.Ok)
        {
            replica.SetChain(chain);
        }

        return error;
    }

    private Errno Leave(ulong id)
    {
        _left++;
        if (!_replicas.TryGetValue(id, out ChunkReplica? replica))
        {
            return Errno.ENOENT;
        }

        replica.LeaveChain();
        return Errnos.Ok;
    }

    private void Remove(ulong id)
    {
        if (_replicas.Remove(id, out ChunkReplica? replica))
        {
            replica.LeaveChain();
        }
    }

    private void Query(RpcRequest request, in ChunkRequest message)
    {
        Errno error = !_replicas.TryGetValue(message.Chunk, out ChunkReplica? replica) ? Errno.ENOENT : replica.Refusal(message.Version);
        if (error != Errnos.Ok)
        {
            request.Reply(error);
            return;
        }

        // The tail commits what it has applied; a joining tail's predecessor, which is asked then, what the joining one has acknowledged.
        request.Reply(new ChunkReply { Stamp = new BlockStamp(message.Version, replica!.Committed).Value });
    }

    private async ValueTask Stamps(RpcRequest request, ChunkRequest message)
    {
        Result<StoredChunk> chunk = await SourceOf(message);
        int first = (int)(message.Offset / BlockSum.BlockBytes);
        int count = (int)Math.Min(message.Length / BlockSum.BlockBytes, StampsMax);
        if (!chunk.IsOk || count <= 0 || _pool.TryRent(count * sizeof(ulong)) is not { } buffer)
        {
            request.Reply(!chunk.IsOk ? chunk.Error : count <= 0 ? Errno.EINVAL : Errno.EAGAIN);
            return;
        }

        WriteStamps(chunk.Value, first, count, buffer.Memory.Span);
        request.Reply(new ChunkReply { Crc = Crc32C.Compute(buffer.Memory.Span) }, new Payload(buffer.Memory, buffer));
    }

    private async ValueTask Mutations(RpcRequest request, ChunkRequest message)
    {
        Result<StoredChunk> chunk = await SourceOf(message);
        MutationEntry[] entries = chunk.IsOk && _replicas.TryGetValue(message.Chunk, out ChunkReplica? replica) ? replica.CommittedMutations() : [];
        // Those that came last are those that may come again.
        ReadOnlyMemory<byte> bytes = MemoryMarshal.AsBytes(entries.AsSpan()[^Math.Min(entries.Length, MutationsMax)..]).ToArray();
        if (chunk.IsOk)
        {
            request.Reply(new ChunkReply { Crc = Crc32C.Compute(bytes.Span) }, new Payload(bytes));
        }
        else
        {
            request.Reply(chunk.Error);
        }
    }

    private async ValueTask Fetch(RpcRequest request, ChunkRequest message)
    {
        Result<StoredChunk> chunk = await SourceOf(message);
        int first = (int)(message.Offset / BlockSum.BlockBytes);
        int count = (int)(message.Length / BlockSum.BlockBytes);
        bool sound = count is > 0 and <= FetchBlocksMax && first + count <= _store.BlocksMax;
        if (!chunk.IsOk || !sound || _pool.TryRent(count * (BlockSum.BlockBytes + sizeof(ulong))) is not { } buffer)
        {
            request.Reply(!chunk.IsOk ? chunk.Error : sound ? Errno.EAGAIN : Errno.EINVAL);
            return;
        }

        Memory<byte> blocks = buffer.Memory[..(count * BlockSum.BlockBytes)];
        Memory<byte> stamps = buffer.Memory[blocks.Length..];
        Errno error = Errno.EAGAIN;
        var before = new byte[stamps.Length];
        for (int tries = 0; tries < 3 && error == Errno.EAGAIN; tries++)
        {
            // The stamps must be those of the bytes: what changes meanwhile is read again.
            WriteStamps(chunk.Value, first, count, before);
            error = await _store.ReadBlocks(chunk.Value, first, blocks, default);
            WriteStamps(chunk.Value, first, count, stamps.Span);
            error = error == Errnos.Ok && !stamps.Span.SequenceEqual(before) ? Errno.EAGAIN : error;
            bool mended = error == Errno.EUCLEAN && message.Version != 0 && await Repair(_replicas[message.Chunk], chunk.Value, first, count) > 0;
            error = mended ? Errno.EAGAIN : error;
        }

        if (error != Errnos.Ok)
        {
            buffer.Release();
            request.Reply(error);
            return;
        }

        request.Reply(new ChunkReply { Crc = Crc32C.Compute(buffer.Memory.Span) }, new Payload(buffer.Memory, buffer));
    }

    /// <summary>The chunk, if it may be copied from: in the version asked for, and sound. Version 0 stands for any, to merge after an outage.</summary>
    private ValueTask<Result<StoredChunk>> SourceOf(in ChunkRequest message)
    {
        bool known = _replicas.TryGetValue(message.Chunk, out ChunkReplica? replica);
        Errno error = !known ? Errno.ENOENT
            : message.Version == 0 || _faults.CopiesStaleReplicas ? Errnos.Ok
            : replica!.IsJoining || !replica.HasApplied(new BlockStamp(message.Stamp)) ? Errno.EAGAIN
            : replica.Refusal(message.Version);
        return error == Errnos.Ok ? _store.Get(new ChunkId(message.Chunk)) : new ValueTask<Result<StoredChunk>>(error);
    }

    private static void WriteStamps(StoredChunk chunk, int first, int count, Span<byte> into)
    {
        Span<ulong> stamps = MemoryMarshal.Cast<byte, ulong>(into);
        for (int i = 0; i < count; i++)
        {
            stamps[i] = ChunkStore.StampOf(chunk, first + i).Value;
        }
    }

    /// <summary>The version in which a replica is part of a chain; 0 if it is part of none.</summary>
    internal ulong ServedVersion(ulong chunk) => _replicas.GetValueOrDefault(chunk)?.Chain?.Version ?? 0;

    /// <summary>How a replica is, for people.</summary>
    internal string Explain(ulong chunk) => !_replicas.TryGetValue(chunk, out ChunkReplica? replica) ? "no replica" : replica.Explain();
}
