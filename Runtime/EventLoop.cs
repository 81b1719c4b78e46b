using System.Collections.Concurrent;
using System.ComponentModel;
using Harness.Runtime.Native;
using Microsoft.Win32.SafeHandles;
using Mono.Unix.Native;

namespace Harness.Runtime;

/// <summary>A loop on a thread of its own, in real time.</summary>
/// <remarks>
/// Sleeps in epoll_pwait2(2), whose time-out counts nanoseconds, with the thread's timer slack set to the least: the 50 µs that a thread has
/// by default would be half of a fast store's latency. A post wakes it through an eventfd only if it sleeps; a due time wakes it only if it
/// is earlier than the one it sleeps for. Descriptors that are watched report to their handlers on the same thread, so that a request's
/// socket, timers and file stay on one CPU.
/// </remarks>
public sealed partial class EventLoop : ILoop, IDisposable
{
    private const int PrSetTimerSlack = 29;
    private const int EfdNonblockCloexec = 0x80800;
    private const long Forever = long.MaxValue;

    /// <summary>So many callbacks run before descriptors are looked at again, so that neither starves the other.</summary>
    private const int CallbacksPerRound = 256;

    /// <summary>On a single CPU nothing can happen while a thread looks for it.</summary>
    private static readonly bool s_hasOtherCpus = Environment.ProcessorCount > 1;

    private readonly Lock _gate = new();
    private readonly PriorityQueue<Work, (long Due, long Sequence)> _timers = new();
    private readonly ConcurrentQueue<Work> _ready = new();
    private readonly Action<Exception>? _onFault;
    private readonly Thread _thread;
    private readonly SafeFileHandle _wakeFd;
    private readonly long _spinNanoseconds;
    private long _sequence;
    private long _spinUntil;
    private long _sleepsUntil;
    private int _stopping;

    /// <summary>Starts a loop.</summary>
    /// <param name="name">The thread's name, of which the kernel shows 15 characters.</param>
    /// <param name="onFault">Told of what a callback throws; without it a throwing callback ends the process.</param>
    /// <param name="spinNanoseconds">
    /// For so long after something has happened the loop looks for more before it sleeps, giving way to other threads meanwhile. Going to
    /// sleep and being woken costs more than a small request does.
    /// </param>
    public EventLoop(string name, Action<Exception>? onFault = null, long spinNanoseconds = 0)
    {
        _spinNanoseconds = spinNanoseconds;
        _onFault = onFault;
        int fd = Libc.EventFd(0, EfdNonblockCloexec);
        if (fd < 0)
        {
            throw new Win32Exception((int)Libc.LastErrno, "eventfd failed");
        }

        _wakeFd = new SafeFileHandle(fd, ownsHandle: true);
        _epoll.Add(_wakeFd, WakeData, writable: false);
        _standBy.Add(_wakeFd, WakeData, writable: false);
        _guestsEpoll = new Epoll(_epoll);
        _context = new LoopContext(this);

        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <inheritdoc/>
    public long NowNanoseconds => MonotonicClock.NowNanoseconds;

    /// <inheritdoc/>
    public TimeProvider Time => TimeProvider.System;

    /// <inheritdoc/>
    public void Post(Action<object?> callback, object? state)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _stopping) != 0, this);
        Enqueue(callback, state);
    }

    /// <summary>Posts what goes on after an await; a loop that has ended drops it, as it drops what is still queued.</summary>
    internal void PostUnlessStopped(Action<object?> callback, object? state)
    {
        if (Volatile.Read(ref _stopping) == 0)
        {
            Enqueue(callback, state);
        }
    }

    /// <inheritdoc/>
    public void PostAt(long dueNanoseconds, Action<object?> callback, object? state)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _stopping) != 0, this);
        lock (_gate)
        {
            _timers.Enqueue(new Work(callback, state), (dueNanoseconds, _sequence++));
        }

        Interlocked.MemoryBarrier();
        if (dueNanoseconds < Volatile.Read(ref _sleepsUntil))
        {
            Wake();
        }
    }

    /// <inheritdoc/>
    public void ExpectWithin(long nanoseconds)
    {
        if (s_hasOtherCpus)
        {
            Volatile.Write(ref _spinUntil, Math.Max(Volatile.Read(ref _spinUntil), NowNanoseconds + nanoseconds));
        }
    }

    /// <summary>Stops the loop after the callback that runs now, and waits for it unless called from it. What is still queued is dropped.</summary>
    /// <exception cref="InvalidOperationException">The calling thread has entered the loop and not left it.</exception>
    public void Dispose()
    {
        bool isOwnThread = Thread.CurrentThread == _thread;
        if (IsCurrent && !isOwnThread)
        {
            throw new InvalidOperationException("Leave the loop before you stop it: its thread waits for whoever is inside.");
        }

        if (Interlocked.Exchange(ref _stopping, 1) != 0)
        {
            return;
        }

        Wake();
        if (!isOwnThread)
        {
            _thread.Join();
        }

        // Whoever is still inside may watch or wake.
        lock (_turn)
        {
            _wakeFd.Dispose();
            _epoll.Dispose();
            _standBy.Dispose();
        }
    }

    private void Enqueue(Action<object?> callback, object? state)
    {
        _ready.Enqueue(new Work(callback, state));
        if (IsCurrent)
        {
            // Whoever is the loop looks at the queue before its turn ends.
            return;
        }

        // The loop publishes how long it sleeps before it looks at the queue a last time; the fence makes one of the two see the other.
        Interlocked.MemoryBarrier();
        WakeIfAsleep();
    }

    private void WakeIfAsleep()
    {
        // One of those who post while it sleeps wakes it; what the others post is there when it looks.
        if (Volatile.Read(ref _sleepsUntil) != 0 && Interlocked.Exchange(ref _sleepsUntil, 0) != 0)
        {
            Wake();
        }
    }

    private void Run()
    {
        _ = Libc.Prctl(PrSetTimerSlack, 1, 0, 0, 0);
        SynchronizationContext.SetSynchronizationContext(_context);
        while (Volatile.Read(ref _stopping) == 0)
        {
            if (!RunReady() && !Spin())
            {
                Sleep();
            }
            else if (Volatile.Read(ref _watched) > 0 && !IsAttended)
            {
                RunHandlers(_epoll.Wait(0));
            }
        }
    }

    /// <summary>Looks for more instead of sleeping; returns false when it has been in vain for long enough.</summary>
    private bool Spin()
    {
        while (Volatile.Read(ref _spinUntil) > 0 && !IsAttended)
        {
            int happened = _epoll.Wait(0);
            long now = NowNanoseconds;
            if (happened > 0 || !_ready.IsEmpty)
            {
                SpinAfter(now);
                RunHandlers(happened);
                return true;
            }

            if (now >= Volatile.Read(ref _spinUntil) || NextDue() <= now)
            {
                return false;
            }

            Thread.Yield();
        }

        return false;
    }

    private void SpinAfter(long now)
    {
        if (_spinNanoseconds > 0 && now + _spinNanoseconds > Volatile.Read(ref _spinUntil))
        {
            Volatile.Write(ref _spinUntil, now + _spinNanoseconds);
        }
    }

    /// <summary>Runs what is ready; returns whether there may be more.</summary>
    private bool RunReady()
    {
        if (_ready.IsEmpty && NextDue() > NowNanoseconds)
        {
            return false;
        }

        BeginTurn();
        try
        {
            int budget = RunQueue(CallbacksPerRound);
            while (budget > 0 && TryTakeDue(out Work work))
            {
                Invoke(work);
                budget--;
            }

            // What those have queued themselves is looked at before the loop sleeps.
            return budget == 0;
        }
        finally
        {
            EndTurn();
        }
    }

    private bool TryTakeDue(out Work work)
    {
        lock (_gate)
        {
            if (_timers.TryPeek(out work, out (long Due, long Sequence) next) && next.Due <= NowNanoseconds)
            {
                _timers.Dequeue();
                return true;
            }
        }

        return false;
    }

    private void Sleep()
    {
        long until = NextDue();
        Volatile.Write(ref _sleepsUntil, until);
        Interlocked.MemoryBarrier();
        int happened = 0;
        // What came between looking and publishing is seen here; what comes later finds the time published and wakes the loop.
        if (_ready.IsEmpty && NextDue() == until && Volatile.Read(ref _stopping) == 0)
        {
            happened = IsAttended ? StandBy(until) : _epoll.Wait(until == Forever ? -1 : Math.Max(0, until - NowNanoseconds));
        }

        Volatile.Write(ref _sleepsUntil, 0);
        if (happened > 0)
        {
            SpinAfter(NowNanoseconds);
        }

        RunHandlers(happened);
    }

    private long NextDue()
    {
        lock (_gate)
        {
            return _timers.TryPeek(out _, out (long Due, long Sequence) next) ? next.Due : Forever;
        }
    }

    private unsafe void Wake()
    {
        ulong one = 1;
        if (Libc.Write(_wakeFd, &one, sizeof(ulong)) < 0 && Libc.LastErrno != Errno.EAGAIN)
        {
            throw new Win32Exception((int)Libc.LastErrno, "waking a loop failed");
        }
    }

    private void Invoke(Work work)
    {
        try
        {
            work.Callback(work.State);
        }
#pragma warning disable CA1031 // A loop outlives its callbacks' bugs where its owner asked to be told of them.
        catch (Exception exception) when (_onFault is not null)
#pragma warning restore CA1031
        {
            _onFault(exception);
        }
    }

    private readonly record struct Work(Action<object?> Callback, object? State);
}
