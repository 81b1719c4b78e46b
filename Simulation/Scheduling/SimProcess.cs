namespace Harness.Simulation.Scheduling;

/// <summary>A simulated process: the loops that live and die together.</summary>
public sealed class SimProcess
{
    readonly SimScheduler scheduler;
    readonly List<SimLoop> loops = [];

    internal SimProcess(SimScheduler scheduler, string name, int incarnation) =>
        (this.scheduler, Name, Incarnation) = (scheduler, name, incarnation);

    /// <summary>The process's name, the same in every incarnation.</summary>
    public string Name { get; }

    /// <summary>1 for the first start, one more for each <see cref="Restart"/>.</summary>
    public int Incarnation { get; }

    /// <summary>Whether it was crashed.</summary>
    public bool IsCrashed { get; private set; }

    /// <summary>Raised once, by the crash, for what dies with the process besides its loops.</summary>
    internal event Action? Crashed;

    /// <summary>A loop of this process, as a rule one per CPU that it uses.</summary>
    /// <param name="name">Appears in reports.</param>
    /// <param name="clock">The loop's own clock; by default the world's.</param>
    /// <exception cref="ObjectDisposedException">The process has crashed.</exception>
    public SimLoop StartLoop(string name, LoopClock clock = default)
    {
        scheduler.RefuseForeignThread();
        ObjectDisposedException.ThrowIf(IsCrashed, this);
        clock.Validate();
        var loop = new SimLoop(scheduler, this, name, clock);
        loops.Add(loop);
        return loop;
    }

    /// <summary>
    /// Ends the process on the spot: queues and timers of its loops are dropped, and none of its continuations ever runs again. If one of
    /// its own callbacks calls this, that callback still runs up to its next await.
    /// </summary>
    public void Crash()
    {
        scheduler.RefuseForeignThread();
        if (IsCrashed)
        {
            return;
        }
        IsCrashed = true;
        foreach (SimLoop loop in loops)
        {
            loop.Stop();
        }
        Crashed?.Invoke();
        Crashed = null;
    }

    /// <summary>The next incarnation, with no loop yet. Crashes this one first if it still runs.</summary>
    public SimProcess Restart()
    {
        Crash();
        return new SimProcess(scheduler, Name, Incarnation + 1);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Name} (incarnation {Incarnation})";
}
