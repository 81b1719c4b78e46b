using Harness.Cluster.Wire;
using Mono.Unix.Native;

namespace Harness.Cluster.Metadata.Server;

/// <content>Sessions: they begin, live by signs of life, and end; after a change of the leader they come back.</content>
internal sealed partial class MetadataServer
{
    private const int TicksPerSession = 10;

    private readonly SortedDictionary<ulong, Client> _clients = [];
    private readonly HashSet<ulong> _missing = [];
    private readonly HashSet<ulong> _ending = [];
    private readonly TaskCompletionSource _recovered = new();
    private ulong _appliedAtStart;
    private long _recoveryEnds;

    /// <summary>Ends when every session of the last term has come back or has ended; until then nobody knows what may be cached.</summary>
    private Task Recovered => _recovered.Task;

    private ulong LeaseMillis => (ulong)(_options.SessionNanoseconds / 1_000_000);

    private async ValueTask<MetadataReply> Attach(Attach attach, IClientLink link)
    {
        ulong session = attach.Session;
        if (session == 0)
        {
            Outcome opened = await _pipeline.Submit(new Command { OpenSession = new OpenSession { Name = attach.Name } });
            if (opened.Errno != 0)
            {
                return Refused((Errno)opened.Errno);
            }

            session = opened.Number;
            _options.Log.Write(false, "session begins", ("session", session), ("client", attach.Name));
        }
        else if (!State.Sessions.ContainsKey(session) || _ending.Contains(session))
        {
            // It has ended: what it held others may have by now.
            return Refused(Errno.ENOTCONN);
        }

        if (!_clients.TryGetValue(session, out Client? client))
        {
            _clients.Add(session, client = new Client());
            foreach (Holding holding in attach.Holdings)
            {
                _leases.Set(holding.Inode, session, new LeaseHolding(holding.Mode, holding.Open));
            }
        }

        Revive(client, link);
        CameBack(session);
        return new MetadataReply
        {
            Session = session,
            LeaseMillis = LeaseMillis,
            ChunkBytes = _options.Limits.ChunkBytes,
            Cluster = State.Cluster,
            SuffixLost = attach.SeenTerm != State.Term && attach.SeenIndex > _appliedAtStart,
            Index = _pipeline.AppliedIndex,
            Term = State.Term,
        };
    }

    /// <summary>A sign of life.</summary>
    /// <returns>
    /// False if there is no such session, or it is attached by another connection: what was sent over an older one may arrive behind what was sent
    /// since, and would take back a lease, say, that was granted again meanwhile.
    /// </returns>
    private bool Touch(ulong session, IClientLink link)
    {
        if (!_clients.TryGetValue(session, out Client? client) || client.Link != link)
        {
            return false;
        }

        client.EndsNanoseconds = _loop.NowNanoseconds + _options.SessionEndNanoseconds;
        return true;
    }

    /// <summary>A client's connection has ended. Its session lives on until its time is over.</summary>
    public void Disconnected(IClientLink link)
    {
        foreach (Client client in _clients.Values)
        {
            client.Link = client.Link == link ? null : client.Link;
        }
    }

    /// <summary>A session has one connection, the one by which it was attached last: recalls go there, and only what comes from there counts.</summary>
    private void Revive(Client client, IClientLink link)
    {
        IClientLink? before = client.Link;
        client.Link = link;
        if (before != link)
        {
            before?.Close("the session has been attached by another connection");
        }

        client.EndsNanoseconds = _loop.NowNanoseconds + _options.SessionEndNanoseconds;
        TaskCompletionSource changed = client.Changed;
        client.Changed = new TaskCompletionSource();
        changed.SetResult();
    }

    private void BeginRecovery()
    {
        _missing.UnionWith(State.Sessions.Keys);
        _recoveryEnds = _loop.NowNanoseconds + _options.SessionEndNanoseconds;
        if (_missing.Count == 0)
        {
            _recovered.SetResult();
        }
    }

    private void CameBack(ulong session)
    {
        if (_missing.Remove(session) && _missing.Count == 0)
        {
            _options.Log.Write(false, "all sessions of the last term are back or over");
            _recovered.TrySetResult();
        }
    }

    private void Tick()
    {
        long now = _loop.NowNanoseconds;
        foreach ((ulong session, Client client) in _clients.ToArray())
        {
            if (client.EndsNanoseconds <= now)
            {
                End(session).Watch();
            }
        }

        if (_missing.Count > 0 && now >= _recoveryEnds)
        {
            foreach (ulong session in _missing.Order().ToArray())
            {
                End(session).Watch();
            }
        }

        _loop.PostAt(now + (_options.SessionNanoseconds / TicksPerSession), static state => ((MetadataServer)state!).Tick(), this);
    }

    private async ValueTask<MetadataReply> Detach(ulong session)
    {
        if (_clients.TryGetValue(session, out Client? client))
        {
            // The reply goes over the connection that would otherwise be closed.
            client.Link = null;
            await End(session);
        }

        return new MetadataReply();
    }

    /// <summary>
    /// Ends a session: nothing of it is taken any more, here first, then by the chunk servers; and only then is what it held given to others.
    /// </summary>
    private async Task End(ulong session)
    {
        if (!_ending.Add(session))
        {
            return;
        }

        if (_clients.TryGetValue(session, out Client? client))
        {
            client.Link?.Close("the client's session has ended");
            client.Link = null;
        }

        await _chunkServers.EndSession(session);
        var close = new CloseSession { Session = session };
        while ((await _pipeline.Submit(new Command { CloseSession = close })).Errno != 0 && State.Sessions.ContainsKey(session))
        {
            // The log takes nothing now.
            await LoopYield.Delay(_loop, _options.SessionNanoseconds / TicksPerSession);
        }

        _options.Log.Write(false, "session ends", ("session", session));
        _leases.RemoveSession(session);
        if (_clients.Remove(session))
        {
            client!.Changed.SetResult();
        }

        _ending.Remove(session);
        CameBack(session);
        GrantAllWaits();
    }

    /// <summary>A session's soft side.</summary>
    private sealed class Client
    {
        public IClientLink? Link { get; set; }

        public long EndsNanoseconds { get; set; }

        /// <summary>Ends when the client comes by another connection, or its session ends.</summary>
        public TaskCompletionSource Changed { get; set; } = new();
    }
}
