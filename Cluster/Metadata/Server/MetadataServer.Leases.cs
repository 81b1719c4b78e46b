using Harness.Cluster.Wire;
using Mono.Unix.Native;

namespace Harness.Cluster.Metadata.Server;

/// <content>Giving and recalling leases.</content>
internal sealed partial class MetadataServer
{
    private async ValueTask<MetadataReply> Acquire(ulong session, Acquire acquire)
    {
        var gate = new GateKey(acquire.Inode);
        await _gates.Enter(gate);
        _leases.BeginChange(acquire.Inode);
        await RecallOthers(acquire.Inode, session, acquire.Mode == LeaseMode.Write ? LeaseMode.None : LeaseMode.Read);
        _leases.EndChange(acquire.Inode);
        MetadataReply reply = WithAttributes(session, acquire.Inode, acquire.Mode);
        _gates.Leave(gate);
        return reply;
    }

    /// <summary>Answers with attributes and as much of a lease as there can be.</summary>
    private MetadataReply WithAttributes(ulong session, ulong inode, LeaseMode mode)
    {
        Attributes? attributes = State.AttributesOf(inode);
        if (attributes is null)
        {
            return Refused(Errno.ESTALE);
        }

        var reply = new MetadataReply { Attributes = attributes };
        GrantTo(session, reply, mode);
        return reply;
    }

    private void GrantTo(ulong session, MetadataReply reply, LeaseMode mode)
    {
        ulong inode = reply.Attributes.Inode;
        reply.Lease = Grant(inode, session, State.IsDirectory(inode) ? LeaseMode.Read : mode);
        reply.Shared = _leases.Others(inode, session, LeaseMode.None).Any(static other => other.Holding.Open);
    }

    /// <summary>Gives a lease. One whose session has ended meanwhile gets none, since nobody would ever take it away again.</summary>
    private LeaseMode Grant(ulong inode, ulong session, LeaseMode mode) =>
        _clients.ContainsKey(session) ? _leases.Grant(inode, session, mode) : LeaseMode.None;

    /// <summary>
    /// Cuts the leases of all other sessions down to a mode. A directory's lease, under which its names are cached too, is never taken; its
    /// holders only drop its attributes, and the name that is about to change.
    /// </summary>
    private async ValueTask RecallOthers(ulong inode, ulong session, LeaseMode left, ReadOnlyMemory<byte> name = default)
    {
        bool isDirectory = State.IsDirectory(inode);
        List<Task>? recalls = null;
        foreach ((ulong other, LeaseHolding holding) in _leases.Others(inode, session, LeaseMode.Read))
        {
            if (holding.Mode > left || (isDirectory && left == LeaseMode.None))
            {
                var recall = new Recall { Inode = inode, Mode = isDirectory ? LeaseMode.Read : left, Name = Google.Protobuf.ByteString.CopyFrom(name.Span) };
                (recalls ??= []).Add(RecallFrom(other, recall));
            }
        }

        if (recalls is not null)
        {
            await Task.WhenAll(recalls);
        }
    }

    /// <summary>Recalls a lease from one session; at the latest the session's end is an answer.</summary>
    private async Task RecallFrom(ulong session, Recall recall)
    {
        while (_clients.TryGetValue(session, out Client? client))
        {
            // Taken before: the client may be back by another connection before the end of this one is noticed.
            Task changed = client.Changed.Task;
            IClientLink? link = client.Link;
            RecallReply? reply = link is null ? null : await link.Recall(recall);
            if (reply is not null)
            {
                if (_clients.ContainsKey(session))
                {
                    _leases.Set(recall.Inode, session, new LeaseHolding(recall.Mode, reply.Open));
                }

                return;
            }

            // The connection is gone, or the client hangs: it comes back by another one, or its session ends.
            await changed;
        }
    }

    private MetadataReply GiveBack(ulong session, GiveBack give)
    {
        foreach (ulong inode in give.Inodes)
        {
            // A lease that is being recalled is answered for by that recall.
            _leases.Set(inode, session, default);
        }

        var release = new Release();
        foreach (ulong inode in give.Closed)
        {
            LeaseHolding held = _leases.Of(inode, session);
            _leases.Set(inode, session, held with { Open = false });
            if (State.HoldersOf(inode).Contains(session))
            {
                release.Inodes.Add(inode);
            }
        }

        if (release.Inodes.Count > 0)
        {
            _pipeline.Submit(new Command { Session = session, Release = release }).Watch();
        }

        return new MetadataReply();
    }
}
