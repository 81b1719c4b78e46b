using Harness.Runtime;
using Harness.Runtime.Native;

namespace Harness.Transport.Uring;

/// <summary>Keeps a CPU awake while the queue of another one alone is in use. For one thread and one wait.</summary>
/// <param name="lone">Says which queue is in use.</param>
/// <param name="qid">The queue whose thread watches.</param>
internal struct LoneQueueWatch(LoneQueue lone, int qid)
{
    // A yield that takes longer than this has let another program have the CPU, which is then awake without us. Interrupts take less.
    private const long YieldNanosMax = 100_000;

    private readonly long _windowNanos = (long)lone.Window.TotalNanoseconds;
    private int _streak = lone.Streak;
    private long _deadline;
    private long _last;

    /// <summary>Lets others run.</summary>
    /// <returns>False once the other queue has been silent for the window, or is not alone any more, or somebody else wants this CPU.</returns>
    public bool Continue()
    {
        long now = MonotonicClock.NowNanoseconds;
        int streak = lone.Streak;
        if (_deadline == 0 || streak != _streak)
        {
            _streak = streak;
            _deadline = now + _windowNanos;
        }

        if (now >= _deadline || !lone.IsAnother(qid) || (_last != 0 && now - _last > YieldNanosMax))
        {
            return false;
        }

        _last = now;
        _ = Libc.SchedYield();
        return true;
    }
}
