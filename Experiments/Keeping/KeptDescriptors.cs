using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Runtime.Native;

namespace Harness.Experiments.Keeping;

/// <summary>A descriptor that came from a daemon before this one.</summary>
/// <param name="Slot">Where it is kept.</param>
/// <param name="Fd">The descriptor, which belongs to whoever gets this; −1 for a node that is kept by its handle alone.</param>
/// <param name="Record">What it is.</param>
internal readonly record struct KeptDescriptor(int Slot, int Fd, KeptSlot Record);

/// <summary>
/// The daemon's side of the descriptors that must survive it: each is sent to the supervisor, which holds it open under the number of a slot,
/// and what it means stands in that slot of the state.
/// </summary>
/// <remarks>
/// Descriptors and not file handles, so that it is the very file that survives: on every file system, without its names, without root, and with
/// where it was read last. Only nodes beyond the limit of descriptors have a handle instead, which stands in the slot itself. A file is sent before its slot is filled, and its slot emptied before it is taken back: whatever a dying daemon got
/// done of it, a filled slot has its descriptor. Thread-safe.
/// </remarks>
internal sealed class KeptDescriptors
{
    /// <summary>
    /// How far a daemon stays below the limit of descriptors that it shares with its supervisor, so that whatever the daemon has opened the
    /// supervisor has room to keep, beside what it has open itself.
    /// </summary>
    public const int Spare = 256;

    private readonly KeptState _state;
    private readonly Link _link;
    private readonly Lock _gate = new();
    private readonly Stack<int> _free = new();
    private readonly List<NodeId> _uncounted = [];
    private List<KeptDescriptor> _inherited = [];

    /// <summary>Sorts out what the daemons before this one have left.</summary>
    /// <param name="state">What it means.</param>
    /// <param name="link">The supervisor.</param>
    /// <param name="journal">Tells which opens were never answered, so that their handles are known to nobody.</param>
    /// <param name="fds">What the supervisor has kept, by slot. Taken over.</param>
    public KeptDescriptors(KeptState state, Link link, RequestJournal journal, IReadOnlyDictionary<int, int> fds)
    {
        _state = state;
        _link = link;
        for (int slot = state.Header.SlotsUsed - 1; slot >= 0; slot--)
        {
            KeptSlot record = state.Slots[slot];
            bool isHandle = record.Kind != KeptKind.Node;
            bool isHeld = fds.TryGetValue(slot, out int fd);
            bool isMeant = record.Id != 0 && (isHeld || record.File.HandleBytes > 0);
            if (isMeant && isHandle && journal.IsUnfinished(record.Unique, out Opcode opcode))
            {
                isMeant = false;
                if (opcode is Opcode.Create or Opcode.Tmpfile)
                {
                    _uncounted.Add(new NodeId(record.Value));
                }
            }

            if (isMeant)
            {
                _inherited.Add(new KeptDescriptor(slot, isHeld ? fd : -1, record));
                continue;
            }

            if (isHeld)
            {
                _ = Libc.Close(fd);
                Drop(slot);
            }
            else
            {
                state.Slots[slot].Id = 0;
                _free.Push(slot);
            }
        }
    }

    /// <summary>Counter of node ids, which go on where the last daemon stopped.</summary>
    public ref ulong LastNodeId => ref _state.Header.LastNodeId;

    /// <summary>Counter of handles.</summary>
    public ref ulong LastFh => ref _state.Header.LastFh;

    /// <summary>Nodes of which one lookup is counted that the kernel was never told of, since who made and opened the file did not answer.</summary>
    public IReadOnlyList<NodeId> Uncounted => _uncounted;

    /// <summary>What the daemons before this one have left, once.</summary>
    public IReadOnlyList<KeptDescriptor> TakeInherited() => Interlocked.Exchange(ref _inherited, []);

    /// <summary>Keeps a descriptor.</summary>
    /// <param name="record">What it is.</param>
    /// <param name="descriptor">The descriptor, which stays the caller's; null for a node that has a handle.</param>
    /// <returns>The slot; −1 if there is none left.</returns>
    public int Keep(in KeptSlot record, FileDescriptor? descriptor)
    {
        int slot = TakeSlot();
        if (slot < 0)
        {
            return slot;
        }

        if (descriptor is not null)
        {
            Attach(slot, descriptor);
        }

        ref KeptSlot filled = ref _state.Slots[slot];
        filled.Value = record.Value;
        filled.Unique = record.Unique & ~Protocol.UniqueResend;
        filled.Kind = record.Kind;
        filled.BackingId = record.BackingId;
        filled.File = record.File;
        Volatile.Write(ref filled.Id, record.Id);
        return slot;
    }

    /// <summary>Keeps a descriptor in a slot.</summary>
    public void Attach(int slot, FileDescriptor descriptor)
    {
        // If nobody takes it the supervisor is gone, and this process is about to end too.
        _ = _link.TrySend(LinkVerb.Keep, [(uint)slot], [descriptor.Number]);
    }

    /// <summary>Takes a descriptor back.</summary>
    public void Drop(int slot)
    {
        Volatile.Write(ref _state.Slots[slot].Id, 0);
        _ = _link.TrySend(LinkVerb.Drop, [(uint)slot]);
        lock (_gate)
        {
            _free.Push(slot);
        }
    }

    /// <summary>Of a node its lookup count, to be changed by whoever guards the node.</summary>
    public ref ulong Value(int slot) => ref _state.Slots[slot].Value;

    /// <summary>Of a node the number of its backing file.</summary>
    public ref int BackingId(int slot) => ref _state.Slots[slot].BackingId;

    private int TakeSlot()
    {
        lock (_gate)
        {
            if (_free.TryPop(out int slot))
            {
                return slot;
            }

            ref int used = ref _state.Header.SlotsUsed;
            return used < _state.Slots.Length ? used++ : -1;
        }
    }
}
