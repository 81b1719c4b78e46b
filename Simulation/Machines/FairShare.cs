namespace Harness.Simulation.Machines;

/// <summary>What the scheduler remembers of a thread to share a CPU fairly.</summary>
struct FairShare
{
    /// <summary>CPU time that it has had, on the scale of the run queue that it is in.</summary>
    public long VirtualTime;

    /// <summary>The virtual time at which its slice will be over.</summary>
    public long Deadline;

    /// <summary>While it is in no run queue: by how much it had had less than the average when it left.</summary>
    public long Lag;

    /// <summary>Whether it sleeps, and is still counted in the run queue that it left with more than the average.</summary>
    public bool Lingers;

    /// <summary>
    /// Whether it lingers among the threads of its own group, too. Only then the thread itself is still queued and wakes up where it is; else it is
    /// its group that is, and the thread may wake up elsewhere.
    /// </summary>
    public bool Stays;
}
