using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.FuseProtocol.Posix;

/// <summary>Who holds locks: the kernel's lock owner, and the client whose kernel that is.</summary>
/// <param name="Client">Tells clients of one file system apart; 0 where there is only one.</param>
/// <param name="Owner">As messages carry it.</param>
public readonly record struct LockOwner(ulong Client, ulong Owner);

/// <summary>A lock on a range of bytes, both ends included, and the open file through which it was taken.</summary>
/// <param name="Owner">Who holds it.</param>
/// <param name="Fh">The open file.</param>
/// <param name="Pid">For people, and F_GETLK.</param>
/// <param name="Type">F_RDLCK, F_WRLCK or F_UNLCK.</param>
/// <param name="Start">First byte.</param>
/// <param name="End">Last byte.</param>
public readonly record struct HeldLock(LockOwner Owner, ulong Fh, uint Pid, LockType Type, ulong Start, ulong End)
{
    /// <summary>Reads what a message asks for.</summary>
    /// <returns>False if there is no such lock.</returns>
    public static bool TryParse(in LkIn arg, out HeldLock parsed)
    {
        bool flock = (arg.LkFlags & LkFlags.Flock) != 0;
        parsed = new HeldLock(
            new LockOwner(0, arg.Owner), arg.Fh, arg.Lk.Pid, (LockType)arg.Lk.Type, flock ? 0 : arg.Lk.Start, flock ? ulong.MaxValue : arg.Lk.End);
        return arg.Lk.Type <= (uint)LockType.F_UNLCK && parsed.Start <= parsed.End;
    }

    /// <summary>What removes all locks of an owner.</summary>
    public static HeldLock UnlockAll(LockOwner owner) => new(owner, 0, 0, LockType.F_UNLCK, 0, ulong.MaxValue);

    /// <summary>As GETLK tells it.</summary>
    public FileLock ToWire() => new() { Start = Start, End = End, Type = (uint)Type, Pid = Pid };

    /// <summary>Whether the two have a byte in common.</summary>
    public bool Overlaps(in HeldLock other) => Start <= other.End && other.Start <= End;

    /// <summary>Whether the two have a byte in common or follow each other.</summary>
    public bool Touches(in HeldLock other) => (Start == 0 || Start - 1 <= other.End) && (other.Start == 0 || other.Start - 1 <= End);

    /// <summary>Whether one of the two must wait for the other.</summary>
    public bool Blocks(in HeldLock other) =>
        Owner != other.Owner && Overlaps(in other) && (Type == LockType.F_WRLCK || other.Type == LockType.F_WRLCK);
}

/// <summary>The locks on a file: those of fcntl(2) and those of flock(2), which do not see each other.</summary>
public sealed class LockTable
{
    private readonly LockRanges _posix = new(isFlock: false);
    private readonly LockRanges _flock = new(isFlock: true);

    /// <summary>The locks of one kind.</summary>
    public LockRanges Of(LkFlags kind) => (kind & LkFlags.Flock) != 0 ? _flock : _posix;
}

/// <summary>The locks of one kind on a file. No two of one owner overlap, and no two conflict.</summary>
/// <param name="isFlock">Whether these are flock(2)'s.</param>
public sealed class LockRanges(bool isFlock)
{
    private readonly List<HeldLock> _held = [];

    /// <summary>All locks, in no order that means anything.</summary>
    public IReadOnlyList<HeldLock> Held => _held;

    /// <summary>Whether these are flock(2)'s, which cover the whole file.</summary>
    public bool IsFlock { get; } = isFlock;

    /// <summary>The lock with the lowest start that stands in the way of <paramref name="wanted"/>.</summary>
    public HeldLock? FirstBlocker(in HeldLock wanted)
    {
        HeldLock? first = null;
        foreach (HeldLock held in _held)
        {
            if (held.Blocks(in wanted) && (first is null || held.Start < first.Value.Start))
            {
                first = held;
            }
        }

        return first;
    }

    /// <summary>The owners of all locks that stand in the way of <paramref name="wanted"/>.</summary>
    public IEnumerable<LockOwner> Blockers(HeldLock wanted) => _held.Where(held => held.Blocks(in wanted)).Select(held => held.Owner);

    /// <summary>Whether the owner of <paramref name="wanted"/> holds a lock of another type.</summary>
    public bool HoldsOther(in HeldLock wanted)
    {
        foreach (HeldLock held in _held)
        {
            if (held.Owner == wanted.Owner && held.Type != wanted.Type)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Puts a lock, which nothing blocks, in the place of what its owner held there: neighbours of the same type join it, others are cut off.
    /// </summary>
    /// <returns>By how many the number of locks has grown; negative if it has shrunk.</returns>
    public int Apply(in HeldLock change)
    {
        int before = _held.Count;
        HeldLock joined = change;
        for (int i = before - 1; i >= 0; i--)
        {
            HeldLock held = _held[i];
            if (held.Owner != change.Owner)
            {
                continue;
            }

            if (held.Type == change.Type && held.Touches(in change))
            {
                joined = joined with { Start = Math.Min(joined.Start, held.Start), End = Math.Max(joined.End, held.End) };
                _held.RemoveAt(i);
            }
            else if (held.Overlaps(in change))
            {
                _held.RemoveAt(i);
                Keep(held with { End = change.Start - 1 }, change.Start > held.Start);
                Keep(held with { Start = change.End + 1 }, change.End < held.End);
            }
        }

        Keep(joined, joined.Type != LockType.F_UNLCK);
        return _held.Count - before;
    }

    /// <summary>Removes what was taken through an open file of a client.</summary>
    /// <returns>By how many the number of locks has grown: never more than 0.</returns>
    public int RemoveTakenThrough(ulong fh, ulong client = 0) => -_held.RemoveAll(held => held.Fh == fh && held.Owner.Client == client);

    /// <summary>Removes what a client holds.</summary>
    /// <returns>By how many the number of locks has grown: never more than 0.</returns>
    public int RemoveOf(ulong client) => -_held.RemoveAll(held => held.Owner.Client == client);

    private void Keep(HeldLock held, bool isLeft)
    {
        if (isLeft)
        {
            _held.Add(held);
        }
    }
}
