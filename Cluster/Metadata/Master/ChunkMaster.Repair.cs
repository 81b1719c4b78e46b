using Harness.Cluster.Chunks;
using Harness.Cluster.Net;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Metadata.Master;

/// <content>Bringing each chunk's chain to what it should be, one step after another.</content>
internal sealed partial class ChunkMaster
{
    private readonly Queue<ulong> _queue = new();
    private readonly HashSet<ulong> _queued = [];
    private readonly HashSet<ulong> _repairing = [];
    private readonly Dictionary<ulong, long> _degradedSince = [];
    private readonly HashSet<uint> _gone = [];

    /// <summary>Chunks to which a copy is being made.</summary>
    private readonly HashSet<ulong> _copying = [];

    /// <summary>Changes of chains since they were last told of: a server's end changes thousands, and one line is enough.</summary>
    private int _changes;

    private bool _goesOn;

    /// <summary>What is left to do for a chunk.</summary>
    private enum Step
    {
        /// <summary>Nothing, or nothing for now.</summary>
        Done,

        /// <summary>Something was done: look again.</summary>
        Again,

        /// <summary>Something must happen first: look again at the next tick.</summary>
        Wait,
    }

    /// <summary>A chunk was made: its servers are told before its first client is.</summary>
    public async Task Created(ChunkLocation location)
    {
        bool isNew = location.Servers.All(id => !_servers.TryGetValue(id, out ChunkServerState? server) || !server.Serving.ContainsKey(location.Chunk));
        if (!isNew || location.Version != 1 || !_repairing.Add(location.Chunk))
        {
            return;
        }

        Errno[] made = await Task.WhenAll(location.Servers.Select(id => Ask(id, ChunkKind.Create, location.Chunk, location.Version)));
        bool complete = made.All(static error => error == Errnos.Ok) && await SetChain(location.Chunk);
        _repairing.Remove(location.Chunk);
        if (!complete || location.Servers.Count < _options.Replicas)
        {
            Queue(location.Chunk);
        }
    }

    /// <summary>A chunk's chain is to be looked at.</summary>
    private void Queue(ulong chunk)
    {
        if (_queued.Add(chunk))
        {
            _queue.Enqueue(chunk);
        }
    }

    private void QueueAll(Func<ChunkRecord, bool> which)
    {
        foreach (ulong chunk in State.ChunkIds.Order())
        {
            if (State.TryGetChunk(chunk, out ChunkRecord record) && which(record))
            {
                Queue(chunk);
            }
        }
    }

    private void Tick()
    {
        long now = _loop.NowNanoseconds;
        foreach (ChunkServerState server in _servers.Values)
        {
            bool isGone = server.LeaseUntil < now;
            if (isGone ? _gone.Add(server.Id) : _gone.Remove(server.Id))
            {
                _options.Log.Write(isGone, isGone ? "chunk server's lease ends" : "chunk server is back", ("server", server.Id));
                QueueAll(record => record.Servers.Contains(server.Id));
            }
        }

        foreach ((ulong chunk, long since) in _degradedSince.ToArray())
        {
            if (now - since >= _options.ReplaceAfterNanoseconds)
            {
                Queue(chunk);
            }
        }

        StartRepairs(_queue.Count);
        if (_changes > 0 && _repairing.Count == 0)
        {
            _options.Log.Write(
                false, "chains have changed", ("changes", _changes), ("chunks", State.ChunkCount), ("below_their_replicas", _degradedSince.Count));
            _changes = 0;
        }

        _loop.PostAt(now + _options.TickNanoseconds, static state => ((ChunkMaster)state!).Tick(), this);
    }

    /// <summary>When something was repaired, what waits goes on at once, and not at the next tick: a server's end leaves thousands of chunks to do.</summary>
    private void GoOnSoon()
    {
        if (!_goesOn && _queue.Count > 0)
        {
            _goesOn = true;
            _loop.Post(
                static state =>
                {
                    var master = (ChunkMaster)state!;
                    master._goesOn = false;
                    master.StartRepairs(Math.Min(master._queue.Count, master._options.RepairsMax));
                },
                this);
        }
    }

    /// <summary>Looks at chunks that wait to be looked at, so many at most. Those that have to wait longer are queued again.</summary>
    private void StartRepairs(int looksMax)
    {
        for (int left = looksMax; left > 0 && _repairing.Count < _options.RepairsMax; left--)
        {
            ulong chunk = _queue.Dequeue();
            _queued.Remove(chunk);
            if (_repairing.Add(chunk))
            {
                Repair(chunk).Watch();
            }
            else
            {
                Queue(chunk);
            }
        }
    }

    private async Task Repair(ulong chunk)
    {
        Step step = Step.Again;
        while (step == Step.Again && State.TryGetChunk(chunk, out ChunkRecord record))
        {
            step = await RepairStep(chunk, record);
        }

        _repairing.Remove(chunk);
        if (step == Step.Wait)
        {
            Queue(chunk);
            return;
        }

        GoOnSoon();
        if (!State.TryGetChunk(chunk, out _))
        {
            _degradedSince.Remove(chunk);
        }
    }

    private async Task<Step> RepairStep(ulong chunk, ChunkRecord record)
    {
        uint[] whole = [.. record.Servers.Where(id => IsWhole(id, chunk, record))];
        if (whole.Length == 0)
        {
            return await Revive(chunk, record);
        }

        if (whole.Length < record.Servers.Length)
        {
            // Nobody falls out of a chain while he may still believe that he serves it.
            return record.Servers.Except(whole).Any(MayServe) ? Step.Wait : await Change(chunk, record, whole, 0);
        }

        if (!whole.All(id => _servers[id].Serving.GetValueOrDefault(chunk) == record.Version))
        {
            return await SetChain(chunk) ? Step.Again : Step.Wait;
        }

        int wanted = whole.Count(IsActive);
        if (wanted < _options.Replicas)
        {
            _degradedSince.TryAdd(chunk, _loop.NowNanoseconds);
            return await Join(chunk, record);
        }

        _degradedSince.Remove(chunk);
        if (wanted < whole.Length)
        {
            return await Change(chunk, record, [.. whole.Where(IsActive)], 0);
        }

        foreach (ChunkServerState server in _servers.Values.Where(server => !whole.Contains(server.Id) && server.Stale.Contains(chunk)))
        {
            Delete(server, chunk).Watch();
        }

        return Step.Done;
    }

    /// <summary>Whether a member is there and lacks nothing that was acknowledged.</summary>
    private bool IsWhole(uint id, ulong chunk, ChunkRecord record) =>
        record.Target != id && _servers.TryGetValue(id, out ChunkServerState? server) && server.IsThere && !server.Stale.Contains(chunk);

    private bool IsNobodyAway => State.Servers.Values.All(
        record => record.State == ServerState.Removed || (_servers.TryGetValue(record.Id, out ChunkServerState? server) && server.IsThere));

    /// <summary>Whether a server may hold a lease: of one that has not come yet since this leader began, nobody knows.</summary>
    private bool MayServe(uint id)
    {
        long until = _servers.TryGetValue(id, out ChunkServerState? server) ? server.LeaseUntil : _startedAt + _options.LeaseEndNanoseconds;

        // A server that has registered anew, or says so itself, does not serve this chunk.
        return server is { IsThere: true } ? false : _loop.NowNanoseconds <= until;
    }

    /// <summary>
    /// None of a chunk's replicas has stayed in service. Each has everything that was acknowledged and outlived its process; after a power cut only
    /// all together have everything that was flushed.
    /// </summary>
    private async Task<Step> Revive(ulong chunk, ChunkRecord record)
    {
        uint[] there =
        [
            .. record.Servers.Where(id => _servers.TryGetValue(id, out ChunkServerState? server) && server.IsThere && server.Stale.Contains(chunk)),
        ];
        bool all = there.Length == record.Servers.Length;
        if (there.Length == 0 || (!all && record.Servers.Any(id => !there.Contains(id) && MayServe(id))))
        {
            return Step.Wait;
        }

        foreach (uint other in there.Skip(1))
        {
            var source = new Chain(1, [new ChainMember(other, _servers[other].Address)]);
            if (await Ask(there[0], ChunkKind.Merge, chunk, 1, source.ToPayload(), _options.CopyNanoseconds) != Errnos.Ok)
            {
                return Step.Wait;
            }
        }

        _servers[there[0]].Stale.Remove(chunk);
        return await Change(chunk, record, [there[0]], 0);
    }

    /// <summary>Adds a replica: one that was there before, or, when that does not come back, a new one.</summary>
    private async Task<Step> Join(ulong chunk, ChunkRecord record)
    {
        ChunkServerState? target = _servers.Values.FirstOrDefault(
            server => server.IsThere && !record.Servers.Contains(server.Id) && server.Stale.Contains(chunk) && IsActive(server.Id));
        if (target is null)
        {
            // Where no server is away, there is none that could come back with what is missing.
            bool isDue = IsNobodyAway || _loop.NowNanoseconds - _degradedSince[chunk] >= _options.ReplaceAfterNanoseconds;
            List<uint> chosen = [];
            if (!isDue || !TryPlace(chosen, record.Servers, 1) || chosen.Count == 0)
            {
                return Step.Done;
            }

            target = _servers[chosen[0]];
        }

        if (target.CopiesInFlight >= _options.CopiesPerServerMax)
        {
            return Step.Wait;
        }

        target.CopiesInFlight++;
        _copying.Add(chunk);
        bool joined = await JoinTo(chunk, record, target);
        _copying.Remove(chunk);
        target.CopiesInFlight--;
        return joined ? Step.Again : Step.Wait;
    }

    private async Task<bool> JoinTo(ulong chunk, ChunkRecord record, ChunkServerState target)
    {
        if (!target.Stale.Contains(chunk))
        {
            Errno made = await Ask(target.Id, ChunkKind.Create, chunk, record.Version);
            if (made is not (Errnos.Ok or Errno.EEXIST))
            {
                return false;
            }
        }

        target.Stale.Add(chunk);
        await Change(chunk, record, [.. record.Servers, target.Id], target.Id);
        if (!State.TryGetChunk(chunk, out ChunkRecord joining) || joining.Target != target.Id ||
            await Ask(target.Id, ChunkKind.CatchUp, chunk, joining.Version, default, _options.CopyNanoseconds) != Errnos.Ok)
        {
            return false;
        }

        // Whoever has fallen out meanwhile takes the new member's claim to be whole with it.
        if (!State.TryGetChunk(chunk, out ChunkRecord now) || now.Version != joining.Version)
        {
            return false;
        }

        target.Stale.Remove(chunk);
        await Change(chunk, now, now.Servers, 0);
        return true;
    }

    /// <summary>Changes a chain in the log, and then on its servers.</summary>
    private async Task<Step> Change(ulong chunk, ChunkRecord record, uint[] servers, uint target)
    {
        var change = new ChangeReplicas { Chunk = chunk, Version = record.Version, Target = target };
        change.Servers.AddRange(servers);
        Outcome outcome = await _pipeline.Submit(new Command { ChangeReplicas = change }, durable: true);
        _changes += outcome.Errno == 0 ? 1 : 0;
        return outcome.Errno == 0 && await SetChain(chunk) ? Step.Again : Step.Wait;
    }

    /// <summary>Tells a chunk's servers its chain.</summary>
    /// <returns>Whether all have taken it.</returns>
    private async Task<bool> SetChain(ulong chunk)
    {
        if (!State.TryGetChunk(chunk, out ChunkRecord record) || !record.Servers.All(_servers.ContainsKey))
        {
            return false;
        }

        var chain = new Chain(record.Version, [.. record.Servers.Select(id => new ChainMember(id, _servers[id].Address))], record.Target != 0);
        byte[] payload = chain.ToPayload();
        bool[] set = await Task.WhenAll(record.Servers.Select(async id =>
        {
            Errno error = await Ask(id, ChunkKind.SetChain, chunk, record.Version, payload);
            if (error == Errnos.Ok)
            {
                _servers[id].Serving[chunk] = record.Version;
            }
            else if (error == Errno.ENOENT)
            {
                // It has no such replica after all.
                _servers[id].Stale.Add(chunk);
            }

            return error == Errnos.Ok;
        }));
        return set.All(static one => one);
    }

    private async Task Delete(ChunkServerState server, ulong chunk)
    {
        server.Stale.Remove(chunk);
        await Ask(server.Id, ChunkKind.Delete, chunk, 0);
    }

    private Task<Errno> Ask(uint server, ushort kind, ulong chunk, ulong version) => Ask(server, kind, chunk, version, default, _options.CallNanoseconds);

    private Task<Errno> Ask(uint server, ushort kind, ulong chunk, ulong version, byte[] payload) =>
        Ask(server, kind, chunk, version, payload, _options.CallNanoseconds);

    private async Task<Errno> Ask(uint server, ushort kind, ulong chunk, ulong version, ReadOnlyMemory<byte> payload, long timeoutNanoseconds)
    {
        if (!_servers.TryGetValue(server, out ChunkServerState? state) || state.Peer is not { IsOpen: true } peer)
        {
            return Errno.ENOTCONN;
        }

        var message = new ChunkRequest { Chunk = chunk, Version = version };
        RpcReply reply = await peer.Call(kind, message, payload.IsEmpty ? default : new Payload(payload), default, timeoutNanoseconds);
        reply.Buffer?.Release();
        return reply.Status;
    }
}
