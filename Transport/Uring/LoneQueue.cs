namespace Harness.Transport.Uring;

/// <summary>
/// Knows whether one of a channel's queues alone is in use, by one request after another. Its thread and the application then share a CPU and
/// run in turn, and the threads of the other queues keep their CPUs awake (<see cref="Window"/>).
/// </summary>
/// <remarks>
/// When the reply wakes the application, the kernel looks for an idle CPU, finds one, and sends the application there: for each request it
/// wakes a CPU that sleeps, which costs more than the request. If no CPU is idle the application stays where it was. One 4K reader in a
/// virtual machine of 2 CPUs: 30–47 K IOPS without, 76–93 K with it, as many as where the application was pinned (bare C; docs/performance.md).
/// Where there are many CPUs one of them is always idle, and keeping them all awake would cost too much: <see cref="CpusMax"/>.
/// </remarks>
internal sealed class LoneQueue
{
    /// <summary>On how many CPUs it is worth while.</summary>
    public const int CpusMax = 4;

    // A request now and then says nothing about the next one.
    private const int StreakToBegin = 16;

    // A thread that stopped because somebody else wanted its CPU is asked again after as many requests, about once a second.
    private const int StreakToAskAgain = 1 << 16;

    private readonly long _windowNanos;
    private int _qid = -1;
    private int _streak;
    private long _last;

    /// <summary>A channel none of whose queues is in use.</summary>
    /// <param name="window">How long after a request the next one is expected.</param>
    public LoneQueue(TimeSpan window)
    {
        Window = window;
        _windowNanos = (long)window.TotalNanoseconds;
    }

    /// <summary>How long after a request the next one is expected, and CPUs are kept awake for it.</summary>
    public TimeSpan Window { get; }

    /// <summary>Counts the requests in a row that were alone; it changes with each.</summary>
    public int Streak => Volatile.Read(ref _streak);

    /// <summary>Takes note of a pass. Called by each queue's thread; that two may do so at once makes at most one streak too short.</summary>
    /// <returns>Whether the other queues' threads are to be woken, to keep their CPUs awake.</returns>
    public bool Note(int qid, int requests, long nowNanos)
    {
        bool goesOn = requests == 1 && Volatile.Read(ref _qid) == qid && nowNanos - _last < _windowNanos;
        _last = nowNanos;
        if (!goesOn)
        {
            Volatile.Write(ref _qid, qid);
            Volatile.Write(ref _streak, 0);
            return false;
        }

        int streak = _streak + 1;
        Volatile.Write(ref _streak, streak);
        return streak % StreakToAskAgain == StreakToBegin;
    }

    /// <summary>Whether another queue alone is in use.</summary>
    public bool IsAnother(int qid) => Volatile.Read(ref _qid) != qid && Streak >= StreakToBegin;
}
