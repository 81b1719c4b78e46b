using Harness.Runtime.Native;

namespace Harness.Runtime;

/// <content>
/// Attending. A thread that waits for an answer and has nothing else to do looks for it itself. The loop's own thread stands by meanwhile: it runs
/// what is posted and what is due, and takes the descriptors back when nobody has looked at them for as long as something was expected.
/// </content>
public sealed partial class EventLoop
{
    private readonly Epoll _standBy = new();
    private readonly Epoll _guestsEpoll;
    private int _attendant;
    private long _attendedUntil;
    private int _standing;

    private bool IsAttended => Volatile.Read(ref _attendant) != 0 && NowNanoseconds < Volatile.Read(ref _attendedUntil);

    /// <inheritdoc/>
    public bool TryAttend()
    {
        int thread = Environment.CurrentManagedThreadId;
        int attendant = Volatile.Read(ref _attendant);
        long now = NowNanoseconds;
        if (now >= Volatile.Read(ref _spinUntil) || Volatile.Read(ref _stopping) != 0)
        {
            if (attendant == thread)
            {
                EndAttend();
            }

            return false;
        }

        bool isFree = attendant == 0 || now >= Volatile.Read(ref _attendedUntil);
        return attendant == thread || (isFree && Interlocked.CompareExchange(ref _attendant, thread, attendant) == attendant);
    }

    /// <inheritdoc/>
    public bool Attend()
    {
        long until = Volatile.Read(ref _spinUntil);
        if (NowNanoseconds >= until || Volatile.Read(ref _stopping) != 0)
        {
            return false;
        }

        Volatile.Write(ref _attendedUntil, until);
        if (!Look())
        {
            Thread.Yield();
        }

        return true;
    }

    /// <inheritdoc/>
    public void EndAttend()
    {
        Volatile.Write(ref _attendant, 0);
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _standing) != 0 && Interlocked.Exchange(ref _standing, 0) != 0)
        {
            Wake();
        }
    }

    /// <summary>Runs what has happened, as a guest; returns whether something had.</summary>
    private bool Look()
    {
        // What is posted belongs to the loop's own thread, which has been woken for it.
        if (!TryEnter())
        {
            return false;
        }

        int happened = 0;
        try
        {
            happened = _guestsEpoll.Wait(0);
            RunHandlers(_guestsEpoll, happened);
        }
        finally
        {
            Leave();
        }

        return happened > 0;
    }

    /// <summary>Sleeps until something is posted or due, or whoever attends has gone.</summary>
    private int StandBy(long until)
    {
        Volatile.Write(ref _standing, 1);
        Interlocked.MemoryBarrier();
        if (IsAttended)
        {
            long end = Math.Min(until, Volatile.Read(ref _attendedUntil));
            if (_standBy.Wait(Math.Max(0, end - NowNanoseconds)) > 0)
            {
                DrainWake();
            }
        }

        Volatile.Write(ref _standing, 0);
        return 0;
    }
}
