using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Client;

/// <content>Leases: getting them, working under them, losing them.</content>
internal sealed partial class ClusterClient
{
    /// <summary>How often the kernel is asked to drop pages before requests that keep coming are made to wait.</summary>
    private const int DropAttemptsMax = 200;

    /// <summary>Leases that wait to be given back, at most; and how long.</summary>
    private const int GiveBackMax = 256;
    private const long GiveBackNanoseconds = 10_000_000;

    private GiveBack _giveBack = new();
    private bool _giveBackIsDue;

    /// <inheritdoc/>
    public async ValueTask<RecallReply> Recall(Recall recall)
    {
        if (!_nodes.TryGetValue(recall.Inode, out ClientNode? node))
        {
            return new RecallReply();
        }

        if (node.Attributes.IsDirectory())
        {
            ForgetListed(recall.Inode);
            AddName(recall.Inode, recall.Name);
            MarkStale(node);
            Task names = recall.Name.IsEmpty ? Task.CompletedTask : _kernel.DropName(recall.Inode, recall.Name.ToByteArray());
            await Task.WhenAll(_kernel.DropAttributes(recall.Inode), names);
            return new RecallReply { Open = node.Opens > 0 };
        }

        _withoutXattrs.TryRemove(node.Inode, out _);
        await node.RecallGate.Enter();
        if (node.Lease > recall.Mode)
        {
            await GiveUp(node, recall.Mode);
        }

        node.RecallGate.Leave();

        // Who has it open tells the server, which keeps it alive for this client; from then on its closing must be told too.
        node.TellWhenClosed |= node.Opens > 0;
        var reply = new RecallReply { Open = node.Opens > 0 };
        DropIfUnused(node);
        return reply;
    }

    /// <inheritdoc/>
    public void SessionLost()
    {
        _hearsCloses = true;
        foreach (ClientNode node in _nodes.Values.ToArray())
        {
            if (node.IsDirty || node.Users > 0)
            {
                // Others may have the file by now: what was not written must not be written over theirs.
                _dirtyBytes -= node.Extents.Bytes;
                node.Extents.Clear();
                node.Dirty = DirtyAttributes.None;
                node.Error = Errno.EIO;
            }

            node.Lease = LeaseMode.None;
            ForgetNames(node.Inode);
            _withoutXattrs.TryRemove(node.Inode, out _);
            node.Chunks.Clear();
            _kernel.DropData(node.Inode).Watch();
        }

        _dirty.Clear();
        _kernel.DropNames().Watch();
    }

    /// <inheritdoc/>
    public void SuffixLost()
    {
        _hearsCloses = true;
        foreach (ClientNode node in _nodes.Values)
        {
            // A name whose removal was lost is there again.
            ForgetNames(node.Inode);
            _withoutXattrs.TryRemove(node.Inode, out _);
        }

        foreach (ClientNode node in _nodes.Values.Concat(_forgotten.Values).Where(static node => node.NeedsMetadataSync))
        {
            node.Error = Errno.EIO;
            node.Chunks.Clear();
        }

        _kernel.DropNames().Watch();
    }

    /// <summary>Gets a lease on an inode and holds it for a request, until <see cref="Done"/>.</summary>
    private ValueTask<Errno> Use(ClientNode node, LeaseMode mode)
    {
        if (node.Recalled is null && node.Lease >= mode && _session.ValidNanoseconds > 0)
        {
            node.Users++;
            node.Uses++;
            return new ValueTask<Errno>(Errnos.Ok);
        }

        return UseLater(node, mode);
    }

    /// <summary>Waits for a lease. The node stays meanwhile: what is granted is noted with the one that is known.</summary>
    private async ValueTask<Errno> UseLater(ClientNode node, LeaseMode mode)
    {
        node.Waiting++;
        Errno error = await AskForUse(node, mode);
        node.Waiting--;
        if (error != Errnos.Ok)
        {
            DropIfUnused(node);
        }

        return error;
    }

    private async ValueTask<Errno> AskForUse(ClientNode node, LeaseMode mode)
    {
        while (true)
        {
            if (node.Recalled is { } recalled)
            {
                await recalled.Task;
                continue;
            }

            if (node.Lease >= mode && _session.ValidNanoseconds > 0)
            {
                node.Users++;
                node.Uses++;
                return Errnos.Ok;
            }

            if (node.Acquiring is { } acquiring)
            {
                await acquiring;
                continue;
            }

            Task<Errno> acquire = Acquire(node, mode);
            node.Acquiring = acquire.IsCompleted ? null : acquire;
            Errno error = await acquire;
            if (error != Errnos.Ok)
            {
                return error;
            }

            if (node.Recalled is null && node.Lease >= mode)
            {
                // Before anything else can take it away again, so that each lease serves one request at least.
                node.Users++;
                node.Uses++;
                return Errnos.Ok;
            }
        }
    }

    private void Done(ClientNode node)
    {
        node.Users--;
        if (node.Users == 0)
        {
            node.Drained?.TrySetResult();
            DropIfUnused(node);
        }
    }

    private async Task<Errno> Acquire(ClientNode node, LeaseMode mode)
    {
        MetadataReply reply = await _session.Call(new MetadataRequest { Acquire = new Acquire { Inode = node.Inode, Mode = mode } });
        node.Acquiring = null;
        if (reply.Errno != 0)
        {
            return (Errno)reply.Errno;
        }

        Note(reply.Attributes, reply.Lease);
        if (mode == LeaseMode.Write && reply.Attributes.IsDirectory())
        {
            // A directory is never held for writing, however long one asks.
            return Errno.EISDIR;
        }

        if (reply.Lease < mode)
        {
            // There are too many leases already, or the inode is changing: it will not be for long.
            await Waits.Delay(_loop, _options.BackoffNanoseconds / 20);
        }

        return Errnos.Ok;
    }

    /// <summary>Writes what is dirty, has the kernel drop what it cached, and keeps no more than a mode.</summary>
    private async ValueTask GiveUp(ClientNode node, LeaseMode left)
    {
        node.IsBeingRecalled = true;
        if (left == LeaseMode.None)
        {
            await DropFromKernel(node);
        }

        node.Recalled = new TaskCompletionSource();
        await Drain(node);
        await Flush(node);
        if (left == LeaseMode.None)
        {
            node.Chunks.Clear();
        }

        node.Lease = left;
        node.IsBeingRecalled = false;
        TaskCompletionSource recalled = node.Recalled;
        node.Recalled = null;
        recalled.SetResult();
    }

    /// <summary>
    /// Has the kernel drop a file's pages. Requests go on meanwhile, since the kernel may hold pages locked for them; if some did, pages may
    /// have come back, and it is asked again.
    /// </summary>
    private async ValueTask DropFromKernel(ClientNode node)
    {
        for (int attempt = 0; attempt < DropAttemptsMax; attempt++)
        {
            long uses = node.Uses;
            bool busy = node.Users > 0;
            await _kernel.DropData(node.Inode);
            if (!busy && node.Uses == uses && node.Users == 0)
            {
                break;
            }
        }

        if (_writebackCache && node.Opens == 0)
        {
            await _kernel.Prune(node.Inode);
        }
    }

    private static async ValueTask Drain(ClientNode node)
    {
        while (node.Users > 0)
        {
            node.Drained = new TaskCompletionSource();
            await node.Drained.Task;
            node.Drained = null;
        }
    }

    /// <summary>Tells the server, soon, that a lease is no longer needed.</summary>
    private void GiveBack(ulong inode)
    {
        _giveBack.Inodes.Add(inode);
        GiveBackSoon();
    }

    /// <summary>Tells the server, soon, that an inode without a name is not open here.</summary>
    private void TellClosed(ulong inode)
    {
        _giveBack.Closed.Add(inode);
        GiveBackSoon();
    }

    private void GiveBackSoon()
    {
        if (_giveBack.Inodes.Count + _giveBack.Closed.Count >= GiveBackMax)
        {
            SendGiveBack();
        }
        else if (!_giveBackIsDue)
        {
            _giveBackIsDue = true;
            _loop.PostAt(_loop.NowNanoseconds + GiveBackNanoseconds, static state => ((ClusterClient)state!).SendGiveBack(), this);
        }
    }

    private void SendGiveBack()
    {
        _giveBackIsDue = false;
        GiveBack all = _giveBack;
        _giveBack = new GiveBack();

        // What was looked up again meanwhile is needed again.
        foreach (ulong inode in all.Inodes.Where(_nodes.ContainsKey).ToArray())
        {
            all.Inodes.Remove(inode);
        }

        if (all.Inodes.Count > 0)
        {
            // Once only: a copy that comes late would take back a lease that was given again since.
            _session.GiveBackOnce(new MetadataRequest { GiveBack = new GiveBack { Inodes = { all.Inodes } } }).Watch();
        }

        if (all.Closed.Count > 0)
        {
            _session.Call(new MetadataRequest { GiveBack = new GiveBack { Closed = { all.Closed } } }).Watch();
        }
    }
}
