using Harness.Cluster.Metadata.Rpc;
using Harness.Cluster.Net;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.Runtime;
using Mono.Unix.Native;

namespace Harness.Cluster.Client;

/// <summary>Whose session it is.</summary>
internal interface ISessionOwner
{
    /// <summary>What the client holds, to say so to a new leader.</summary>
    IEnumerable<Holding> Holdings { get; }

    /// <summary>The session has ended, or its time may be over: nothing cached is true any longer, and what was not written cannot be.</summary>
    void SessionLost();

    /// <summary>The leader asks for a lease.</summary>
    ValueTask<RecallReply> Recall(Recall recall);

    /// <summary>A new leader's log lacks the end of what this client was told: a power cut took it.</summary>
    void SuffixLost();
}

/// <summary>
/// A client's session with the metadata servers: finds the one that leads, keeps the session alive, and repeats what got no answer, under the
/// same number, so that nothing is done twice.
/// </summary>
/// <remarks>For one loop. Requests are sent as they come; many are in flight.</remarks>
internal sealed partial class MetadataSession : IRpcHandler
{
    private const long Endless = long.MaxValue / 4;

    private readonly ILoop _loop;
    private readonly INetwork _network;
    private readonly ClusterClientOptions _options;
    private readonly ISessionOwner _owner;
    private readonly PayloadPool _pool;
    private readonly SortedSet<ulong> _unacknowledged = [];
    private readonly Queue<TaskCompletionSource> _turns = new();
    private RpcPeer? _peer;
    private Task? _connecting;
    private ulong _session;
    private ulong _lastMutation;
    private ulong _seenIndex;
    private ulong _seenTerm;
    private long _validUntil;
    private long _leaseNanoseconds;
    private int _server;
    private long _leasesGivenBack;
    private bool _stopped;

    /// <summary>A session that is not open yet.</summary>
    public MetadataSession(ILoop loop, INetwork network, ClusterClientOptions options, ISessionOwner owner, PayloadPool pool) =>
        (_loop, _network, _options, _owner, _pool) = (loop, network, options, owner, pool);

    /// <summary>The session's number; 0 while there is none.</summary>
    public ulong Id => _session;

    /// <summary>The size of a chunk, in bytes.</summary>
    public ulong ChunkBytes { get; private set; }

    /// <summary>The cluster's id.</summary>
    public ulong Cluster { get; private set; }

    /// <summary>How long what is held may be trusted, in nanoseconds; 0 if no longer.</summary>
    public long ValidNanoseconds => Math.Max(0, _validUntil - _loop.NowNanoseconds);

    /// <summary>For how long what a session holds may be trusted, in nanoseconds; 0 if no longer, or if it is not this one. For any thread.</summary>
    public long ValidNanosecondsOf(ulong session)
    {
        // Numbers of sessions are never used again: if it is this one before and after, the time is its own.
        long until = Volatile.Read(ref _session) == session ? Volatile.Read(ref _validUntil) : 0;
        return Volatile.Read(ref _session) == session ? Math.Max(0, until - _loop.NowNanoseconds) : 0;
    }

    /// <summary>Opens the session.</summary>
    /// <returns>Why no metadata server could be reached.</returns>
    public async ValueTask<Errno> Open()
    {
        long until = _loop.NowNanoseconds + _options.AttachNanoseconds;
        while (_loop.NowNanoseconds < until)
        {
            if (await Connected() is not null)
            {
                return Errnos.Ok;
            }

            await Waits.Delay(_loop, _options.BackoffNanoseconds);
        }

        return Errno.EHOSTUNREACH;
    }

    /// <summary>Stops, and ends the session; where nobody hears that, it ends by itself when its time is over.</summary>
    public async ValueTask Stop()
    {
        _stopped = true;
        if (_session != 0 && _peer is { IsOpen: true } peer)
        {
            await Send(peer, new MetadataRequest { Session = _session, Detach = new Empty() }, _options.DetachNanoseconds);
        }

        _peer?.Close("the client stops");
    }

    /// <summary>Asks for a change, once, however often it has to be sent.</summary>
    /// <param name="command">What to change.</param>
    /// <param name="durable">Whether it, and all that was answered before, is to outlive a power cut when it is answered.</param>
    public async Task<MetadataReply> Mutate(Command command, bool durable = false)
    {
        while (_unacknowledged.Count > 0 && _lastMutation - _unacknowledged.Min >= (ulong)_options.MutationsMax)
        {
            var turn = new TaskCompletionSource();
            _turns.Enqueue(turn);
            await turn.Task;
        }

        ulong mutation = ++_lastMutation;
        _unacknowledged.Add(mutation);
        command.Mutation = mutation;
        MetadataReply reply = await Call(new MetadataRequest { Mutate = command, Durable = durable });
        bool opens = mutation == _unacknowledged.Min;
        _unacknowledged.Remove(mutation);
        for (int waiting = opens ? _turns.Count : 0; waiting > 0; waiting--)
        {
            // Who finds that those before it have filled the room again joins the queue's end.
            _turns.Dequeue().SetResult();
        }

        return reply;
    }

    /// <summary>Asks, as often as it takes to get an answer or to run out of patience.</summary>
    /// <param name="request">What for.</param>
    /// <param name="endless">Whether the answer may take as long as it likes.</param>
    /// <returns>The answer; EIO after <see cref="ClusterClientOptions.RetryNanoseconds"/>, or if the session has ended under way.</returns>
    public async Task<MetadataReply> Call(MetadataRequest request, bool endless = false)
    {
        long until = endless ? long.MaxValue : _loop.NowNanoseconds + _options.RetryNanoseconds;
        long backoff = _options.BackoffNanoseconds;
        long givenBack = _leasesGivenBack;
        ulong session = _session;
        while (true)
        {
            RpcPeer? peer = _peer is { IsOpen: true } ? _peer : await Connected();
            if (session != 0 && session != _session)
            {
                return new MetadataReply { Errno = (uint)Errno.EIO };
            }

            session = _session;
            request.Session = session;
            if (request.BodyCase == MetadataRequest.BodyOneofCase.Mutate && request.Mutate.Mutation != 0)
            {
                // Anew each time it is sent: what has been answered since may be what the server waits to be told.
                request.Mutate.Acknowledged = _unacknowledged.Min - 1;
            }

            MetadataReply? reply = peer is null ? null : await Send(peer, request, endless ? Endless : _options.CallNanoseconds);
            if (reply is not null && (Errno)reply.Errno != Errno.ENOTCONN && !(IsBusy(reply) && request.BodyCase == MetadataRequest.BodyOneofCase.Mutate))
            {
                return givenBack == _leasesGivenBack ? reply : WithoutLeases(reply);
            }

            if (reply is not null && (Errno)reply.Errno == Errno.ENOTCONN)
            {
                Leave(peer!);
            }

            if (_loop.NowNanoseconds >= until || _stopped)
            {
                return new MetadataReply { Errno = (uint)Errno.EIO };
            }

            await Waits.Delay(_loop, backoff);
            backoff = Math.Min(backoff * 2, 1_000_000_000);
        }
    }

    /// <summary>Gives leases back, once: what is lost is given back by the next recall.</summary>
    public async Task GiveBackOnce(MetadataRequest request)
    {
        if (_peer is { IsOpen: true } peer)
        {
            _leasesGivenBack++;
            request.Session = _session;
            await Send(peer, request, _options.CallNanoseconds);
        }
    }

    /// <inheritdoc/>
    public void OnRequest(RpcRequest request)
    {
        if (request.Header.Kind == MetadataMessages.Recall && MetadataMessages.TryRead(Recall.Parser, request.PayloadBytes.Span) is { } recall)
        {
            Answer(request, recall).Watch();
        }
        else
        {
            request.Reply(Errno.EBADMSG);
        }
    }

    /// <inheritdoc/>
    public void OnDisconnected(RpcPeer peer, string reason) => _peer = peer == _peer ? null : _peer;

    /// <summary>
    /// What was granted before leases were given back may have been among them: the server takes requests in their order, and has answered this one
    /// first. Whoever believes too little asks again.
    /// </summary>
    private static MetadataReply WithoutLeases(MetadataReply reply)
    {
        (reply.Lease, reply.ParentLease) = (LeaseMode.None, false);
        reply.Directories.Clear();
        foreach (ListedName name in reply.Names)
        {
            name.Lease = LeaseMode.None;
        }

        return reply;
    }

    /// <summary>Whether the server had too much to do, and has not done it. A lock that somebody holds looks the same, and is an answer.</summary>
    private static bool IsBusy(MetadataReply reply) => (Errno)reply.Errno == Errno.EAGAIN && reply.Outcome is null;

    /// <summary>Whether the server answers from memory: a lock is waited for, a sync waits for the disk, and nobody waits for a renewal.</summary>
    private static bool IsAnsweredSoon(MetadataRequest request) => request.BodyCase is not (
        MetadataRequest.BodyOneofCase.WaitLock or MetadataRequest.BodyOneofCase.Sync or MetadataRequest.BodyOneofCase.Renew);

    private async Task Answer(RpcRequest request, Recall recall)
    {
        RecallReply reply = await _owner.Recall(recall);
        if (MetadataMessages.TryWrite(reply, _pool, out Payload payload))
        {
            request.Reply(Errnos.Ok, default, payload);
        }
        else
        {
            request.Reply(Errno.EAGAIN);
        }
    }

    /// <summary>Sends a request once.</summary>
    /// <returns>Null if nobody knows what became of it, or if it has to be sent again.</returns>
    private async ValueTask<MetadataReply?> Send(RpcPeer peer, MetadataRequest request, long timeoutNanoseconds)
    {
        if (!MetadataMessages.TryWrite(request, _pool, out Payload payload))
        {
            return null;
        }

        if (IsAnsweredSoon(request))
        {
            _loop.ExpectWithin(_options.ExpectNanoseconds);
        }

        RpcReply reply = await peer.Call(MetadataMessages.Request, default, payload, default, timeoutNanoseconds);
        if (!reply.IsOk)
        {
            return null;
        }

        MetadataReply? read = MetadataMessages.TryRead(MetadataReply.Parser, reply.Buffer is null ? default : reply.Buffer.Memory.Span);
        reply.Buffer?.Release();
        _seenIndex = Math.Max(_seenIndex, read?.Index ?? 0);
        return read;
    }
}
