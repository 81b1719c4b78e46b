using System.Runtime.InteropServices;
using Harness.Cluster.Chunks.Store;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Server;

/// <content>Copying from other replicas: catching up, merging, repairing.</content>
internal sealed partial class ChunkServer
{
    private const long CopyTimeoutNanoseconds = 10_000_000_000;
    private const long CopyRetryNanoseconds = 5_000_000;

    /// <summary>Decides whether a block is to be copied.</summary>
    private delegate bool IsWanted(int block, BlockSum mine, BlockStamp theirs);

    /// <summary>Makes a joining replica equal to its predecessor, beside the writes that come in.</summary>
    private async ValueTask<Errno> CatchUp(ChunkRequest message)
    {
        if (!_replicas.TryGetValue(message.Chunk, out ChunkReplica? replica))
        {
            return Errno.ENOENT;
        }

        if (!replica.IsJoining || replica.Chain!.Version != message.Version)
        {
            return Errno.ESTALE;
        }

        NodeAddress source = replica.Chain.Members[replica.Position - 1].Address;
        ulong version = message.Version;
        // First who has asked for what, then the bytes: whatever is known to be done is then among them.
        Errno error = await CopyMutations(replica, source, version);
        // What came through the chain is new, though the predecessor may not have it yet: all else must be as it is there, older or not.
        return error != Errnos.Ok ? error : await CopyAll(replica.Id, source, version, IsOlder);

        bool IsOlder(int block, BlockSum mine, BlockStamp theirs) =>
            mine.Stamp != theirs.Value && new BlockStamp(mine.Stamp).Version < version && !replica.TakenWhileJoining.Contains(block);
    }

    private async ValueTask<Errno> Merge(ChunkRequest message, ReadOnlyMemory<byte> payload)
    {
        if (!_replicas.TryGetValue(message.Chunk, out ChunkReplica? replica) || Chain.TryRead(1, payload.Span) is not { } source)
        {
            return Errno.EINVAL;
        }

        Errno error = await CopyMutations(replica, source.Head.Address, 0);
        error = error != Errnos.Ok ? error : await CopyAll(replica.Id, source.Head.Address, 0, static (_, mine, theirs) => theirs.Value > mine.Stamp);
        Result<StoredChunk> chunk = await _store.Get(replica.Id);
        if (error == Errnos.Ok && chunk.IsOk && replica.Chain is null)
        {
            replica.Restore(new BlockStamp(Math.Max(chunk.Value.Version, replica.LastStamp.Version), Math.Max(chunk.Value.Sequence, replica.Sequence)));
        }

        return error;
    }

    /// <summary>Takes over which mutations another replica has carried out, so that one that is sent again is not carried out again here.</summary>
    private async ValueTask<Errno> CopyMutations(ChunkReplica replica, NodeAddress source, ulong version)
    {
        RpcReply reply = await Ask(source, ChunkKind.Mutations, replica.Id, version, 0, 0);
        if (!reply.IsOk)
        {
            return reply.Status;
        }

        ReadOnlySpan<byte> bytes = reply.Buffer is null ? default : reply.Buffer.Memory.Span;
        foreach (MutationEntry entry in MemoryMarshal.Cast<byte, MutationEntry>(bytes))
        {
            replica.Window.Add(new MutationId(entry.Client, entry.Mutation), entry.Sequence);
        }

        reply.Buffer?.Release();
        return Errnos.Ok;
    }

    private async ValueTask<Errno> CopyAll(ChunkId id, NodeAddress source, ulong version, IsWanted isWanted)
    {
        Result<StoredChunk> chunk = await _store.Get(id);
        if (!chunk.IsOk)
        {
            return chunk.Error;
        }

        chunk.Value.Users++;
        Errno error = Errnos.Ok;
        for (int first = 0; first < _store.BlocksMax && error == Errnos.Ok; first += StampsMax)
        {
            error = await CopyRange(chunk.Value, source, version, first, Math.Min(StampsMax, _store.BlocksMax - first), isWanted);
        }

        chunk.Value.Users--;
        return error;
    }

    private async ValueTask<Errno> CopyRange(StoredChunk chunk, NodeAddress source, ulong version, int first, int count, IsWanted isWanted)
    {
        RpcReply reply = await Ask(source, ChunkKind.Stamps, chunk.Id, version, first, count);
        if (!reply.IsOk)
        {
            return reply.Status;
        }

        ulong[] stamps = MemoryMarshal.Cast<byte, ulong>(reply.Buffer!.Memory.Span).ToArray();
        reply.Buffer.Release();
        for (int i = 0; i < stamps.Length;)
        {
            int run = 0;
            while (run < FetchBlocksMax && i + run < stamps.Length && isWanted(first + i + run, chunk.SumOf(first + i + run), new BlockStamp(stamps[i + run])))
            {
                run++;
            }

            Errno error = run > 0 ? await CopyBlocks(chunk, source, version, first + i, run, isWanted) : Errnos.Ok;
            if (error != Errnos.Ok)
            {
                return error;
            }

            i += Math.Max(run, 1);
        }

        return Errnos.Ok;
    }

    private async ValueTask<Errno> CopyBlocks(
        StoredChunk chunk, NodeAddress source, ulong version, int first, int count, IsWanted isWanted, BlockStamp after = default)
    {
        BlockSum[] seen = [.. Enumerable.Range(first, count).Select(chunk.SumOf)];
        RpcReply reply = await Ask(source, ChunkKind.Fetch, chunk.Id, version, first, count, after);
        if (!reply.IsOk)
        {
            return reply.Status;
        }

        Errno error = Errnos.Ok;
        Memory<byte> bytes = reply.Buffer!.Memory;
        for (int i = 0; i < count && error == Errnos.Ok; i++)
        {
            var stamp = new BlockStamp(MemoryMarshal.Read<ulong>(bytes.Span[((count * BlockSum.BlockBytes) + (i * sizeof(ulong)))..]));
            if (isWanted(first + i, seen[i], stamp))
            {
                error = await _store.Replace(chunk, first + i, seen[i], stamp, bytes.Slice(i * BlockSum.BlockBytes, BlockSum.BlockBytes));
                // Whoever waits for a certain mutation is not content with what somebody else has copied before it.
                error = error == Errno.EAGAIN && after.Value == 0 ? Errnos.Ok : error;
            }
        }

        reply.Buffer.Release();
        return error;
    }

    /// <summary>
    /// Carries a mutation out on a replica that is joining, or was when it came: after those before it. What changes part of a block takes the
    /// predecessor's block, once that has the mutation, since the rest of the block may not be here yet.
    /// </summary>
    private async ValueTask<Errno> ApplyWhileJoining(ChunkReplica replica, StoredChunk chunk, PendingWrite write)
    {
        await replica.ApplyGate.Enter();
        ChunkRequest message = write.Message;
        int first = (int)(message.Offset / BlockSum.BlockBytes);
        int end = (int)((message.Offset + message.Length + BlockSum.BlockBytes - 1) / BlockSum.BlockBytes);
        bool isPunch = write.Payload is null;
        bool byCopy = (message.Offset | message.Length) % BlockSum.BlockBytes != 0;
        if (byCopy && isPunch)
        {
            // Of a punch only the edges.
            await ApplyByCopy(replica, chunk, write, first, 1);
            await ApplyByCopy(replica, chunk, write, end - 1, 1);
        }
        else if (byCopy)
        {
            await ApplyByCopy(replica, chunk, write, first, end - first);
        }

        if (replica.IsJoining && !byCopy && replica.IsPending(write))
        {
            // Under its old stamp, if it was under way when the chain changed: the predecessor may still be at carrying it out when it is asked for its block.
            replica.TakenWhileJoining.UnionWith(Enumerable.Range(first, end - first));
        }

        // What was copied has the mutation already. A replica that has become whole meanwhile can do it by itself.
        Errno error = !replica.IsPending(write) ? Errno.ESTALE
            : replica.IsJoining && byCopy ? await _store.FinishCopied(chunk, write.Stamp, MutationOf(write), first, isPunch ? end - first : 0)
            : await ApplyDirectly(replica, chunk, write);
        replica.ApplyGate.Leave();
        return error;
    }

    /// <summary>Takes the predecessor's blocks, for as long as this replica is joining and the mutation under way.</summary>
    private async ValueTask ApplyByCopy(ChunkReplica replica, StoredChunk chunk, PendingWrite write, int first, int blocks)
    {
        while (blocks > 0 && replica.IsJoining && replica.IsPending(write))
        {
            Chain chain = replica.Chain!;
            int count = Math.Min(blocks, FetchBlocksMax);
            NodeAddress source = chain.Members[replica.Position - 1].Address;
            Errno error = await CopyBlocks(chunk, source, chain.Version, first, count, static (_, mine, theirs) => theirs.Value != mine.Stamp, write.Stamp);
            if (error == Errnos.Ok)
            {
                (first, blocks) = (first + count, blocks - count);
            }
            else
            {
                await LoopYield.Delay(_loop, CopyRetryNanoseconds);
            }
        }
    }

    /// <summary>Replaces blocks that do not match their sums by another member's; returns how many.</summary>
    private async ValueTask<int> Repair(ChunkReplica replica, StoredChunk chunk, int first, int blocks)
    {
        int repaired = 0;
        using PooledBlock one = new(_pool);
        for (int block = first; block < first + blocks; block++)
        {
            BlockSum seen = chunk.SumOf(block);
            Errno error = one.IsThere ? await _store.ReadBlocks(chunk, block, one.Memory, default) : Errno.ENOBUFS;
            if (error == Errno.EUCLEAN && replica.Chain is { } chain && await RepairBlock(chain, chunk, block, seen))
            {
                repaired++;
            }
        }

        return repaired;
    }

    /// <summary>Of a block that is to be changed in part and does not match its sum another member's is changed. What comes behind waits.</summary>
    private ValueTask<bool> Mend(StoredChunk chunk, int block) =>
        _replicas.TryGetValue(chunk.Id.Value, out ChunkReplica? replica) && replica.Chain is { } chain
            ? RepairBlock(chain, chunk, block, chunk.SumOf(block), isHeld: true)
            : new ValueTask<bool>(false);

    private async ValueTask<bool> RepairBlock(Chain chain, StoredChunk chunk, int block, BlockSum seen, bool isHeld = false)
    {
        for (int i = 0; i < chain.Readers; i++)
        {
            ChainMember member = chain.Members[i];
            if (member.Server == _options.ServerId)
            {
                continue;
            }

            RpcReply reply = await Ask(member.Address, ChunkKind.Fetch, chunk.Id, chain.Version, block, 1);
            if (!reply.IsOk)
            {
                continue;
            }

            // The same write's block, whose stamp is older than any that may be under way; a damaged sum cannot say which that was.
            Memory<byte> bytes = reply.Buffer!.Memory;
            var stamp = new BlockStamp(MemoryMarshal.Read<ulong>(bytes.Span[BlockSum.BlockBytes..]));
            bool fits = stamp.Value == seen.Stamp || (!seen.IsData(chunk.Id, block) && !seen.IsZero(chunk.Id, block));
            Errno error = fits ? await _store.Replace(chunk, block, seen, stamp, bytes[..BlockSum.BlockBytes], isHeld) : Errno.ESTALE;
            reply.Buffer.Release();
            if (error is Errnos.Ok or Errno.EAGAIN)
            {
                return true;
            }
        }

        return false;
    }

    private async ValueTask Scrub(RpcRequest request, ChunkRequest message)
    {
        Result<StoredChunk> chunk = await _store.Get(new ChunkId(message.Chunk));
        if (!chunk.IsOk || !_replicas.TryGetValue(message.Chunk, out ChunkReplica? replica))
        {
            request.Reply(chunk.IsOk ? Errno.ENOENT : chunk.Error);
            return;
        }

        var result = default(ScrubReply);
        chunk.Value.Users++;
        using PooledBlock one = new(_pool);
        for (int block = 0; block < chunk.Value.HighWater && one.IsThere; block++)
        {
            result.Blocks++;
            if (await _store.ReadBlocks(chunk.Value, block, one.Memory, default) == Errno.EUCLEAN)
            {
                result.Damaged++;
                result.Repaired += (uint)await Repair(replica, chunk.Value, block, 1);
            }

            if (block % FetchBlocksMax == 0)
            {
                await LoopYield.Yield(_loop);
            }
        }

        chunk.Value.Users--;
        request.Reply(result);
    }

    private async ValueTask<RpcReply> Ask(
        NodeAddress address, ushort kind, ChunkId chunk, ulong version, int first, int count, BlockStamp after = default)
    {
        if (await LinkTo(address).Get() is not { } peer)
        {
            return new RpcReply { Status = Errno.ENOTCONN };
        }

        var message = new ChunkRequest
        {
            Chunk = chunk.Value,
            Version = version,
            Stamp = after.Value,
            Offset = (ulong)first * BlockSum.BlockBytes,
            Length = (uint)(count * BlockSum.BlockBytes),
        };
        RpcReply reply = await peer.Call(kind, message, default, default, CopyTimeoutNanoseconds);
        ReadOnlySpan<byte> bytes = reply.Buffer is null ? default : reply.Buffer.Memory.Span;
        if (reply.IsOk && Crc32C.Compute(bytes) != reply.Read<ChunkReply>().Crc)
        {
            reply.Buffer?.Release();
            return new RpcReply { Status = Errno.EBADMSG };
        }

        return reply;
    }

    private readonly struct PooledBlock(PayloadPool pool) : IDisposable
    {
        private readonly PayloadBuffer? _buffer = pool.TryRent(BlockSum.BlockBytes);

        public bool IsThere => _buffer is not null;

        public Memory<byte> Memory => _buffer!.Memory;

        public void Dispose() => _buffer?.Release();
    }
}
