namespace Harness.Simulation.Machines;

/// <summary>
/// How much of a CPU a thread is expected to use once it wakes up (kernel/sched/fair.c, <c>util_est_update</c>): what it used when it last fell
/// asleep. More is believed at once, less only step by step, and not of a thread that has had to wait for its CPU, which may want more than it got.
/// </summary>
struct UtilizationEstimate
{
    /// <summary>What is no difference: 1 % (<c>UTIL_EST_MARGIN</c>).</summary>
    const double Margin = 10.0 / 1024;

    /// <summary>How much of the way down it goes at a time (<c>UTIL_EST_WEIGHT_SHIFT</c>).</summary>
    const double Step = 1.0 / 4;

    long lookedIn;

    /// <summary>The share of a CPU, 0 to 1.</summary>
    public double Value { get; private set; }

    /// <summary>The thread falls asleep. Only the first time in a period counts, since what it uses is the same until the period ends.</summary>
    /// <param name="now">The time.</param>
    /// <param name="used">How much of a CPU it uses.</param>
    /// <param name="runnable">How much of the time it has run or waited to run, by the same mean.</param>
    public void Look(long now, double used, double runnable)
    {
        long period = now >> Utilization.PeriodBits;
        if (period == lookedIn)
        {
            return;
        }
        lookedIn = period;
        bool hasWaited = used + Margin < runnable;
        if (used >= Value)
        {
            Value = used;
        }
        else if (Value - used >= Margin && !hasWaited)
        {
            Value -= Step * (Value - used);
        }
    }
}
