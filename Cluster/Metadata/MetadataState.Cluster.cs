using Harness.Cluster.Wire;
using Mono.Unix.Native;

namespace Harness.Cluster.Metadata;

/// <content>Terms, sessions and chunk servers.</content>
internal sealed partial class MetadataState
{
    /// <summary>
    /// Numbers passed over at the start of a term. A power cut can take the end of the log that was acknowledged and not yet flushed; clients
    /// and chunk servers may still know numbers from there, and no other file must get them.
    /// </summary>
    private const ulong NumbersPassedOver = 1UL << 32;

    private readonly SortedDictionary<uint, ServerRecord> _servers = [];
    private ulong _nextSession = 1;
    private uint _nextServer = 1;

    /// <summary>The chunk servers, by number.</summary>
    public IReadOnlyDictionary<uint, ServerRecord> Servers => _servers;

    private Outcome StartTerm(StartTerm start)
    {
        if (start.Term <= Term || (Cluster != 0 && start.Cluster != Cluster))
        {
            return Failed(Errno.EINVAL);
        }

        if (Cluster == 0)
        {
            Cluster = start.Cluster;
            MakeRoot(start);
        }
        else
        {
            _nextInode += NumbersPassedOver;
            _nextChunk += NumbersPassedOver;
            _nextSession += NumbersPassedOver;
        }

        Term = start.Term;
        return Done();
    }

    private void MakeRoot(StartTerm start)
    {
        ref Inode root = ref _inodes.Add(Root);
        root.Mode = FilePermissions.S_IFDIR | ((FilePermissions)start.RootMode & FilePermissions.ALLPERMS);
        (root.Nlink, root.Uid, root.Gid, root.Parent) = (2, start.RootUid, start.RootGid, Root);
        (root.Atime, root.Mtime, root.Ctime, root.Btime) = (Now, Now, Now, Now);
        root.Body = new DirectoryTable();
    }

    private Outcome OpenSession(OpenSession open)
    {
        if (_sessions.Count >= Limits.SessionsMax)
        {
            return Failed(Errno.EAGAIN);
        }

        ulong id = _nextSession++;
        _sessions.Add(id, new Session(id, open.Name));
        return new Outcome { Number = id };
    }

    /// <summary>A client has gone: its locks go, and what only it had open.</summary>
    private Outcome CloseSession(ulong session)
    {
        if (!_sessions.Remove(session))
        {
            return Failed(Errno.ENOENT);
        }

        DropLocksOfSession(session);
        foreach (ulong inode in _holders.Where(one => one.Value.Contains(session)).Select(static one => one.Key).ToArray())
        {
            Release(inode, session);
        }

        return Done();
    }

    /// <summary>A chunk server has started: a known one if the directory it serves is known.</summary>
    private Outcome RegisterServer(RegisterServer register)
    {
        ServerRecord? known = register.Server != 0
            ? _servers.GetValueOrDefault(register.Server)
            : _servers.Values.FirstOrDefault(server => server.Identity == register.Identity);
        if (known is { State: ServerState.Removed })
        {
            return Failed(Errno.EPERM);
        }

        uint id = register.Server != 0 ? register.Server : known?.Id ?? _nextServer;
        _nextServer = Math.Max(_nextServer, id + 1);
        _servers[id] = new ServerRecord
        {
            Id = id,
            Identity = register.Identity,
            Incarnation = register.Incarnation,
            Address = register.Address,
            Host = register.Host,
            Rack = register.Rack,
            Tier = register.Tier,
            State = known?.State ?? ServerState.Active,
        };
        return new Outcome { Number = id };
    }

    private Outcome SetServerState(SetServerState set)
    {
        if (!_servers.TryGetValue(set.Server, out ServerRecord? server) || set.State > (uint)ServerState.Removed)
        {
            return Failed(server is null ? Errno.ENOENT : Errno.EINVAL);
        }

        _servers[set.Server] = server with { State = (ServerState)set.State };
        return Done();
    }
}
