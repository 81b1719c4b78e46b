namespace Harness.Simulation.Scheduling;

/// <summary>Nothing is left to happen, and somebody still waits.</summary>
public sealed class DeadlockException : InvalidOperationException
{
    internal DeadlockException(string message, IReadOnlyList<Wait> waits)
        : base(message) => Waits = waits;

    /// <summary>Who waits for what.</summary>
    public IReadOnlyList<Wait> Waits { get; }
}

/// <summary>Events go on and on at one instant of virtual time.</summary>
public sealed class LivelockException : InvalidOperationException
{
    internal LivelockException(string message)
        : base(message)
    {
    }
}

/// <summary>A thread other than the simulation's own has touched it, so that the run is no longer determined by its seed.</summary>
public sealed class ForeignThreadException : InvalidOperationException
{
    internal ForeignThreadException(string message)
        : base(message)
    {
    }
}
