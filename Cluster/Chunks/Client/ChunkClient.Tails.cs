using System.Runtime.CompilerServices;
using Harness.Cluster.Chunks.Store;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Client;

/// <content>
/// Small writes that the tail answers (<see cref="ChunkWriteFlags.TailAnswers"/>), as in the first description of chain replication: a write of
/// three replicas is back after four messages one after the other instead of six.
/// </content>
internal sealed partial class ChunkClient : IRpcHandler
{
    /// <summary>Of what is longer the copies are dearer than the messages: replicas are better at work all at once.</summary>
    private const int SmallBytesMax = 16 << 10;

    private readonly Dictionary<ulong, Asked> _answeredByTails = [];

    /// <summary>A write is done: its tail says so.</summary>
    void IRpcHandler.OnRequest(RpcRequest request)
    {
        if (request.Header.Kind != ChunkKind.Done || !request.TryRead(out ChunkDone done))
        {
            request.Reply(Errno.ENOSYS);
            return;
        }

        request.Drop();
        if (_answeredByTails.TryGetValue(done.Mutation, out Asked asked))
        {
            asked.Head.EndCall(asked.Call, Errnos.Ok);
        }
    }

    /// <summary>What it might have told is asked for again.</summary>
    void IRpcHandler.OnDisconnected(RpcPeer peer, string reason)
    {
        foreach (Asked asked in _answeredByTails.Values.Where(asked => asked.Tail == peer).ToArray())
        {
            asked.Head.EndCall(asked.Call, Errno.ENOTCONN);
        }
    }

    /// <summary>The connection over which a write's tail may answer; null if the head is to.</summary>
    private RpcPeer? TailOf(ushort kind, Chain chain, in ChunkRequest message)
    {
        bool isSmall = kind == ChunkKind.Write && message.Length is > 0 and <= SmallBytesMax && (message.Offset | message.Length) % BlockSum.BlockBytes == 0;
        if (!isSmall || chain.Members.Count == 1 || (message.Flags & ChunkWriteFlags.Durable) != 0)
        {
            return null;
        }

        PeerLink tail = LinkTo(chain.Tail.Address);
        if (tail.Peer is null)
        {
            Connect(tail);
        }

        return LinkTo(chain.Head.Address).Peer is null ? null : tail.Peer;
    }

    private void ExpectSoon(int bytes)
    {
        if (bytes <= SmallBytesMax)
        {
            loop.ExpectWithin(_options.ExpectNanoseconds);
        }
    }

    // For the writes that come after.
    private static async void Connect(PeerLink link) => await link.Get();

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<RpcReply> AskThrough(RpcPeer tail, Chain chain, ChunkRequest message, ReadOnlyMemory<byte> data)
    {
        RpcPeer head = LinkTo(chain.Head.Address).Peer!;
        message.Flags |= ChunkWriteFlags.TailAnswers;
        message.Node = hello.NodeId;
        ExpectSoon(data.Length);
        ValueTask<RpcReply> call = head.Call(ChunkKind.Write, message, new Payload(data), _options.AttemptNanoseconds, out ulong id);
        _answeredByTails[message.Mutation] = new Asked(head, tail, id);
        RpcReply reply = await call;
        _answeredByTails.Remove(message.Mutation);
        return reply;
    }

    /// <summary>A call to a head whose answer comes from a tail.</summary>
    private readonly record struct Asked(RpcPeer Head, RpcPeer Tail, ulong Call);
}
