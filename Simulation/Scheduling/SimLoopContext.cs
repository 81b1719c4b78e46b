namespace Harness.Simulation.Scheduling;

/// <summary>Brings the continuations of a loop's code back to the loop.</summary>
sealed class SimLoopContext(SimLoop loop) : SynchronizationContext
{
    public override void Post(SendOrPostCallback d, object? state) => loop.PostContinuation(d, state);

    public override void Send(SendOrPostCallback d, object? state)
    {
        if (!loop.IsCurrent)
        {
            throw new InvalidOperationException($"Send to {loop} from elsewhere would block the simulation's only thread. Post to it.");
        }
        d(state);
    }

    public override SynchronizationContext CreateCopy() => this;
}
