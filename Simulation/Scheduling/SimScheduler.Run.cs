using System.Text;
using Harness.Simulation.Chance;

namespace Harness.Simulation.Scheduling;

public sealed partial class SimScheduler
{
    const int LivelockEventsShown = 24;

    bool running;
    long runLimit;
    Func<bool>? runReached;
    int eventsAtThisInstant;

    /// <summary>Runs until no event is left.</summary>
    /// <exception cref="DeadlockException">Nothing is left to happen, and somebody other than a service still waits.</exception>
    /// <exception cref="LivelockException">Events go on without virtual time moving.</exception>
    /// <exception cref="ForeignThreadException">Another thread has touched this world.</exception>
    public void RunUntilIdle()
    {
        RunEvents(long.MaxValue, null);
        IReadOnlyList<Wait> waits = Waits.Snapshot();
        if (waits.Any(wait => !wait.IsService))
        {
            throw new DeadlockException(WaitRegistry.Describe(NoEventLeft, waits), waits);
        }
    }

    /// <summary>Runs all events up to and including <paramref name="nanoseconds"/>, and moves the clock there.</summary>
    /// <remarks>Does not call a lack of events a deadlock, since the caller is about to do something at that time.</remarks>
    /// <exception cref="LivelockException">Events go on without virtual time moving.</exception>
    /// <exception cref="ForeignThreadException">Another thread has touched this world.</exception>
    public void RunUntil(long nanoseconds)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(nanoseconds, NowNanoseconds);
        RunEvents(nanoseconds, null);
        NowNanoseconds = nanoseconds;
    }

    /// <summary>Runs until <paramref name="reached"/>, asked after every event, is true.</summary>
    /// <param name="reached">Looks, and changes nothing.</param>
    /// <param name="what">Names the condition, for the report.</param>
    /// <param name="deadlineNanoseconds">
    /// The virtual time to give up at. A world with a heartbeat in it never runs out of events, so only a deadline finds what is stuck
    /// there.
    /// </param>
    /// <exception cref="DeadlockException">Nothing is left to happen or the deadline has passed, and the condition is still
    /// false.</exception>
    /// <exception cref="LivelockException">Events go on without virtual time moving.</exception>
    /// <exception cref="ForeignThreadException">Another thread has touched this world.</exception>
    public void RunUntil(Func<bool> reached, string what, long deadlineNanoseconds = long.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(reached);
        if (reached() || RunEvents(deadlineNanoseconds, reached))
        {
            return;
        }
        if (queue.Count > 0)
        {
            NowNanoseconds = Math.Max(NowNanoseconds, deadlineNanoseconds);
        }
        IReadOnlyList<Wait> waits = [new Wait("the experimenter", what, null, false), .. Waits.Snapshot()];
        string happened = queue.Count == 0 ? NoEventLeft : $"The deadline of {deadlineNanoseconds:N0} ns of virtual time has passed";
        throw new DeadlockException(WaitRegistry.Describe(happened, waits), waits);
    }

    /// <summary>
    /// Runs a function on <see cref="Main"/> and everything that follows from it, until its task has ended; returns the result.
    /// </summary>
    /// <param name="body">The experiment.</param>
    /// <param name="deadlineNanoseconds">The virtual time to give up at.</param>
    /// <exception cref="DeadlockException">Nothing is left to happen or the deadline has passed, and the task has not ended.</exception>
    public T Run<T>(Func<Task<T>> body, long deadlineNanoseconds = long.MaxValue)
    {
        Task<T>? task = null;
        Run(() => task = body(), deadlineNanoseconds);
        return task!.Result;
    }

    /// <summary>Runs an action on <see cref="Main"/> and everything that follows from it, until its task has ended.</summary>
    /// <inheritdoc cref="Run{T}"/>
    public void Run(Func<Task> body, long deadlineNanoseconds = long.MaxValue)
    {
        Task? task = null;
        Main.Post(_ => task = body(), null);
        RunUntil(() => task is { IsCompleted: true }, "the end of the experiment", deadlineNanoseconds);
        task!.GetAwaiter().GetResult();
    }

    string NoEventLeft => $"Deadlock at {NowNanoseconds:N0} ns of virtual time: no event is left";

    /// <summary>Runs events up to <paramref name="limit"/>; returns whether <paramref name="reached"/> ended it.</summary>
    bool RunEvents(long limit, Func<bool>? reached)
    {
        RefuseForeignThread();
        if (running)
        {
            throw new InvalidOperationException("The scheduler runs already; an event cannot run it again. Await what you wait for.");
        }
        SynchronizationContext? outside = SynchronizationContext.Current;
        running = true;
        (runLimit, runReached) = (limit, reached);

        // Code on no loop is resumed inline: a context of the caller's, such as a test runner's, would send it to other threads.
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            while (queue.TryPeek(out EventKey key) && key.Due <= limit)
            {
                RunEvent(key);
                if (reached is not null && reached())
                {
                    return true;
                }
            }
            ThrowIntrusion();
            return false;
        }
        finally
        {
            running = false;
            runReached = null;
            CurrentLoop = null;
            Charged = 0;
            SynchronizationContext.SetSynchronizationContext(outside);
        }
    }

    void RunEvent(in EventKey key)
    {
        if (key.Due > NowNanoseconds)
        {
            NowNanoseconds = key.Due;
            eventsAtThisInstant = 0;
        }
        else if (++eventsAtThisInstant >= options.EventsAtOneInstantMax)
        {
            ThrowLivelock();
        }
        Event what = queue.Pop(key);
        Count(key.Due, key.Tie, what.Kind, what.Payload);
        if (what.Kind is EventKind.LoopPost or EventKind.LoopPostAt)
        {
            what.Owner!.Enqueue(what.Callback!, what.State);
        }
        else
        {
            ((Action<object?>)what.Callback!)(what.State);
        }
        ThrowIntrusion();
    }

    /// <summary>
    /// If an event that an event's code is about to wait for would be the next one, moves the clock there and counts it as run: the code goes on
    /// without having been suspended, and everything is as if it had been.
    /// </summary>
    internal bool TryRunAhead(long due, EventKind kind, ulong payload)
    {
        bool isNext = running && !tiesBySeed && due > NowNanoseconds && due <= runLimit && !(queue.TryPeek(out EventKey first) && first.Due <= due);
        if (!isNext || Volatile.Read(ref intrusion) is not null || (runReached is not null && runReached()))
        {
            return false;
        }
        NowNanoseconds = due;
        eventsAtThisInstant = 0;
        Count(due, ++sequence, kind, payload);
        return true;
    }

    void Count(long due, ulong tie, EventKind kind, ulong payload)
    {
        ulong hash = StableHash.Fold(TraceHash, (ulong)due);
        hash = StableHash.Fold(hash, tie);
        TraceHash = StableHash.Fold(hash, ((ulong)kind << 48) ^ payload);
        EventsRun++;
    }

    void ThrowIntrusion()
    {
        if (Volatile.Read(ref intrusion) is { } refused)
        {
            Throw(refused);
        }
    }

    void ThrowLivelock()
    {
        var text = new StringBuilder();
        text.Append($"Livelock at {NowNanoseconds:N0} ns of virtual time: {eventsAtThisInstant:N0} events in a row have not moved it on. ");
        text.Append("Something retries at once for ever; let it wait, or charge it for its work. The next events are:");
        for (int i = 0; i < LivelockEventsShown && queue.TryPeek(out EventKey key) && key.Due == NowNanoseconds; i++)
        {
            Event what = queue.Pop(key);
            text.Append($"{Environment.NewLine}  {what.Kind} {what.Payload} {what.Owner?.Name ?? what.State?.ToString()}");
            if (what.Kind is EventKind.LoopPost or EventKind.LoopPostAt)
            {
                what.Owner!.Enqueue(what.Callback!, what.State);
            }
            else
            {
                ((Action<object?>)what.Callback!)(what.State);
            }
        }
        throw new LivelockException(text.ToString());
    }
}
