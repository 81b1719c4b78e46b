using Harness.Cluster.Disk;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Harness.Runtime;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Store;

/// <summary>A chunk that a store has.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Version">The version of the chain it belongs to, or did last.</param>
/// <param name="Sequence">The greatest sequence it has.</param>
internal readonly record struct ChunkSummary(ChunkId Id, ulong Version, ulong Sequence);

/// <summary>
/// The chunks of one shard, on one loop: a file of blocks and a file of their sums for each, slots in such files for small ones, and one journal for all.
/// </summary>
/// <remarks>
/// What a call has returned survives the process. What was synced survives a power cut; of the rest each block is then old or new. To
/// that end nothing is changed in place before the journal record that tells of it, with its data, is on the disk: until then the newest
/// state of a block is held in memory. Only blocks that were never written are written straight, with their checksums in the journal; after
/// a power cut such a block is there if it matches its checksum, and otherwise still empty.
/// </remarks>
internal sealed partial class ChunkStore
{
    /// <summary>In the record of a version: the chunk's mutations in the journal before it were given up. No mutation has number 0.</summary>
    private static readonly MutationId s_forgets = new(1, 0);

    private readonly ILoop _loop;
    private readonly IDisk _disk;
    private readonly Journal _journal;
    private readonly PayloadPool _pool;
    private readonly ChunkStoreOptions _options;
    private readonly PlantedFaults _faults;
    private readonly Dictionary<ChunkId, StoredChunk> _open = [];
    private readonly Queue<ChunkId> _openOrder = new();
    private readonly SortedDictionary<ulong, ChunkSummary> _index = [];
    private readonly HashSet<ChunkId> _deleting = [];
    private readonly LoopGate _openGate = new();
    private readonly List<(ChunkId Chunk, MutationId Mutation, BlockStamp Stamp)> _recovered = [];
    private bool _directoryChanged;
    private bool _isRecovered;

    private ChunkStore(ILoop loop, IDisk disk, Journal journal, PayloadPool pool, ChunkStoreOptions options, PlantedFaults faults)
    {
        (_loop, _disk, _journal, _pool, _options, _faults) = (loop, disk, journal, pool, options, faults);
        _small = new SmallChunks(disk, options.SlotBlocks);
        LiveMutations = () => _recovered;
        _journal.Carried = ComposeMutations;
    }

    /// <summary>Blocks of the largest chunk.</summary>
    public int BlocksMax => (int)(_options.ChunkBytesMax / BlockSum.BlockBytes);

    /// <summary>What the last replay has met.</summary>
    public ReplayResult Recovery { get; private set; }

    /// <summary>The mutations that were found in the journal, oldest first: one that is sent again must not be carried out again.</summary>
    public IReadOnlyList<(ChunkId Chunk, MutationId Mutation, BlockStamp Stamp)> RecoveredMutations => _recovered;

    /// <summary>The mutations that a client may still send again, oldest first. While the store is being opened, those that were found.</summary>
    public Func<IEnumerable<(ChunkId Chunk, MutationId Mutation, BlockStamp Stamp)>> LiveMutations { get; set; }

    /// <summary>Replaces a block that does not match its sum by another replica's, and tells whether it has. By default there is none.</summary>
    public Func<StoredChunk, int, ValueTask<bool>> Mend { get; set; } = static (_, _) => new ValueTask<bool>(false);

    /// <summary>All chunks, by name.</summary>
    public IEnumerable<ChunkSummary> Chunks => _index.Values.Select(summary => _open.TryGetValue(summary.Id, out StoredChunk? chunk)
        ? new ChunkSummary(summary.Id, chunk.Version, chunk.Sequence)
        : summary);

    /// <summary>Opens a store, makes good what a crash has left, and makes it if it is not there.</summary>
    /// <param name="loop">The loop it belongs to.</param>
    /// <param name="disk">For the chunks.</param>
    /// <param name="journalDisk">For the journal; may be the same.</param>
    /// <param name="pool">Gives memory.</param>
    /// <param name="options">By default the defaults.</param>
    /// <param name="faults">By default none.</param>
    public static async ValueTask<Result<ChunkStore>> Open(
        ILoop loop, IDisk disk, IDisk journalDisk, PayloadPool pool, ChunkStoreOptions? options = null, PlantedFaults? faults = null)
    {
        options ??= new ChunkStoreOptions();
        faults ??= PlantedFaults.None;
        Errno error = await disk.CreateDirectory("chunks");
        if (error != Errnos.Ok)
        {
            return error;
        }

        Result<Journal> journal = await Journal.Open(journalDisk, options.SegmentBytes, faults);
        if (!journal.IsOk)
        {
            return journal.Error;
        }

        var store = new ChunkStore(loop, disk, journal.Value, pool, options, faults);
        error = await store.Recover();
        return error == Errnos.Ok ? store : error;
    }

    /// <summary>Makes an empty chunk in a version.</summary>
    /// <returns>EEXIST if there is one; EAGAIN while one of the same name is being removed.</returns>
    public async ValueTask<Errno> Create(ChunkId id, ulong version)
    {
        if (_index.ContainsKey(id.Value) || _deleting.Contains(id))
        {
            // While the files of its last life are being removed, they would take those of the new one with them.
            return _deleting.Contains(id) ? Errno.EAGAIN : Errno.EEXIST;
        }

        if (!HasRoom(0) || _filesLeft < _options.ReserveFiles)
        {
            return Errno.ENOSPC;
        }

        _index[id.Value] = new ChunkSummary(id, version, 0);
        Result<ulong> lsn = await _journal.Append(Record(RecordType.Version, id, new BlockStamp(version, 0), default, 0, 0), default, default);
        if (!lsn.IsOk)
        {
            _index.Remove(id.Value);
            return lsn.Error;
        }

        AddNew(id, version, lsn.Value);
        return Errnos.Ok;
    }

    /// <summary>Notes the version that a chunk is in.</summary>
    /// <param name="chunk">The chunk.</param>
    /// <param name="version">The version.</param>
    /// <param name="forgetsMutations">
    /// Whether it joins a chain in it: what it has done before is undone by what it copies, so it is not to be taken for done after a restart either.
    /// </param>
    public async ValueTask<Errno> SetVersion(StoredChunk chunk, ulong version, bool forgetsMutations = false)
    {
        BlockStamp stamp = new(version, chunk.Sequence);
        Result<ulong> lsn = await _journal.Append(Record(RecordType.Version, chunk.Id, stamp, forgetsMutations ? s_forgets : default, 0, 0), default, default);
        if (lsn.IsOk)
        {
            chunk.Version = version;
            chunk.LastLsn = lsn.Value;
            chunk.HeaderChanged = true;
        }

        return lsn.Error;
    }

    /// <summary>Removes a chunk; one that is not there is no error.</summary>
    public async ValueTask<Errno> Delete(ChunkId id)
    {
        if (!_index.Remove(id.Value))
        {
            return Errnos.Ok;
        }

        _deleting.Add(id);
        Result<ulong> lsn = await _journal.Append(Record(RecordType.Delete, id, default, default, 0, 0), default, default);
        Errno error = lsn.IsOk ? await Remove(id) : lsn.Error;
        _deleting.Remove(id);
        return error;
    }

    /// <summary>Finds a chunk, opening its files if need be.</summary>
    /// <returns>ENOENT if there is none.</returns>
    public ValueTask<Result<StoredChunk>> Get(ChunkId id) => _open.TryGetValue(id, out StoredChunk? chunk)
        ? new ValueTask<Result<StoredChunk>>(chunk)
        : _index.ContainsKey(id.Value) ? OpenChunk(id) : new ValueTask<Result<StoredChunk>>(Errno.ENOENT);

    /// <summary>Whether so many bytes more can be stored.</summary>
    public bool HasRoom(long bytes)
    {
        if (IsFull)
        {
            return false;
        }

        if (_roomLeft < bytes || _loop.NowNanoseconds >= _roomKnownUntil)
        {
            // Asked of the disk once in a while, and each time it seems to run out.
            Result<DiskSpace> space = _disk.Space();
            _roomLeft = space.IsOk ? space.Value.FreeBytes - _options.ReserveBytes - _pendingBytes : 0;
            _filesLeft = space.Value.FreeFiles;
            _roomKnownUntil = _loop.NowNanoseconds + RoomKnownNanoseconds;
        }

        bool has = _roomLeft >= bytes;
        _roomLeft -= has ? bytes : 0;
        return has;
    }

    /// <summary>How full the disk is. Without inodes for new chunks, or room for what is in the journal, nothing is free.</summary>
    public Result<DiskSpace> Space()
    {
        Result<DiskSpace> space = _disk.Space();
        return space.IsOk && (IsFull || space.Value.FreeFiles < _options.ReserveFiles) ? space.Value with { FreeBytes = 0 } : space;
    }

    /// <summary>Applies and syncs everything and closes the files.</summary>
    public async ValueTask<Errno> Close()
    {
        _isClosed = true;
        Errno error = await Checkpoint();
        foreach (StoredChunk chunk in _open.Values)
        {
            chunk.Dispose();
        }

        _open.Clear();
        _small.Close();
        _journal.Close();
        return error;
    }

    private const long RoomKnownNanoseconds = 100_000_000;

    private const int ClosingTriesMax = 4;

    private long _roomLeft;
    private long _filesLeft;
    private long _roomKnownUntil;

    private async ValueTask<Result<StoredChunk>> OpenChunk(ChunkId id)
    {
        await _openGate.Enter();
        Result<StoredChunk> result = _open.TryGetValue(id, out StoredChunk? there) ? there : await OpenHome(id);
        if (result.IsOk && there is null)
        {
            Keep(result.Value);
        }

        _openGate.Leave();
        return result;
    }

    /// <summary>Adds a chunk that the journal tells of: its files are made once there is something to put in.</summary>
    private void AddNew(ChunkId id, ulong version, ulong lsn)
    {
        _index[id.Value] = new ChunkSummary(id, version, 0);
        Keep(StoredChunk.Create(id, version, lsn, BlocksMax));
    }

    private async ValueTask<Result<StoredChunk>> OpenHome(ChunkId id)
    {
        if (_small.Find(id) is { } slot)
        {
            return await StoredChunk.Open(id, slot, BlocksMax);
        }

        Result<OwnFiles> files = await OwnFiles.Open(_disk, id);
        return files.IsOk ? await StoredChunk.Open(id, files.Value, BlocksMax) : files.Error;
    }

    private void Keep(StoredChunk chunk)
    {
        _open[chunk.Id] = chunk;
        _openOrder.Enqueue(chunk.Id);
        CloseBeyondLimit(ClosingTriesMax, chunk);
    }

    /// <summary>Closes chunks that nobody uses and that need no checkpoint, those opened first first, while too many are open.</summary>
    /// <param name="triesMax">
    /// How many are looked at: of many new chunks none can be closed before the next checkpoint, and to ask them all each time is quadratic.
    /// </param>
    /// <param name="kept">One that stays open in any case.</param>
    private void CloseBeyondLimit(int triesMax, StoredChunk? kept = null)
    {
        for (int tries = Math.Min(triesMax, _openOrder.Count); _open.Count > _options.OpenChunksMax && tries > 0; tries--)
        {
            ChunkId id = _openOrder.Dequeue();
            if (!_open.TryGetValue(id, out StoredChunk? old))
            {
                continue;
            }

            if (old == kept || old.IsDirty || old.Users > 0 || old.Gate.IsTaken)
            {
                _openOrder.Enqueue(id);
                continue;
            }

            if (_index.ContainsKey(id.Value))
            {
                // Not so if it is being removed just now.
                _index[id.Value] = new ChunkSummary(id, old.Version, old.Sequence);
            }

            _open.Remove(id);
            old.Dispose();
        }
    }

    private static JournalRecord Record(RecordType type, ChunkId chunk, BlockStamp stamp, MutationId mutation, int firstBlock, int blocks) => new()
    {
        Type = type,
        Chunk = chunk.Value,
        Stamp = stamp.Value,
        Client = mutation.Client,
        Mutation = mutation.Number,
        FirstBlock = (uint)firstBlock,
        Blocks = (uint)blocks,
    };
}
