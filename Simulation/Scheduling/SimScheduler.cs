using System.Diagnostics.CodeAnalysis;
using Harness.Simulation.Chance;

namespace Harness.Simulation.Scheduling;

/// <summary>
/// Virtual time: a queue of events, a clock that jumps from one to the next, and one real thread that runs them. The same seed and the same
/// code give the same events in the same order, on any machine; <see cref="TraceHash"/> says whether they did.
/// </summary>
/// <remarks>
/// The thread that makes the scheduler is the only one that may touch it or anything that lives in it. Time begins at 0 and counts
/// nanoseconds. Code above the seams does not see this type: it runs on a <see cref="SimLoop"/>, which is a <see cref="TimeProvider"/>
/// and a <see cref="SynchronizationContext"/> besides.
/// </remarks>
public sealed partial class SimScheduler
{
    readonly EventQueue queue;
    readonly SimSchedulerOptions options;
    readonly int ownerThread = Environment.CurrentManagedThreadId;
    readonly bool tiesBySeed;
    readonly ulong tieSeed;
    ulong sequence;
    int loopCount;
    ForeignThreadException? intrusion;

    /// <summary>A world at time 0, owned by the calling thread.</summary>
    public SimScheduler(SimSchedulerOptions? options = null)
    {
        this.options = options ?? new SimSchedulerOptions();
        queue = new EventQueue(this.options.PendingEventsMax);
        Random = new SimRandom(this.options.Seed);
        tiesBySeed = this.options.Ties == TieBreak.Seed;
        tieSeed = Random.Split("order of events at one instant").Seed;
        Main = new SimProcess(this, "experimenter", 0).StartLoop("experimenter");
    }

    /// <summary>Virtual time in nanoseconds since the world began.</summary>
    public long NowNanoseconds { get; private set; }

    /// <summary>
    /// The loop of whoever conducts the experiment: belongs to no simulated machine, keeps perfect time and never crashes.
    /// </summary>
    public SimLoop Main { get; }

    /// <summary>The root of this world's chance. Split it by purpose; drawing from it directly would tie all users together.</summary>
    public SimRandom Random { get; }

    /// <summary>Who waits for what, for the report of a deadlock.</summary>
    public WaitRegistry Waits { get; } = new();

    /// <summary>
    /// A hash over time, order, kind and payload of every event so far: equal for equal runs, in any process on any machine.
    /// </summary>
    public ulong TraceHash { get; private set; }

    /// <summary>How many events have run.</summary>
    public long EventsRun { get; private set; }

    /// <summary>How many events are pending.</summary>
    public int EventsPending => queue.Count;

    /// <summary>How many places events take up, those of cancelled events included that are not yet cleared away.</summary>
    internal int EventKeysHeld => queue.KeysHeld;

    internal DateTimeOffset Epoch => options.Epoch;

    /// <summary>The loop whose callback runs now.</summary>
    internal SimLoop? CurrentLoop { get; set; }

    /// <summary>CPU time, in nanoseconds, that the code now running was charged and has not yet spent.</summary>
    internal long Charged { get; set; }

    /// <summary>A new simulated process, in its first incarnation.</summary>
    public SimProcess StartProcess(string name) => new(this, name, 1);

    /// <summary>
    /// Schedules a bare event: <paramref name="callback"/> runs at <paramref name="dueNanoseconds"/>, on no loop. For the machinery of
    /// simulated things; whatever belongs to a simulated process goes through its loop, so that it is lost when the process crashes.
    /// </summary>
    /// <param name="dueNanoseconds">Virtual time; a time that has passed means now.</param>
    /// <param name="kind">What the event is about.</param>
    /// <param name="payload">A number that tells it from others of its kind, such as an id. Kind and payload go into the trace
    /// hash.</param>
    /// <param name="callback">What to do. An exception that it throws ends the run.</param>
    /// <param name="state">Passed to <paramref name="callback"/>.</param>
    /// <exception cref="ForeignThreadException">The caller is not the scheduler's thread.</exception>
    public EventHandle Schedule(long dueNanoseconds, EventKind kind, ulong payload, Action<object?> callback, object? state)
    {
        ArgumentNullException.ThrowIfNull(callback);
        RefuseForeignThread();
        return Add(dueNanoseconds, new Event { Callback = callback, State = state, Kind = kind, Payload = payload });
    }

    /// <summary>Takes back an event that has not run yet. Returns false if it has run or was cancelled already.</summary>
    public bool Cancel(EventHandle handle)
    {
        RefuseForeignThread();
        return queue.Cancel(handle);
    }

    /// <summary>Folds something that happened within an event into <see cref="TraceHash"/>, such as the bytes of a message.</summary>
    public void Trace(ulong word) => TraceHash = StableHash.Fold(TraceHash, word);

    /// <summary>Adds an event whose order among those of its instant, if the seed decides it, is its own.</summary>
    internal EventHandle Add(long due, in Event what) => Add(due, what, sequence);

    /// <summary>Adds an event that keeps its order among those of its instant with the same <paramref name="tieGroup"/>.</summary>
    internal EventHandle Add(long due, in Event what, ulong tieGroup)
    {
        due = Math.Max(due, NowNanoseconds);
        ulong order = ++sequence;
        if (!tiesBySeed)
        {
            return queue.Push(due, order, what, isReady: due == NowNanoseconds);
        }

        // 32 bits of permutation, then 32 bits of sequence, which keep the order within a group and settle the rare collision.
        ulong drawn = StableHash.Mix(tieSeed ^ (ulong)due, tieGroup) << 32;
        return queue.Push(due, drawn | (uint)order, what, isReady: false);
    }

    /// <summary>
    /// Whether a post must travel as an event of its own, so that the seed decides when it arrives among those of its instant.
    /// </summary>
    internal bool ShufflesTies => tiesBySeed;

    internal int NextLoopId() => ++loopCount;

    /// <summary>Takes what the code that has just run was charged.</summary>
    internal long TakeCharge()
    {
        long charged = Charged;
        Charged = 0;
        return charged;
    }

    internal bool IsOwnThread => Environment.CurrentManagedThreadId == ownerThread;

    internal void RefuseForeignThread()
    {
        if (!IsOwnThread)
        {
            throw NoteIntrusion();
        }
    }

    /// <summary>
    /// Remembers a foreign thread's call, which the simulation's own thread then throws at its next event: whoever called may swallow the
    /// exception, and one thrown at a continuation would bring down the process.
    /// </summary>
    internal ForeignThreadException NoteIntrusion()
    {
        var refused = new ForeignThreadException(
            $"Thread {Environment.CurrentManagedThreadId} has called into the simulation of thread {ownerThread}, so the run would no "
            + "longer follow from its seed. Something has left its loop: Task.Run, ConfigureAwait(false), a real timer, or a channel or "
            + $"semaphore that completes on the thread pool. It came from:{Environment.NewLine}{Environment.StackTrace}");
        Interlocked.CompareExchange(ref intrusion, refused, null);
        return refused;
    }

    [DoesNotReturn]
    static void Throw(Exception exception) => throw exception;
}
