namespace Harness.Simulation.Machines;

/// <summary>Where a simulated thread stands.</summary>
enum ThreadState
{
    /// <summary>Waits for a CPU.</summary>
    Runnable,

    /// <summary>Occupies its CPU until an event that is scheduled.</summary>
    Working,

    /// <summary>Occupies its CPU until it is given a spin lock.</summary>
    Spinning,

    /// <summary>Its code runs: this very moment of real time, no virtual time.</summary>
    Executing,

    /// <summary>Waits off the CPU, until anybody wakes it.</summary>
    Blocked,

    /// <summary>Waits off the CPU, for a mutex or the end of a sleep; whoever wakes it meanwhile only spares it its next block.</summary>
    Waiting,

    /// <summary>Has ended.</summary>
    Done,
}

/// <summary>What a thread does once the CPU time that goes before it is spent.</summary>
enum Step
{
    Start, GoOn, Block, BlockUntil, Sleep, Wake, WakeNewOwner, Yield, LeaveKernel, Migrate, SpendCharged, CopyOn,
    TakeSpinLock, TakeSpinLockCharged, TakeMutex, TakeRwLock, StopSpinning, End,
}
