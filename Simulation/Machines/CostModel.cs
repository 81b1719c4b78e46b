namespace Harness.Simulation.Machines;

/// <summary>What a machine's hardware and kernel take for each elementary act. All figures come from a machine file.</summary>
/// <remarks>
/// "Same node" and "other node" are the two ends of a scale: figures for the smallest and the largest distance in the machine's matrix.
/// What
/// lies between is interpolated linearly in the distance.
/// </remarks>
public sealed record CostModel
{
    /// <summary>Entering the kernel and returning from it, without what the call does there.</summary>
    public required Cost SystemCall { get; init; }

    /// <summary>Switching a CPU from one thread to another. Not charged to a thread that finds the CPU as it left it.</summary>
    public required Cost ContextSwitch { get; init; }

    /// <summary>How long a thread may run while others wait for its CPU.</summary>
    public required Cost TimeSlice { get; init; }

    /// <summary>How long a thread is safe from a thread that wakes up on its CPU; after that it has to make way for it.</summary>
    public required Cost WakePreemptsAfter { get; init; }

    /// <summary>What the waker's CPU spends to wake a thread that will run on this same CPU.</summary>
    public required Cost WakeSameCpu { get; init; }

    /// <summary>What a thread spends to fall asleep and to go on after it was woken, besides the switch.</summary>
    public required Cost Block { get; init; }

    /// <summary>What the waker's CPU spends to wake a thread onto another CPU of its node.</summary>
    public required Cost WakeSameNode { get; init; }

    /// <summary>What the waker's CPU spends to wake a thread onto the farthest node.</summary>
    public required Cost WakeOtherNode { get; init; }

    /// <summary>What the waker's CPU spends besides if the woken CPU idles so deeply that it takes an interrupt.</summary>
    public required Cost InterruptSend { get; init; }

    /// <summary>How long an interrupt takes to another CPU of the node.</summary>
    public required Cost InterruptSameNode { get; init; }

    /// <summary>How long an interrupt takes to the farthest node.</summary>
    public required Cost InterruptOtherNode { get; init; }

    /// <summary>How long a CPU that has just become idle, and still polls, takes to its first instruction for the woken thread.</summary>
    public required Cost IdleExitShallow { get; init; }

    /// <summary>How long a CPU in its deep idle state takes from the interrupt to its first instruction for the woken thread.</summary>
    public required Cost IdleExitDeep { get; init; }

    /// <summary>How long a CPU polls before it goes into its deep idle state; 0 if it never polls.</summary>
    public required Cost IdleDeepAfter { get; init; }

    /// <summary>Taking a free lock that this CPU held last.</summary>
    public required Cost LockSameCpu { get; init; }

    /// <summary>Taking a free lock that another CPU of the node held last.</summary>
    public required Cost LockSameNode { get; init; }

    /// <summary>Taking a free lock that a CPU of the farthest node held last.</summary>
    public required Cost LockOtherNode { get; init; }

    /// <summary>From the release of a contended lock until a waiter on the same node goes on.</summary>
    public required Cost HandOverSameNode { get; init; }

    /// <summary>From the release of a contended lock until a waiter on the farthest node goes on.</summary>
    public required Cost HandOverOtherNode { get; init; }

    /// <summary>By how much each further waiter that spins makes a hand-over longer.</summary>
    public required Cost HandOverPerWaiter { get; init; }

    /// <summary>How long a thread spins for a mutex whose owner is running before it goes to sleep; 0 if it sleeps at once.</summary>
    public required Cost MutexSpin { get; init; }

    /// <summary>What a copy costs whatever its length.</summary>
    public required Cost CopyStart { get; init; }

    /// <summary>How fast one CPU copies within its own node.</summary>
    public required Rate CopyLocal { get; init; }

    /// <summary>How fast one CPU copies from or to the farthest node.</summary>
    public required Rate CopyRemote { get; init; }

    /// <summary>What a node's memory moves for all CPUs together, reads and writes counted alike.</summary>
    public required Rate NodeMemory { get; init; }

    /// <summary>What passes between a node and all others.</summary>
    public required Rate NodeLink { get; init; }
}
