using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Metadata.Server;

/// <content>Requests that change nothing.</content>
internal sealed partial class MetadataServer
{
    private const uint ChunksListedMax = 4096;

    private async ValueTask<MetadataReply> LookUp(ulong session, LookUp look)
    {
        while (true)
        {
            Errno error = State.LookUp(look.Parent, look.Name.Span, out ulong found);
            if (error != Errnos.Ok || found == 0)
            {
                var absent = new MetadataReply { Errno = (uint)(error != Errnos.Ok ? error : Errno.ENOENT) };
                absent.ParentLease = error == Errnos.Ok && Grant(look.Parent, session, LeaseMode.Read) != LeaseMode.None;
                return absent;
            }

            if (_leases.Others(found, session, LeaseMode.Write).Any())
            {
                // Only its holder knows the attributes. By the time it has told them, the name may stand for something else.
                await Share(found, session);
                continue;
            }

            MetadataReply reply = WithAttributes(session, found, LeaseMode.Read);
            reply.ParentLease = State.IsDirectory(look.Parent) && Grant(look.Parent, session, LeaseMode.Read) != LeaseMode.None;
            return reply;
        }
    }

    private async ValueTask<MetadataReply> GetAttributes(ulong session, ulong inode)
    {
        while (_leases.Others(inode, session, LeaseMode.Write).Any())
        {
            await Share(inode, session);
        }

        return WithAttributes(session, inode, LeaseMode.Read);
    }

    /// <summary>Makes the holder of a Write lease tell what it knows, and keep no more than a Read lease.</summary>
    private async ValueTask Share(ulong inode, ulong session)
    {
        var gate = new GateKey(inode);
        await _gates.Enter(gate);
        await RecallOthers(inode, session, LeaseMode.Read);
        _gates.Leave(gate);
    }

    private MetadataReply List(ulong session, ListNames list)
    {
        var reply = new MetadataReply();
        list.Count = Math.Min(list.Count, _options.ListedMax);
        Errno error = State.List(list, reply.Names, out ulong end);
        if (error != Errnos.Ok)
        {
            return Refused(error);
        }

        reply.End = end;
        reply.ListedParent = State.ParentOf(list.Directory);
        reply.ParentLease = Grant(list.Directory, session, LeaseMode.Read) != LeaseMode.None;
        if (list.Attributes)
        {
            foreach (ListedName name in reply.Names)
            {
                // What somebody else may have changed is left out: whoever wants it looks it up.
                if (!_leases.Others(name.Inode, session, LeaseMode.Write).Any())
                {
                    name.Attributes = State.AttributesOf(name.Inode);
                    name.Lease = Grant(name.Inode, session, LeaseMode.Read);
                }
            }
        }

        return reply;
    }

    private MetadataReply Locate(ulong session, Locate locate)
    {
        var reply = new MetadataReply();
        reply.Errno = (uint)State.Locate(locate.Inode, locate.First, locate.Last, reply.Chunks);
        AddServers(reply, reply.Chunks);
        return reply;
    }

    private MetadataReply LocateChunk(ulong chunk)
    {
        var reply = new MetadataReply();
        if (!State.TryGetChunk(chunk, out _))
        {
            return Refused(Errno.ENOENT);
        }

        reply.Chunks.Add(State.LocationOf(chunk));
        AddServers(reply, reply.Chunks);
        return reply;
    }

    /// <summary>A page of all chunks, for whoever checks them; the last one is empty.</summary>
    private MetadataReply ListChunks(ListChunks list)
    {
        var reply = new MetadataReply { Cluster = State.Cluster };
        foreach (ulong chunk in State.ChunksAfter(list.After, (int)Math.Min(list.Count, ChunksListedMax)))
        {
            ChunkLocation location = State.LocationOf(chunk);
            location.Inode = State.TryGetChunk(chunk, out ChunkRecord record) ? record.Inode : 0;
            reply.Chunks.Add(location);
        }

        return reply;
    }

    /// <summary>Adds where the servers of some chunks listen.</summary>
    private void AddServers(MetadataReply reply, IEnumerable<ChunkLocation> chunks)
    {
        foreach (uint server in chunks.SelectMany(static chunk => chunk.Servers).Distinct())
        {
            if (State.Servers.TryGetValue(server, out ServerRecord? record))
            {
                reply.Servers.Add(new ServerAddress { Server = server, Address = record.Address, Host = record.Host });
            }
        }
    }

    private MetadataReply TestLock(ulong session, SetLock wanted)
    {
        Errno error = State.TestLock(session, wanted, out LockRange answer);
        return new MetadataReply { Errno = (uint)error, Lock = answer };
    }

    private MetadataReply Status()
    {
        var status = new ClusterStatus
        {
            Cluster = State.Cluster,
            Term = State.Term,
            Inodes = (ulong)State.InodeCount,
            Chunks = (ulong)State.ChunkCount,
            Sessions = (ulong)State.Sessions.Count,
            LogIndex = _pipeline.AppliedIndex,
        };
        _chunkServers.Describe(status);
        return new MetadataReply { ClusterStatus = status };
    }
}
