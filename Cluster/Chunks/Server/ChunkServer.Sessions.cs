using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Server;

/// <content>
/// Ends of clients' sessions. What a client sent while it had a file to itself may still lie in a socket when somebody else has it; so nobody else gets it
/// before every server refuses that, or has lost its lease, with which it closes the connections of all clients.
/// </content>
internal sealed partial class ChunkServer
{
    /// <summary>Sessions that are remembered to have ended. What older ones sent comes no more: connections do not last that long.</summary>
    private const int EndedMax = 16_384;

    private const long PendingTickNanoseconds = 20_000_000;

    /// <summary>So long one request waits; less than who asks does, so that there is one at a time.</summary>
    private const long PendingNanosecondsMax = 1_000_000_000;

    private readonly HashSet<ulong> _ended = [];
    private readonly Queue<ulong> _endedInOrder = new();

    private bool HasEnded(ulong client) => _ended.Count > 0 && _ended.Contains(client);

    private async ValueTask<Errno> EndSession(ulong session)
    {
        if (_ended.Add(session))
        {
            _endedInOrder.Enqueue(session);
        }

        if (_endedInOrder.Count > EndedMax)
        {
            _ended.Remove(_endedInOrder.Dequeue());
        }

        // What was taken in before is committed, or given up, before anybody may count on reading what there is.
        long until = _loop.NowNanoseconds + PendingNanosecondsMax;
        while (_replicas.Values.Any(replica => replica.HasPendingOf(session)))
        {
            if (_loop.NowNanoseconds >= until)
            {
                return Errno.EAGAIN;
            }

            await LoopYield.Delay(_loop, PendingTickNanoseconds);
        }

        return Errnos.Ok;
    }

    private void CloseClients()
    {
        foreach (RpcPeer peer in _peers.Where(static peer => peer.RemoteHello.Role is NodeRole.Client or NodeRole.None).ToArray())
        {
            peer.Close("this server's lease is over: what was sent to it before is void");
        }
    }
}
