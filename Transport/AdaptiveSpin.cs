using Harness.Runtime;
using Harness.Runtime.Native;

namespace Harness.Transport;

/// <summary>
/// Decides whether a thread that has nothing to do asks again for a while before it sleeps. It does where that was worth it lately: each time
/// the window passes in vain the next tries are left out, twice as many as the time before; the first that succeeds ends that.
/// </summary>
/// <remarks>
/// Sleep and wake-up of an idle CPU cost more than a request: one 4K direct reader with the daemon on the other CPU of a virtual machine went from
/// 14–21 K to 47–64 K IOPS with it. Between two looks the thread yields, so that whoever else is to run on its CPU does. For one thread.
/// </remarks>
/// <param name="window">How long to ask; 0 for never.</param>
/// <param name="turn">Shared by the threads of which one at a time spins.</param>
/// <param name="onlyIdle">
/// Whether it pays only where the CPU would be idle otherwise. It does not pay a reader of the device where others want the CPU, since the
/// requests that they make meanwhile are then read one by one and not together (two threads, four jobs: 72–108 K against 87–117 K IOPS). It
/// does pay a ring, whose wake-up costs more than that (libaio depth 32 on the ring's own CPU: 161–189 K against 103–116 K).
/// </param>
internal struct AdaptiveSpin(TimeSpan window, SpinTurn turn, bool onlyIdle)
{
    // A yield that takes longer than this has let somebody else run. The call itself takes a quarter of a microsecond.
    private const long YieldNanosMax = 4_000;

    // A load that never succeeds pays for one window in so many waits: at the default window and 10 µs a request, half a per cent.
    private const int LeftOutMax = 1023;

    private readonly long _windowNanos = (long)window.TotalNanoseconds;
    private readonly SpinTurn _turn = turn;
    private readonly bool _onlyIdle = onlyIdle;
    private long _deadline;
    private long _last;
    private bool _crowded;
    private int _toLeaveOut;
    private int _leftOut;

    /// <summary>Begins to wait. If the answer is yes, the wait ends with <see cref="End"/>.</summary>
    public bool TryBegin()
    {
        if (_leftOut > 0)
        {
            _leftOut--;
            return false;
        }

        _deadline = 0;
        _crowded = false;
        return _windowNanos > 0 && _turn.TryTake();
    }

    /// <summary>Lets others run. The first call starts the clock, so that a wait which finds work at once does not read it.</summary>
    /// <returns>False once the window has passed.</returns>
    public bool Continue()
    {
        if (!Continue(MonotonicClock.NowNanoseconds))
        {
            return false;
        }

        _ = Libc.SchedYield();
        return true;
    }

    /// <summary>As <see cref="Continue()"/>, and the caller lets others run: for threads whose clock is another one.</summary>
    public bool Continue(long now)
    {
        if (_deadline == 0)
        {
            _deadline = now + _windowNanos;
        }
        else if (now >= _deadline)
        {
            return false;
        }
        else
        {
            _crowded |= now - _last > YieldNanosMax;
        }

        _last = now;
        return true;
    }

    /// <summary>Ends the wait.</summary>
    public void End(bool foundWork)
    {
        _turn.GiveBack();
        bool paid = foundWork && !(_onlyIdle && _crowded);
        _toLeaveOut = paid ? 0 : Math.Min((2 * _toLeaveOut) + 1, LeftOutMax);
        _leftOut = _toLeaveOut;
    }
}
