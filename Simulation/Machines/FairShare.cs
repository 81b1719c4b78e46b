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

    /// <summary>CPU time that it has had since it last slept.</summary>
    public long Run;

    /// <summary>How much CPU time it mostly has between two sleeps: a moving average, the last one counting for an eighth.</summary>
    public long MeanRun;

    /// <summary>Whether it sleeps, and is still counted in the run queue that it left with more than the average.</summary>
    public bool Lingers;

    /// <summary>How much CPU time it can be expected to have between two sleeps.</summary>
    public readonly long ExpectedRun => Math.Max(Run, MeanRun);

    /// <summary>It falls asleep.</summary>
    public void EndRun()
    {
        MeanRun += (Run - MeanRun) / 8;
        Run = 0;
    }
}
