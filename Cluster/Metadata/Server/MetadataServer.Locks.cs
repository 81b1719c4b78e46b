using Harness.Cluster.Wire;
using Harness.FuseProtocol.Posix;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Cluster.Metadata.Server;

/// <content>Waiting for locks. A wait is soft: after a change of the leader the client asks again.</content>
internal sealed partial class MetadataServer
{
    /// <summary>Most requests that wait for locks at one time; beyond it ENOLCK.</summary>
    private const int LockWaitsMax = 65_536;

    private readonly List<LockWait> _lockWaits = [];

    private async ValueTask<MetadataReply> WaitLock(ulong session, WaitLock wait)
    {
        if (_lockWaits.Count >= LockWaitsMax)
        {
            return Refused(Errno.ENOLCK);
        }

        Outcome outcome = await _pipeline.Submit(new Command { Session = session, SetLock = wait.Lock });
        if ((Errno)outcome.Errno != Errno.EAGAIN)
        {
            GrantAllWaits();
            return Refused((Errno)outcome.Errno);
        }

        HeldLock wanted = MetadataState.ToHeld(session, wait.Lock);
        if (!wait.Lock.Flock && WaitsFor(wanted.Owner, wait.Lock.Inode, wanted))
        {
            return Refused(Errno.EDEADLK);
        }

        var waiting = new LockWait(session, wait, wanted);
        _lockWaits.Add(waiting);

        // flock(2) may have given up a lock to wait for another one; and the lock may have come free while this request was in the log.
        GrantAllWaits();
        return Refused(await waiting.Task);
    }

    private MetadataReply CancelWait(ulong session, ulong number)
    {
        LockWait? waiting = _lockWaits.Find(wait => wait.Session == session && wait.Request.Number == number);
        if (waiting is null || !_lockWaits.Remove(waiting))
        {
            return Refused(Errno.ENOENT);
        }

        waiting.SetResult(Errno.EINTR);
        return new MetadataReply();
    }

    /// <summary>Tries again what waits, the longest-waiting first.</summary>
    private void GrantAllWaits()
    {
        foreach (LockWait waiting in _lockWaits.ToArray())
        {
            if (!State.Sessions.ContainsKey(waiting.Session))
            {
                _lockWaits.Remove(waiting);
                waiting.TrySetResult(Errno.ENOTCONN);
            }
            else if (!waiting.IsTrying && RangesOf(waiting)?.FirstBlocker(in waiting.Wanted) is null)
            {
                Try(waiting).Watch();
            }
        }
    }

    private async Task Try(LockWait waiting)
    {
        waiting.IsTrying = true;
        Outcome outcome = await _pipeline.Submit(new Command { Session = waiting.Session, SetLock = waiting.Request.Lock });
        waiting.IsTrying = false;
        if ((Errno)outcome.Errno == Errno.EAGAIN)
        {
            return;
        }

        if (_lockWaits.Remove(waiting))
        {
            waiting.SetResult((Errno)outcome.Errno);
        }
        else if (outcome.Errno == 0)
        {
            // The wait was cancelled meanwhile: its caller does not know that it has the lock.
            SetLock unlock = waiting.Request.Lock.Clone();
            unlock.Range.Type = (uint)LockType.F_UNLCK;
            await _pipeline.Submit(new Command { Session = waiting.Session, SetLock = unlock });
        }

        GrantAllWaits();
    }

    private LockRanges? RangesOf(LockWait waiting) =>
        State.LocksOf(waiting.Request.Lock.Inode)?.Of(waiting.Request.Lock.Flock ? LkFlags.Flock : LkFlags.None);

    /// <summary>Whether some holder of what is wanted waits, itself or through others, for a lock of <paramref name="owner"/>.</summary>
    /// <remarks>Like fs/locks.c (<c>posix_locks_deadlock</c>), it takes an owner for one thread, which waits in one place at a time.</remarks>
    private bool WaitsFor(LockOwner owner, ulong inode, HeldLock wanted)
    {
        var reached = new HashSet<LockOwner>();
        var pending = new Stack<LockOwner>(State.LocksOf(inode)?.Of(LkFlags.None).Blockers(wanted) ?? []);
        while (pending.TryPop(out LockOwner blocker))
        {
            if (blocker == owner)
            {
                return true;
            }

            if (!reached.Add(blocker))
            {
                continue;
            }

            foreach (LockWait waiting in _lockWaits.Where(wait => wait.Wanted.Owner == blocker && !wait.Request.Lock.Flock))
            {
                foreach (LockOwner next in RangesOf(waiting)?.Blockers(waiting.Wanted) ?? [])
                {
                    pending.Push(next);
                }
            }
        }

        return false;
    }

    private sealed class LockWait(ulong session, WaitLock request, HeldLock wanted) : TaskCompletionSource<Errno>
    {
        public readonly HeldLock Wanted = wanted;

        public ulong Session { get; } = session;

        public WaitLock Request { get; } = request;

        public bool IsTrying { get; set; }
    }
}
