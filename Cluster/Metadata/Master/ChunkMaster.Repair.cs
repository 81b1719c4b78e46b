using Harness.Cluster.Chunks;
using Harness.FuseProtocol;

namespace Harness.Cluster.Metadata.Master;

/// <content>Bringing each chunk's chain to what it should be, one step after another.</content>
internal sealed partial class ChunkMaster
{
    private readonly Queue<ulong> _queue = new();
    private readonly HashSet<ulong> _queued = [];
    private readonly HashSet<ulong> _repairing = [];
    private readonly Dictionary<ulong, long> _degradedSince = [];
    private readonly HashSet<uint> _gone = [];

    private const uint FirstVersion = 1;

    /// <summary>How long a server that could not catch up with a chunk is left alone with it.</summary>
    private const long JoinRetryNanoseconds = 1_000_000_000;

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
                // Whatever it was asked and has not answered is not waited for: the connection of a host that is cut off can seem open for long.
                if (isGone)
                {
                    server.Peer?.Close("the server's lease is over");
                    server.Peer = null;
                }

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
        if (!await StopBehind(chunk, record))
        {
            return Step.Wait;
        }

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
        record.Target != id && _servers.TryGetValue(id, out ChunkServerState? server) && server.IsThere && !server.Stale.Contains(chunk) &&
        !server.Missing.Contains(chunk);

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
        // One that was still catching up has no claim to anything: what it lacks, nobody knows.
        uint[] members = [.. record.Servers.Where(id => id != record.Target)];
        if (record.Version == FirstVersion && members.All(id => _servers.TryGetValue(id, out ChunkServerState? server) && server.Missing.Contains(chunk)))
        {
            // It was placed, and the servers went before they were told: nobody can have written to it.
            bool[] made = await Task.WhenAll(members.Select(id => Make(_servers[id], chunk, record.Version)));
            return made.All(static one => one) ? Step.Again : Step.Wait;
        }

        uint[] there = [.. (_faults.CopiesStaleReplicas ? _servers.Keys : members.AsEnumerable()).Where(id => HasStale(id, chunk))];
        bool all = there.Length == members.Length;
        if (there.Length == 0 || (!all && !_faults.CopiesStaleReplicas && members.Any(id => !there.Contains(id) && MayServe(id))))
        {
            return Step.Wait;
        }

        foreach (uint other in _faults.CopiesStaleReplicas ? [] : there.Skip(1))
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

    private bool HasStale(uint id, ulong chunk) =>
        _servers.TryGetValue(id, out ChunkServerState? server) && server.IsThere && server.Stale.Contains(chunk);

    /// <summary>Adds a replica: one that was there before, or, when that does not come back, a new one.</summary>
    private async Task<Step> Join(ulong chunk, ChunkRecord record)
    {
        long now = _loop.NowNanoseconds;
        ChunkServerState[] back =
        [
            .. _servers.Values.Where(server => server.IsThere && !record.Servers.Contains(server.Id) && IsActive(server.Id) &&
                (server.Stale.Contains(chunk) || server.Missing.Contains(chunk))),
        ];
        ChunkServerState? target = Array.Find(back, server => server.NotBefore.GetValueOrDefault(chunk) <= now);
        if (target is null)
        {
            // Where no server is away, there is none that could come back with what is missing.
            bool isDue = IsNobodyAway || now - _degradedSince[chunk] >= _options.ReplaceAfterNanoseconds;
            List<uint> chosen = [];
            if (!isDue || !TryPlace(chosen, [.. record.Servers, .. back.Select(static server => server.Id)], 1) || chosen.Count == 0)
            {
                return back.Length > 0 ? Step.Wait : Step.Done;
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
        if (joined)
        {
            target.NotBefore.Remove(chunk);
        }
        else
        {
            target.NotBefore[chunk] = _loop.NowNanoseconds + JoinRetryNanoseconds;
        }

        return joined ? Step.Again : Step.Wait;
    }

    private async Task<bool> JoinTo(ulong chunk, ChunkRecord record, ChunkServerState target)
    {
        if (!target.Stale.Contains(chunk) && !await Make(target, chunk, record.Version))
        {
            return false;
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
        if (State.TryGetChunk(chunk, out ChunkRecord after) && after.Target == target.Id)
        {
            // Somebody else has changed the chain first.
            target.Stale.Add(chunk);
        }

        return true;
    }
}
