using Harness.Runtime;
using Harness.Simulation.Chance;

namespace Harness.Simulation.Scheduling;

/// <summary>
/// The simulated side of <see cref="ILoop"/>: one run queue and one clock, of one process and CPU, in the world of a
/// <see cref="SimScheduler"/>. It stands for one incarnation: after a crash the process starts new loops, and this one stays silent.
/// </summary>
/// <remarks>
/// By itself a loop takes no time. It is as slow as it is charged to be: see <see cref="Charge"/>. A loop that a simulated thread serves
/// also competes for its CPU with whatever else runs there.
/// </remarks>
public sealed class SimLoop : ILoop
{
    static readonly Action<object?> RunNextCallback = static state => ((SimLoop)state!).RunNextByItself();

    readonly SimScheduler scheduler;
    readonly SimLoopContext context;
    readonly Queue<(Delegate Callback, object? State)> queue = new();
    LoopClock clock;
    ILoopServer? server;
    bool runIsScheduled;
    long busyUntil;

    internal SimLoop(SimScheduler scheduler, SimProcess process, string name, LoopClock clock)
    {
        this.scheduler = scheduler;
        this.clock = clock;
        Process = process;
        Name = name;
        Id = scheduler.NextLoopId();
        context = new SimLoopContext(this);
        Time = new SimTimeProvider(this);
    }

    /// <summary>The loop's name in reports.</summary>
    public string Name { get; }

    /// <summary>The process it belongs to.</summary>
    public SimProcess Process { get; }

    /// <summary>The loop's number among all loops of its world, in order of creation.</summary>
    public int Id { get; }

    /// <summary>Whether the process has crashed.</summary>
    public bool IsStopped { get; private set; }

    /// <inheritdoc/>
    public long NowNanoseconds => clock.FromWorld(scheduler.NowNanoseconds);

    /// <inheritdoc/>
    public TimeProvider Time { get; }

    /// <inheritdoc/>
    public bool IsCurrent => scheduler.CurrentLoop == this && scheduler.IsOwnThread;

    /// <summary>
    /// The world's time at which everything charged so far to the callback that runs now is done, unless its CPU is taken away meanwhile. A
    /// seam that sends something out of this loop sends it at that time.
    /// </summary>
    public long ChargedUntilWorldNanoseconds => scheduler.NowNanoseconds + scheduler.Charged;

    /// <summary>How many callbacks wait to run.</summary>
    public int QueueLength => queue.Count;

    internal SimScheduler Scheduler => scheduler;

    internal DateTimeOffset WallClock =>
        scheduler.Epoch + clock.WallOffset + TimeSpan.FromTicks(NowNanoseconds / TimeSpan.NanosecondsPerTick);

    /// <inheritdoc/>
    /// <exception cref="ForeignThreadException">The caller is not the simulation's thread.</exception>
    /// <remarks>
    /// What a callback posts to another loop leaves when the callback's charge has been spent, since a real thread would post after its
    /// work.
    /// </remarks>
    public void Post(Action<object?> callback, object? state)
    {
        ArgumentNullException.ThrowIfNull(callback);
        scheduler.RefuseForeignThread();
        ObjectDisposedException.ThrowIf(IsStopped, this);
        Deliver(callback, state);
    }

    /// <inheritdoc/>
    /// <exception cref="ForeignThreadException">The caller is not the simulation's thread.</exception>
    public void PostAt(long dueNanoseconds, Action<object?> callback, object? state)
    {
        ArgumentNullException.ThrowIfNull(callback);
        scheduler.RefuseForeignThread();
        ObjectDisposedException.ThrowIf(IsStopped, this);
        var what = new Event { Callback = callback, State = state, Owner = this, Payload = (ulong)Id, Kind = EventKind.LoopPostAt };
        scheduler.Add(clock.ToWorld(dueNanoseconds), what);
    }

    /// <summary>
    /// Charges the callback that runs now with CPU time: the loop is busy for so long once the callback has returned, and runs nothing else
    /// meanwhile.
    /// </summary>
    /// <param name="nanoseconds">Not negative. Charges of one callback add up.</param>
    /// <exception cref="InvalidOperationException">No callback of this loop runs now.</exception>
    public void Charge(long nanoseconds)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(nanoseconds);
        if (!IsCurrent)
        {
            throw new InvalidOperationException(
                $"Loop '{Name}' is charged for work while none of its callbacks runs. Charge the loop that does the work.");
        }
        scheduler.Charged += nanoseconds;
    }

    /// <summary>
    /// A fault: sets the wall clock, which <see cref="TimeProvider.GetUtcNow"/> shows, forward or back. Timers do not notice.
    /// </summary>
    public void StepWallClock(TimeSpan step) => clock = clock with { WallOffset = clock.WallOffset + step };

    /// <inheritdoc/>
    public override string ToString() => $"loop '{Name}'";

    /// <summary>The world's time at which this loop's clock shows <paramref name="localNanoseconds"/>.</summary>
    internal long ToWorld(long localNanoseconds) => clock.ToWorld(localNanoseconds);

    /// <summary>From now on <paramref name="loopServer"/> runs the callbacks, and the loop no longer runs by itself.</summary>
    internal void ServeBy(ILoopServer loopServer)
    {
        DemandUnserved();
        server = loopServer;
    }

    internal void DemandUnserved()
    {
        if (server is not null || runIsScheduled)
        {
            throw new InvalidOperationException(
                $"Loop '{Name}' is being served already. Give it one thread, before anything is posted to it.");
        }
    }

    /// <summary>A continuation of the loop's own code. Those of a crashed process are dropped.</summary>
    internal void PostContinuation(SendOrPostCallback callback, object? state)
    {
        if (!scheduler.IsOwnThread)
        {
            scheduler.NoteIntrusion();
        }
        else if (!IsStopped)
        {
            Deliver(callback, state);
        }
    }

    /// <summary>Puts a callback into the queue, now.</summary>
    internal void Enqueue(Delegate callback, object? state)
    {
        queue.Enqueue((callback, state));
        if (server is not null)
        {
            server.WorkArrived();
        }
        else if (!runIsScheduled)
        {
            ScheduleRun(busyUntil);
        }
    }

    /// <summary>Runs the next callback of the queue, if there is one; returns whether there was.</summary>
    internal bool TryRunNext()
    {
        if (!queue.TryDequeue(out (Delegate Callback, object? State) next))
        {
            return false;
        }
        Run(next.Callback, next.State);
        return true;
    }

    /// <summary>Runs <paramref name="callback"/> as this loop's, at once.</summary>
    internal void Run(Delegate callback, object? state)
    {
        SimLoop? outer = scheduler.CurrentLoop;
        SynchronizationContext? outerContext = SynchronizationContext.Current;
        scheduler.CurrentLoop = this;
        SynchronizationContext.SetSynchronizationContext(context);
        if (callback is Action<object?> action)
        {
            action(state);
        }
        else
        {
            ((SendOrPostCallback)callback)(state);
        }
        scheduler.CurrentLoop = outer;
        SynchronizationContext.SetSynchronizationContext(outerContext);
    }

    internal void Stop()
    {
        IsStopped = true;
        queue.Clear();
        server?.Stop();
    }

    void Deliver(Delegate callback, object? state)
    {
        SimLoop? origin = scheduler.CurrentLoop;
        if (origin == this)
        {
            Enqueue(callback, state);
            return;
        }
        server?.ChargeForWaking();
        if (scheduler.Charged == 0 && !scheduler.ShufflesTies)
        {
            Enqueue(callback, state);
            return;
        }
        ulong pair = StableHash.Mix((ulong)(origin?.Id ?? 0), (ulong)Id);
        var what = new Event { Callback = callback, State = state, Owner = this, Payload = (ulong)Id, Kind = EventKind.LoopPost };
        scheduler.Add(scheduler.NowNanoseconds + scheduler.Charged, what, pair);
    }

    void ScheduleRun(long due)
    {
        runIsScheduled = true;
        var what = new Event { Callback = RunNextCallback, State = this, Owner = this, Payload = (ulong)Id, Kind = EventKind.LoopRun };
        scheduler.Add(due, what);
    }

    void RunNextByItself()
    {
        try
        {
            TryRunNext();
        }
        finally
        {
            // A callback that throws ends the run, not the loop: whoever catches it may run the world on.
            busyUntil = scheduler.NowNanoseconds + scheduler.TakeCharge();
            runIsScheduled = false;
            if (queue.Count > 0)
            {
                ScheduleRun(busyUntil);
            }
        }
    }
}
