using System.Numerics;
using System.Runtime.InteropServices;
using Harness.Cluster.Chunks.Store;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Server;

/// <content>What somebody asks who checks the cluster.</content>
internal sealed partial class ChunkServer
{
    private static readonly uint s_zeroCrc = Crc32C.Compute(new byte[BlockSum.BlockBytes]);

    private void ListReplicas(RpcRequest request, in ChunkRequest message)
    {
        ulong after = message.Chunk;
        ReplicaReport[] replicas =
        [
            .. _store.Chunks.Where(chunk => chunk.Id.Value > after).Take((int)Math.Min(message.Length, ListedMax))
                .Select(static chunk => new ReplicaReport { Chunk = chunk.Id.Value, Version = chunk.Version, Sequence = chunk.Sequence }),
        ];
        if (replicas.Length == 0)
        {
            request.Reply(Errnos.Ok);
            return;
        }

        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes<ReplicaReport>(replicas);
        if (_pool.TryRent(bytes.Length) is not { } buffer)
        {
            request.Reply(Errno.EAGAIN);
            return;
        }

        bytes.CopyTo(buffer.Memory.Span);
        request.Reply(new ChunkReply { Crc = Crc32C.Compute(bytes) }, new Payload(buffer.Memory, buffer));
    }

    /// <summary>What a client has written under its lease is committed, and so it is here; what others write under theirs it must not ask about.</summary>
    private async ValueTask Seek(RpcRequest request, ChunkRequest message)
    {
        Errno error = !_replicas.TryGetValue(message.Chunk, out ChunkReplica? replica) ? Errno.ENOENT
            : !HasLease ? Errno.ESTALE
            : replica.Refusal(message.Version);
        Result<StoredChunk> found = error == Errnos.Ok ? await _store.Get(new ChunkId(message.Chunk)) : error;
        if (!found.IsOk)
        {
            request.Reply(found.Error);
            return;
        }

        StoredChunk chunk = found.Value;
        bool wantsData = message.Length > 0;
        int block = (int)Math.Min(message.Offset / BlockSum.BlockBytes, (ulong)_store.BlocksMax);
        while (block < chunk.HighWater && chunk.SumOf(block).IsData(chunk.Id, block) != wantsData)
        {
            block++;
        }

        bool isNone = wantsData && block >= chunk.HighWater;
        request.Reply(new ChunkReply { Stamp = isNone ? ulong.MaxValue : Math.Max(message.Offset, (ulong)block * BlockSum.BlockBytes) });
    }

    /// <summary>
    /// The digest is made of the checksums of the blocks, so that it costs no reading. A block of zeros counts as one that was never written: one
    /// replica may have got it by a write and another by a hole.
    /// </summary>
    private async ValueTask Digest(RpcRequest request, ChunkRequest message)
    {
        Result<StoredChunk> found = await _store.Get(new ChunkId(message.Chunk));
        if (!found.IsOk)
        {
            request.Reply(found.Error);
            return;
        }

        StoredChunk chunk = found.Value;
        uint digest = 0;
        for (int block = 0; block < Math.Max(chunk.HighWater, chunk.Sums.End); block++)
        {
            BlockSum sum = chunk.SumOf(block);
            if (sum.Crc != s_zeroCrc && sum.IsData(chunk.Id, block))
            {
                digest = BitOperations.Crc32C(digest, ((ulong)(uint)block << 32) | sum.Crc);
            }
        }

        request.Reply(new ChunkReply { Stamp = new BlockStamp(chunk.Version, chunk.Sequence).Value, Crc = digest });
    }
}
