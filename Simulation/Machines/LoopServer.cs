using Harness.Simulation.Scheduling;

namespace Harness.Simulation.Machines;

/// <summary>A simulated thread that runs a loop's callbacks, and is charged for them.</summary>
/// <remarks>
/// <see cref="Run"/> does nothing else. A thread that also takes work from elsewhere, such as a device, has a body of its own: it calls
/// <see cref="TryRunNext"/> and <see cref="Invoke"/>, awaits <see cref="SimThread.SpendCharged"/> after each, and blocks when there is
/// nothing to do.
/// </remarks>
public sealed class LoopServer : ILoopServer
{
    /// <summary>The CPU whose thread is about to wake this one.</summary>
    SimCpu? wakingFrom;

    internal LoopServer(SimLoop loop, SimThread thread)
    {
        Loop = loop;
        Thread = thread;
        loop.ServeBy(this);
    }

    /// <summary>The loop that is served.</summary>
    public SimLoop Loop { get; }

    /// <summary>The thread that serves it.</summary>
    public SimThread Thread { get; }

    /// <summary>Runs the loop's callbacks for ever.</summary>
    public async ValueTask Run()
    {
        while (true)
        {
            await (TryRunNext() ? Thread.SpendCharged() : Thread.Block(this));
        }
    }

    /// <summary>Runs the loop's next callback, if one waits; returns whether one did.</summary>
    public bool TryRunNext()
    {
        Thread.DemandExecuting();
        return Loop.TryRunNext();
    }

    /// <summary>Runs something as a callback of the loop, at once.</summary>
    public void Invoke(Action<object?> callback, object? state)
    {
        ArgumentNullException.ThrowIfNull(callback);
        Thread.DemandExecuting();
        Loop.Run(callback, state);
    }

    /// <inheritdoc/>
    public override string ToString() => $"the next callback of {Loop}";

    void ILoopServer.ChargeForWaking()
    {
        if (wakingFrom is null && Thread.IsWakeable && Thread.Machine.Executing is { } poster)
        {
            Thread.Machine.Scheduler.Charged += Thread.Machine.CostOfWaking(poster.Cpu, Thread);
            wakingFrom = poster.Cpu;
        }
    }

    void ILoopServer.WorkArrived()
    {
        Thread.Machine.Wake(Thread, wakingFrom);
        wakingFrom = null;
    }

    void ILoopServer.Stop() => Thread.Kill();
}
