using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Harness.Cluster.Chunks.Store;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Server;

/// <content>Reading and writing.</content>
internal sealed partial class ChunkServer
{
    /// <summary>The most bytes of one read or write: a client cuts what is longer into pieces that travel one behind the other.</summary>
    public const int PieceBytesMax = JournalRecord.BlocksMax * BlockSum.BlockBytes;

    private const long QueryTimeoutNanoseconds = 1_000_000_000;

    private readonly uint[] _sums = new uint[JournalRecord.BlocksMax];

    private bool IsWithin(in ChunkRequest message, bool isPunch) =>
        message.Length > 0 && (isPunch || message.Length <= PieceBytesMax) && message.Offset <= (ulong)_options.Store.ChunkBytesMax &&
        message.Length <= (ulong)_options.Store.ChunkBytesMax - message.Offset;

    private void Mutate(RpcRequest request, in ChunkRequest message)
    {
        ushort kind = request.Header.Kind;
        bool fromClient = kind is ChunkKind.Write or ChunkKind.Punch;
        bool isPunch = kind is ChunkKind.Punch or ChunkKind.ForwardPunch;
        if (!_replicas.TryGetValue(message.Chunk, out ChunkReplica? replica))
        {
            request.Reply(Errno.ENOENT);
            return;
        }

        Errno refusal = replica.Refusal(message.Version);
        if (refusal == Errnos.Ok)
        {
            bool sound = IsWithin(message, isPunch) && request.PayloadBytes.Length == (isPunch ? 0 : (int)message.Length);
            refusal = !sound ? Errno.EINVAL
                : fromClient && HasEnded(message.Client) ? Errno.EPERM
                : fromClient && !HasLease ? Errno.EAGAIN
                : fromClient && !replica.IsHead ? Errno.ESTALE
                : fromClient && !_store.HasRoom(message.Length) && !isPunch ? Errno.ENOSPC
                : Errnos.Ok;
        }
        else if (!fromClient && replica.Chain is not null && message.Version > replica.Chain.Version)
        {
            // The predecessor has heard of the new chain before this replica; it tries again.
            refusal = Errno.EAGAIN;
        }

        int blocks = 0;
        if (refusal == Errnos.Ok && !isPunch && !TrySum(request.PayloadBytes.Span, message, out blocks))
        {
            refusal = Errno.EBADMSG;
        }

        if (refusal != Errnos.Ok)
        {
            request.Reply(refusal);
        }
        else if (fromClient)
        {
            replica.TakeFromClient(request, message, _sums.AsSpan(0, blocks));
        }
        else
        {
            replica.TakeFromPredecessor(request, message, _sums.AsSpan(0, blocks));
        }
    }

    /// <summary>Checks a payload against the checksum that its client has made; of whole blocks the blocks' sums come along.</summary>
    private bool TrySum(ReadOnlySpan<byte> payload, in ChunkRequest message, out int blocks)
    {
        bool aligned = (message.Offset | message.Length) % BlockSum.BlockBytes == 0;
        blocks = aligned ? payload.Length / BlockSum.BlockBytes : 0;
        return message.Crc == (aligned ? BlockSums.Compute(payload, _sums) : Crc32C.Compute(payload));
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Errno> Apply(ChunkReplica replica, PendingWrite write)
    {
        Result<StoredChunk> chunk = await _store.Get(replica.Id);
        if (!chunk.IsOk)
        {
            return chunk.Error;
        }

        bool isDurable = (write.Message.Flags & ChunkWriteFlags.Durable) != 0;
        Errno error = replica.IsJoining || replica.ApplyGate.IsTaken
            ? await ApplyWhileJoining(replica, chunk.Value, write)
            : await ApplyDirectly(replica, chunk.Value, write);
        return error == Errnos.Ok && isDurable ? await _store.Sync(chunk.Value) : error;
    }

    private ValueTask<Errno> ApplyDirectly(ChunkReplica replica, StoredChunk chunk, PendingWrite write)
    {
        ChunkRequest message = write.Message;
        if (write.Payload is not { } payload)
        {
            return _store.Punch(chunk, write.Stamp, MutationOf(write), (long)message.Offset, message.Length, replica.IsJoining);
        }

        Memory<uint> sums = write.Sums.AsMemory(0, payload.Length / BlockSum.BlockBytes);
        bool isRead = (message.Flags & ChunkWriteFlags.Uncached) == 0 && replica.Chain is { } chain &&
            chain.ReaderOf(replica.Id, (long)message.Offset) == replica.Position;
        return _store.Write(chunk, write.Stamp, MutationOf(write), (long)message.Offset, payload, sums, isRead);
    }

    private bool TellClient(PendingWrite write)
    {
        ulong client = write.Message.Node;
        if (!_clients.TryGetValue(client, out RpcPeer? peer))
        {
            // The newest of its connections: of an older one the end may not have been noticed yet.
            peer = _peers.FindLast(peer => peer.RemoteHello.Role == NodeRole.Client && peer.RemoteHello.NodeId == client);
            if (peer is null)
            {
                return false;
            }

            _clients[client] = peer;
        }

        var done = new ChunkDone { Chunk = write.Message.Chunk, Mutation = write.Message.Mutation };
        return peer.Post(ChunkKind.Done, MemoryMarshal.AsBytes(new ReadOnlySpan<ChunkDone>(in done)), default) == Errnos.Ok;
    }

    private static MutationId MutationOf(PendingWrite write) => new(write.Message.Client, write.Message.Mutation);

    // Completes at once where the page cache and the chain's state allow; what it might throw ends the process.
    private async void Read(RpcRequest request, ChunkRequest message)
    {
        Errno refusal = !_replicas.TryGetValue(message.Chunk, out ChunkReplica? replica) ? Errno.ENOENT
            : !HasLease ? Errno.EAGAIN
            : replica.Refusal(message.Version) is Errno wrong && wrong != Errnos.Ok ? wrong
            : !IsWithin(message, isPunch: false) ? Errno.EINVAL
            : replica.IsJoining ? Errno.EAGAIN
            : Errnos.Ok;
        if (refusal != Errnos.Ok)
        {
            request.Reply(refusal);
            return;
        }

        await ReadCommitted(request, replica!, message);
    }

    private async ValueTask ReadCommitted(RpcRequest request, ChunkReplica replica, ChunkRequest message)
    {
        Result<StoredChunk> chunk = await _store.Get(replica.Id);
        int first = (int)(message.Offset / BlockSum.BlockBytes);
        int within = (int)(message.Offset % BlockSum.BlockBytes);
        int blocks = (within + (int)message.Length + BlockSum.BlockBytes - 1) / BlockSum.BlockBytes;
        if (!chunk.IsOk || _pool.TryRent(blocks * BlockSum.BlockBytes) is not { } buffer)
        {
            request.Reply(chunk.IsOk ? Errno.EAGAIN : chunk.Error);
            return;
        }

        uint[] sums = _freeSums.TryPop(out uint[]? free) ? free : new uint[JournalRecord.BlocksMax + 1];
        ulong committed = 0;
        Errno error;
        do
        {
            if (DirtyBehind(replica, message, committed) is { } dirty)
            {
                committed = await WaitUntilCommitted(replica, dirty, message);
            }

            error = await _store.ReadBlocks(chunk.Value, first, buffer.Memory, sums);
            if (error == Errno.EUCLEAN && await Repair(replica, chunk.Value, first, blocks) > 0)
            {
                error = await _store.ReadBlocks(chunk.Value, first, buffer.Memory, sums);
            }

            bool stillServes = HasLease && replica.Refusal(message.Version) == Errnos.Ok;
            error = error == Errnos.Ok && !stillServes ? Errno.ESTALE : error;
        }
        // What has come in while the bytes were read may be among them.
        while (error == Errnos.Ok && DirtyBehind(replica, message, committed) is not null);

        if (error != Errnos.Ok)
        {
            buffer.Release();
            request.Reply(error);
        }
        else
        {
            ReadOnlyMemory<byte> bytes = buffer.Memory.Slice(within, (int)message.Length);
            bool whole = bytes.Length == buffer.Memory.Length;
            var reply = new ChunkReply { Crc = whole ? BlockSums.Join(sums.AsSpan(0, blocks)) : Crc32C.Compute(bytes.Span) };
            request.Reply(reply, new Payload(bytes, buffer));
        }

        _freeSums.Push(sums);
    }

    private readonly Stack<uint[]> _freeSums = new();

    /// <summary>The last mutation of these bytes that may not be committed; null if there is none. What the tail has is.</summary>
    private PendingWrite? DirtyBehind(ChunkReplica replica, in ChunkRequest message, ulong committed) =>
        replica.IsTail || _faults.ReadsDirty || replica.LastUncommitted((long)message.Offset, message.Length) is not { } dirty ||
            dirty.Stamp.Sequence <= committed ? null : dirty;

    /// <summary>
    /// Bytes with a mutation under way may not be answered, neither the old ones, which another replica may no longer have, nor the new ones,
    /// which may still be lost. The tail knows: what it has is committed.
    /// </summary>
    /// <returns>The sequence up to which all is committed, or given up.</returns>
    private async ValueTask<ulong> WaitUntilCommitted(ChunkReplica replica, PendingWrite dirty, ChunkRequest message)
    {
        ulong sequence = dirty.Stamp.Sequence;
        if (dirty.IsApplied && replica.Chain is { } chain && await LinkTo(chain.Members[chain.Readers - 1].Address).Get() is { } peer)
        {
            RpcReply reply = await peer.Call(ChunkKind.Query, message, default, default, QueryTimeoutNanoseconds);
            if (reply.IsOk && new BlockStamp(reply.Read<ChunkReply>().Stamp).Sequence >= sequence)
            {
                return sequence;
            }
        }

        while (replica.LastUncommitted((long)message.Offset, message.Length) is { } still && still.Stamp.Sequence <= sequence)
        {
            await still.WaitForEnd();
        }

        return sequence;
    }

    private async void Sync(RpcRequest request, ChunkRequest message)
    {
        Errno error = !_replicas.TryGetValue(message.Chunk, out ChunkReplica? replica) ? Errno.ENOENT : replica.Refusal(message.Version);
        if (error == Errnos.Ok)
        {
            Result<StoredChunk> chunk = await _store.Get(replica!.Id);
            error = chunk.IsOk ? await _store.Sync(chunk.Value) : chunk.Error;
            if (chunk.IsOk && error != Errnos.Ok && !replica.HasFailed)
            {
                // The page cache has lost what it could not write, and tells of it once (fsync(2), "EIO").
                replica.Fail(error);
            }
        }

        request.Reply(error);
    }
}
