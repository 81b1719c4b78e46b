namespace Harness.Simulation.Scheduling;

/// <summary>What an event is about. It goes into the trace hash and into the report of a livelock.</summary>
/// <remarks>Values from 64 on belong to the layers above: cast your own enumeration.</remarks>
public enum EventKind : ushort
{
    /// <summary>No kind given.</summary>
    None = 0,

    /// <summary>A callback posted to a loop arrives there.</summary>
    LoopPost = 1,

    /// <summary>A callback posted to a loop for a later time is due.</summary>
    LoopPostAt = 2,

    /// <summary>A loop runs the next callback of its queue.</summary>
    LoopRun = 3,

    /// <summary>A timer of a loop's time provider is due.</summary>
    Timer = 4,

    /// <summary>A simulated thread has done what it computed, or is switched to.</summary>
    Thread = 5,

    /// <summary>A simulated thread's sleep is over.</summary>
    ThreadSleep = 6,

    /// <summary>An idle CPU has come out of its idle state.</summary>
    IdleExit = 7,

    /// <summary>Idle CPUs look for threads that wait elsewhere.</summary>
    Balance = 8,
}
