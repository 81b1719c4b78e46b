using Harness.Cluster.Net;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Client;

/// <content>Finding the server, and staying alive for it.</content>
internal sealed partial class MetadataSession
{
    private const int RenewalsPerSession = 4;

    private static readonly Action<object?> s_end = static state => ((MetadataSession)state!).End();

    private bool _endIsDue;

    /// <summary>A connection over which the session is attached; null if there is none now.</summary>
    private async ValueTask<RpcPeer?> Connected()
    {
        if (_stopped)
        {
            return null;
        }

        if (_connecting is null)
        {
            Task connecting = ConnectOnce();
            _connecting = connecting.IsCompleted ? null : connecting;
            await connecting;
        }
        else
        {
            await _connecting;
        }

        return _peer;
    }

    private async Task ConnectOnce()
    {
        await Connect();
        _connecting = null;
    }

    private async Task Connect()
    {
        if (_peer is { IsOpen: true })
        {
            return;
        }

        NodeAddress address = _options.MetadataServers[_server++ % _options.MetadataServers.Count];
        Result<IConnection> connection = await _network.Connect(_loop, address);
        if (!connection.IsOk)
        {
            return;
        }

        var peer = new RpcPeer(_loop, connection.Value, Hello.Of(NodeRole.Client, _session, 1, 0, Cluster), this, _pool);
        long sentAt = _loop.NowNanoseconds;
        ulong session = _session;
        var attach = new Attach { Session = session, Name = _options.Name, SeenIndex = _seenIndex, SeenTerm = _seenTerm };
        attach.Holdings.AddRange(_session == 0 ? [] : _owner.Holdings);
        MetadataReply? reply = await Send(peer, new MetadataRequest { Attach = attach }, _leaseNanoseconds > 0 ? _leaseNanoseconds / 2 : 2_000_000_000);
        if (reply is null || reply.Errno != 0 || session != _session)
        {
            // A session that has ended here meanwhile stays so, although the server still has it: what it held was given up.
            peer.Close("the session could not be attached");
            if (reply is not null && (Errno)reply.Errno == Errno.ENOTCONN && session == _session)
            {
                Lose();
            }

            return;
        }

        bool isNew = _session == 0;
        _options.Log.Write(false, isNew ? "session begins" : "session goes on", ("session", reply.Session), ("metadata_server", address), ("term", reply.Term));
        (_session, ChunkBytes, Cluster, _seenTerm) = (reply.Session, reply.ChunkBytes, reply.Cluster, reply.Term);
        Extend(sentAt, reply.LeaseMillis);
        _peer = peer;
        if (reply.SuffixLost)
        {
            _seenIndex = reply.Index;
            _owner.SuffixLost();
        }

        if (isNew)
        {
            _lastMutation = _unacknowledged.Count > 0 ? _lastMutation : 0;
            ScheduleRenewal(_session);
        }
    }

    /// <summary>
    /// The server does not take this connection for the session's. Closed, so that no answer comes by it behind a recall that comes by the next one.
    /// </summary>
    private void Leave(RpcPeer peer)
    {
        peer.Close("the session is not attached by this connection");
        _peer = peer == _peer ? null : _peer;
    }

    /// <summary>The session is no more; the next request opens another one.</summary>
    private void Lose()
    {
        _options.Log.Write(true, "session lost: what was not written is lost, and told by the next fsync or close", ("session", _session));
        _session = 0;
        _validUntil = 0;
        _seenIndex = 0;
        _owner.SessionLost();
    }

    private void Extend(long sentAtNanoseconds, ulong leaseMillis)
    {
        _leaseNanoseconds = (long)leaseMillis * 1_000_000;
        _validUntil = Math.Max(_validUntil, sentAtNanoseconds + (_leaseNanoseconds / 1000 * (1000 - _options.DriftPerMille)));
        if (!_endIsDue)
        {
            _endIsDue = true;
            _loop.PostAt(_validUntil, s_end, this);
        }
    }

    /// <summary>
    /// Gives up what was held at the very moment at which it may no longer be trusted, and not at the next renewal: until then pages of the
    /// kernel would be read, and what waits would be written, though the server may have given the files to others.
    /// </summary>
    private void End()
    {
        _endIsDue = false;
        if (_session == 0 || _stopped)
        {
            return;
        }

        if (ValidNanoseconds > 0)
        {
            _endIsDue = true;
            _loop.PostAt(_validUntil, s_end, this);
            return;
        }

        _peer?.Close("the session's time is over");
        _peer = null;
        Lose();
    }

    private void ScheduleRenewal(ulong session) =>
        _loop.PostAt(_loop.NowNanoseconds + (_leaseNanoseconds / RenewalsPerSession), _ => Renew(session).Watch(), null);

    private async Task Renew(ulong session)
    {
        if (_stopped || session != _session)
        {
            return;
        }

        long sentAt = _loop.NowNanoseconds;
        RpcPeer? peer = _peer is { IsOpen: true } ? _peer : await Connected();
        MetadataReply? reply = peer is null || session != _session
            ? null
            : await Send(peer, new MetadataRequest { Session = session, Renew = new Renew() }, _leaseNanoseconds / RenewalsPerSession);
        if (reply is { Errno: 0 })
        {
            Extend(sentAt, reply.LeaseMillis);
        }
        else if (reply is not null && (Errno)reply.Errno == Errno.ENOTCONN)
        {
            Leave(peer!);
        }

        ScheduleRenewal(session);
    }
}
