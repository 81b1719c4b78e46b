using Harness.FuseProtocol;
using Harness.FuseProtocol.Posix;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Memory;

/// <summary>The locks of fcntl(2) and flock(2) on all files: who holds which, who waits, and who would wait for ever.</summary>
/// <remarks>
/// One gate for all, since finding a circle of waiters needs all of them. Waiting holds no thread: whoever unlocks completes the waits that can
/// end, on its own stack, after the gate is open again.
/// </remarks>
internal sealed class FileLocks
{
    /// <summary>Most locks held in all; beyond it ENOLCK.</summary>
    public const int HeldMax = 1 << 20;

    private readonly Lock _gate = new();
    private readonly List<Waiter> _waiters = [];
    private int _held;

    /// <summary>The first lock, by offset, that stands in the way of the one that is asked for; F_UNLCK if none does.</summary>
    public Result<FileLock> Test(Inode inode, in LkIn arg)
    {
        if (!HeldLock.TryParse(in arg, out HeldLock wanted))
        {
            return Errno.EINVAL;
        }

        lock (_gate)
        {
            HeldLock? blocker = inode.Locks?.Of(arg.LkFlags).FirstBlocker(in wanted);
            return blocker?.ToWire() ?? arg.Lk with { Type = (uint)LockType.F_UNLCK, Pid = 0 };
        }
    }

    /// <summary>Sets, changes or removes a lock.</summary>
    /// <returns>EAGAIN if it may not wait and would have to, EDEADLK if that were for ever, EINTR if the wait was interrupted.</returns>
    public ValueTask<Errno> Set(Inode inode, in LkIn arg, bool wait, CancellationToken interrupted)
    {
        if (!HeldLock.TryParse(in arg, out HeldLock wanted))
        {
            return new(Errno.EINVAL);
        }

        Waiter? waiter = null;
        Errno error;
        List<Waiter>? granted;
        lock (_gate)
        {
            LockRanges ranges = (inode.Locks ??= new LockTable()).Of(arg.LkFlags);
            error = SetNow(ranges, in wanted);
            if (error == Errno.EAGAIN && wait)
            {
                if (!ranges.IsFlock && WaitsFor(wanted.Owner, ranges, in wanted))
                {
                    error = Errno.EDEADLK;
                }
                else
                {
                    waiter = new Waiter(ranges, in wanted);
                    _waiters.Add(waiter);
                }
            }

            granted = Grant();
        }

        Complete(granted, Errnos.Ok);
        return waiter is null ? new(error) : Wait(waiter, interrupted);
    }

    /// <summary>Removes all locks that an owner has on a file.</summary>
    /// <param name="inode">The file.</param>
    /// <param name="owner">The owner.</param>
    /// <param name="kind">Which of the two kinds of locks.</param>
    public void Release(Inode inode, ulong owner, LkFlags kind) =>
        Release(inode, locks => _ = SetNow(locks.Of(kind), HeldLock.UnlockAll(new LockOwner(0, owner))));

    /// <summary>Removes all locks that were taken through an open file.</summary>
    public void ReleaseTakenThrough(Inode inode, ulong fh) => Release(inode, locks =>
    {
        _held += locks.Of(LkFlags.None).RemoveTakenThrough(fh);
        _held += locks.Of(LkFlags.Flock).RemoveTakenThrough(fh);
    });

    /// <summary>Ends all waits with EINTR, since nobody will unlock any more.</summary>
    public void Stop()
    {
        List<Waiter> ended;
        lock (_gate)
        {
            ended = [.. _waiters];
            _waiters.Clear();
        }

        Complete(ended, Errno.EINTR);
    }

    private void Release(Inode inode, Action<LockTable> remove)
    {
        List<Waiter>? granted;
        lock (_gate)
        {
            remove(inode.Locks!);
            granted = Grant();
        }

        Complete(granted, Errnos.Ok);
    }

    private async ValueTask<Errno> Wait(Waiter waiter, CancellationToken interrupted)
    {
        await using (interrupted.UnsafeRegister(_ => Interrupt(waiter), null))
        {
            return await waiter.Task;
        }
    }

    private Errno SetNow(LockRanges ranges, in HeldLock wanted)
    {
        if (wanted.Type != LockType.F_UNLCK)
        {
            // flock(2) gives up the old lock before it waits for a new one of another kind (fs/locks.c, flock_lock_inode).
            if (ranges.IsFlock && ranges.HoldsOther(in wanted))
            {
                _held += ranges.Apply(HeldLock.UnlockAll(wanted.Owner));
            }

            if (ranges.FirstBlocker(in wanted) is not null)
            {
                return Errno.EAGAIN;
            }

            if (_held >= HeldMax)
            {
                return Errno.ENOLCK;
            }
        }

        _held += ranges.Apply(in wanted);
        return Errnos.Ok;
    }

    /// <summary>Takes out the waiters whose lock can now be had, the longest-waiting first, and gives it to them.</summary>
    private List<Waiter>? Grant()
    {
        List<Waiter>? granted = null;
        for (int i = 0; i < _waiters.Count; i++)
        {
            Waiter waiter = _waiters[i];
            if (SetNow(waiter.Ranges, in waiter.Wanted) != Errnos.Ok)
            {
                continue;
            }

            _waiters.RemoveAt(i);
            (granted ??= []).Add(waiter);

            // A lock that was exchanged for a weaker one may let an earlier waiter go on.
            i = -1;
        }

        return granted;
    }

    /// <summary>Whether some holder of what is wanted waits, itself or through others, for a lock of <paramref name="owner"/>.</summary>
    /// <remarks>Like fs/locks.c (<c>posix_locks_deadlock</c>), it takes an owner for one thread, which waits in one place at a time.</remarks>
    private bool WaitsFor(LockOwner owner, LockRanges ranges, in HeldLock wanted)
    {
        if (_waiters.Count == 0)
        {
            return false;
        }

        var reached = new HashSet<LockOwner>();
        var pending = new Stack<LockOwner>(ranges.Blockers(wanted));
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

            foreach (Waiter waiter in _waiters)
            {
                if (waiter.Wanted.Owner == blocker && !waiter.Ranges.IsFlock)
                {
                    foreach (LockOwner next in waiter.Ranges.Blockers(waiter.Wanted))
                    {
                        pending.Push(next);
                    }
                }
            }
        }

        return false;
    }

    private void Interrupt(Waiter waiter)
    {
        lock (_gate)
        {
            if (!_waiters.Remove(waiter))
            {
                return;
            }
        }

        waiter.SetResult(Errno.EINTR);
    }

    private static void Complete(List<Waiter>? waiters, Errno result)
    {
        foreach (Waiter waiter in waiters ?? [])
        {
            waiter.SetResult(result);
        }
    }

    private sealed class Waiter(LockRanges ranges, in HeldLock wanted) : TaskCompletionSource<Errno>
    {
        public readonly HeldLock Wanted = wanted;

        public LockRanges Ranges { get; } = ranges;
    }
}
