using Harness.Cluster.Wire;
using Harness.FuseProtocol.Posix;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Cluster.Metadata;

/// <content>Locks of fcntl(2) and flock(2). Waiting for them is the leader's affair: a command either gets its lock or EAGAIN.</content>
internal sealed partial class MetadataState
{
    private readonly SortedDictionary<ulong, LockTable> _locks = [];
    private int _locksHeld;

    /// <summary>The locks on an inode; null while there are none.</summary>
    public LockTable? LocksOf(ulong inode) => _locks.GetValueOrDefault(inode);

    /// <summary>The lock that a command asks for.</summary>
    public static HeldLock ToHeld(ulong session, SetLock set) => new(
        new LockOwner(session, set.Owner), set.Handle, set.Range.Pid, (LockType)set.Range.Type,
        set.Flock ? 0 : set.Range.Start, set.Flock ? ulong.MaxValue : set.Range.End);

    private Outcome SetLock(ulong session, SetLock set)
    {
        if (!_inodes.Find(set.Inode).Exists)
        {
            return Failed(Errno.ESTALE);
        }

        if (set.Range is null || set.Range.Type > (uint)LockType.F_UNLCK || set.Range.Start > set.Range.End)
        {
            return Failed(Errno.EINVAL);
        }

        HeldLock wanted = ToHeld(session, set);
        if (!_locks.TryGetValue(set.Inode, out LockTable? table))
        {
            if (wanted.Type == LockType.F_UNLCK)
            {
                return Done();
            }

            _locks.Add(set.Inode, table = new LockTable());
        }

        Errno error = SetNow(table.Of(set.Flock ? LkFlags.Flock : LkFlags.None), in wanted);
        DropLockTableIfEmpty(set.Inode, table);
        return Done(error);
    }

    private Errno SetNow(LockRanges ranges, in HeldLock wanted)
    {
        if (wanted.Type != LockType.F_UNLCK)
        {
            // flock(2) gives up the old lock before it waits for a new one of another kind (fs/locks.c, flock_lock_inode).
            if (ranges.IsFlock && ranges.HoldsOther(in wanted))
            {
                _locksHeld += ranges.Apply(HeldLock.UnlockAll(wanted.Owner));
            }

            if (ranges.FirstBlocker(in wanted) is not null)
            {
                return Errno.EAGAIN;
            }

            if (_locksHeld >= Limits.LocksMax)
            {
                return Errno.ENOLCK;
            }
        }

        _locksHeld += ranges.Apply(in wanted);
        return 0;
    }

    private Outcome ReleaseLocks(ulong session, ReleaseLocks release)
    {
        if (!_locks.TryGetValue(release.Inode, out LockTable? table))
        {
            return Done();
        }

        if (release.HasPosixOwner)
        {
            _locksHeld += table.Of(LkFlags.None).Apply(HeldLock.UnlockAll(new LockOwner(session, release.PosixOwner)));
        }

        if (release.HasFlockOwner)
        {
            _locksHeld += table.Of(LkFlags.Flock).Apply(HeldLock.UnlockAll(new LockOwner(session, release.FlockOwner)));
        }

        if (release.HasHandle)
        {
            _locksHeld += table.Of(LkFlags.None).RemoveTakenThrough(release.Handle, session);
            _locksHeld += table.Of(LkFlags.Flock).RemoveTakenThrough(release.Handle, session);
        }

        DropLockTableIfEmpty(release.Inode, table);
        return Done();
    }

    private void DropLocks(ulong inode)
    {
        if (_locks.Remove(inode, out LockTable? table))
        {
            _locksHeld -= CountOf(table);
        }
    }

    private void DropLocksOfSession(ulong session)
    {
        foreach ((ulong inode, LockTable table) in _locks.ToArray())
        {
            _locksHeld += table.Of(LkFlags.None).RemoveOf(session) + table.Of(LkFlags.Flock).RemoveOf(session);
            DropLockTableIfEmpty(inode, table);
        }
    }

    private void DropLockTableIfEmpty(ulong inode, LockTable table)
    {
        if (CountOf(table) == 0)
        {
            _locks.Remove(inode);
        }
    }

    private static int CountOf(LockTable table) => table.Of(LkFlags.None).Held.Count + table.Of(LkFlags.Flock).Held.Count;
}
