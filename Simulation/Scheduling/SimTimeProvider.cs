namespace Harness.Simulation.Scheduling;

/// <summary>
/// A loop's clock as the framework's: <c>Task.Delay</c>, <c>PeriodicTimer</c> and timed cancellation under it stay on the loop.
/// </summary>
sealed class SimTimeProvider(SimLoop loop) : TimeProvider
{
    public override long TimestampFrequency => 1_000_000_000;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long GetTimestamp() => loop.NowNanoseconds;

    public override DateTimeOffset GetUtcNow() => loop.WallClock;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new SimTimer(loop, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }
}

/// <summary>
/// A timer whose callback runs in the loop's queue: never early, late by as much as the loop is busy, never twice at a time.
/// </summary>
sealed class SimTimer(SimLoop loop, TimerCallback callback, object? state) : ITimer
{
    /// <summary>The framework's own limit, so that code which works here works there.</summary>
    static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(0xFFFFFFFE);

    static readonly Action<object?> Due = static timer => ((SimTimer)timer!).OnDue();
    static readonly Action<object?> Fire = static timer => ((SimTimer)timer!).OnFire();

    EventHandle pending;
    long dueNanoseconds;
    long periodNanoseconds;
    bool disposed;

    /// <summary>Whether the callback waits in the loop's queue.</summary>
    bool isQueued;

    /// <summary>How many callbacks wait in the queue that a later <see cref="Change"/> or <see cref="Dispose"/> has made void.</summary>
    int voided;

    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        Validate(dueTime);
        Validate(period);
        loop.Scheduler.RefuseForeignThread();
        if (disposed)
        {
            return false;
        }
        Disarm();
        if (dueTime != Timeout.InfiniteTimeSpan && !loop.IsStopped)
        {
            periodNanoseconds = period == Timeout.InfiniteTimeSpan ? 0 : period.Ticks * TimeSpan.NanosecondsPerTick;
            Arm(loop.NowNanoseconds + dueTime.Ticks * TimeSpan.NanosecondsPerTick);
        }
        return true;
    }

    public void Dispose()
    {
        loop.Scheduler.RefuseForeignThread();
        disposed = true;
        Disarm();
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    void Arm(long due)
    {
        dueNanoseconds = due;
        var what = new Event { Callback = Due, State = this, Owner = loop, Payload = (ulong)loop.Id, Kind = EventKind.Timer };
        pending = loop.Scheduler.Add(loop.ToWorld(due), what);
    }

    void Disarm()
    {
        loop.Scheduler.Cancel(pending);
        pending = default;
        if (isQueued)
        {
            isQueued = false;
            voided++;
        }
    }

    void OnDue()
    {
        isQueued = true;
        loop.Enqueue(Fire, this);
    }

    void OnFire()
    {
        if (voided > 0)
        {
            voided--;
            return;
        }
        isQueued = false;
        if (periodNanoseconds > 0)
        {
            // The next point of the grid that lies ahead: a busy loop loses ticks and does not make up for them in a burst.
            long missed = (loop.NowNanoseconds - dueNanoseconds) / periodNanoseconds;
            Arm(dueNanoseconds + (missed + 1) * periodNanoseconds);
        }
        callback(state);
    }

    static void Validate(TimeSpan time)
    {
        if (time != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(time, Longest);
        }
    }
}
