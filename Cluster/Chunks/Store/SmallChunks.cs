using Harness.Cluster.Disk;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Store;

/// <summary>The slots of a store, of a few sizes, and which chunk has which.</summary>
/// <remarks>
/// Slots are taken and freed by who applies the journal alone, and never while they do so: a write under way never meets a slot's next chunk. What
/// is given back in between waits for the next time. A reader that does meet it sees blocks that do not match their sums.
/// </remarks>
internal sealed class SmallChunks
{
    private readonly SlotFile[] _files;
    private readonly Dictionary<ulong, (SlotFile File, int Index)> _where = [];
    private List<(SlotFile File, int Index)> _released = [];

    /// <summary>Slots of some sizes.</summary>
    /// <param name="disk">Where.</param>
    /// <param name="sizes">Blocks of a slot, ascending.</param>
    public SmallChunks(IDisk disk, IReadOnlyList<int> sizes) => _files = [.. sizes.Select(blocks => new SlotFile(disk, blocks))];

    /// <summary>Whether files were made whose directory was not synced since.</summary>
    public bool HasNewNames => _files.Any(static file => file.HasNewNames);

    /// <summary>Reads what is there.</summary>
    /// <param name="found">Is told of each chunk.</param>
    public async ValueTask<Errno> Load(Action<ChunkHeader> found)
    {
        var headers = new Dictionary<ulong, ChunkHeader>();
        Errno error = Errnos.Ok;
        foreach (SlotFile file in _files)
        {
            error = error == Errnos.Ok ? await file.Load((index, header) => Found(file, index, header)) : error;
        }

        foreach (ChunkHeader header in headers.Values)
        {
            found(header);
        }

        return error;

        // A chunk that has grown is in both until a checkpoint has the larger: the smaller is whole, with the journal. Of two chunks of one name the
        // later one counts.
        void Found(SlotFile file, int index, ChunkHeader header)
        {
            if (!headers.TryGetValue(header.Id.Value, out ChunkHeader before) || before.BornLsn < header.BornLsn)
            {
                Release(header.Id);
                _where[header.Id.Value] = (file, index);
                headers[header.Id.Value] = header;
            }
            else
            {
                _released.Add((file, index));
            }
        }
    }

    /// <summary>The slot of a chunk.</summary>
    /// <returns>Null if it has none.</returns>
    public Slot? Find(ChunkId id) => _where.TryGetValue(id.Value, out (SlotFile File, int Index) place) ? new Slot(place.File, place.Index) : null;

    /// <summary>Takes a slot for a chunk, whatever it had before.</summary>
    /// <param name="id">The chunk.</param>
    /// <param name="blocks">For so many blocks.</param>
    /// <returns>Null if it is too large for any.</returns>
    public async ValueTask<Result<Slot?>> Take(ChunkId id, int blocks)
    {
        SlotFile? file = Array.Find(_files, file => file.Blocks >= blocks);
        if (file is null)
        {
            return Results.Of<Slot?>(null);
        }

        Result<Slot> slot = await file.Take();
        if (slot.IsOk)
        {
            _where[id.Value] = (file, slot.Value.Index);
        }

        return slot.IsOk ? slot.Value : slot.Error;
    }

    /// <summary>A chunk is removed: its slot, if it has one, is freed the next time.</summary>
    public void Release(ChunkId id)
    {
        if (_where.Remove(id.Value, out (SlotFile File, int Index) place))
        {
            _released.Add(place);
        }
    }

    /// <summary>A chunk lies elsewhere now; its slot is not freed yet.</summary>
    public void Forget(ChunkId id) => _where.Remove(id.Value);

    /// <summary>What was released until now; to be freed once the journal that tells why is synced.</summary>
    public HashSet<(SlotFile File, int Index)> TakeReleased()
    {
        HashSet<(SlotFile File, int Index)> released = [.. _released];
        _released = [];
        return released;
    }

    /// <summary>What could not be given back: it is released again, for the next time.</summary>
    public void ReleaseAgain(IEnumerable<(SlotFile File, int Index)> slots) => _released.AddRange(slots);

    /// <summary>A slot taken for a chunk was not used after all: the chunk lies where it lay before.</summary>
    public void Untake(ChunkId id, Slot slot, Slot? before)
    {
        slot.File.Untake(slot.Index);
        if (before is null)
        {
            _where.Remove(id.Value);
        }
        else
        {
            _where[id.Value] = (before.File, before.Index);
        }
    }

    /// <summary>Gives slots back.</summary>
    /// <param name="slots">The slots; those stay in it that could not be given back.</param>
    public static async ValueTask<Errno> Free(HashSet<(SlotFile File, int Index)> slots)
    {
        Errno error = Errnos.Ok;
        foreach (IGrouping<SlotFile, int> group in slots.GroupBy(static slot => slot.File, static slot => slot.Index).ToArray())
        {
            error = error == Errnos.Ok ? await group.Key.Free(group.ToArray(), index => slots.Remove((group.Key, index))) : error;
        }

        return error;
    }

    /// <summary>Makes all slots' heads survive a power cut.</summary>
    public async ValueTask<Errno> SyncHeads()
    {
        Errno error = Errnos.Ok;
        foreach (SlotFile file in _files)
        {
            error = error == Errnos.Ok ? await file.SyncHeads() : error;
        }

        return error;
    }

    /// <summary>The directory of their files was synced.</summary>
    public void NoteNamesSynced()
    {
        foreach (SlotFile file in _files)
        {
            file.HasNewNames = false;
        }
    }

    /// <summary>Closes the files.</summary>
    public void Close()
    {
        foreach (SlotFile file in _files)
        {
            file.Close();
        }
    }
}
