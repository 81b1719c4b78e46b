using Harness.Simulation.Chance;

namespace Harness.Simulation.Machines;

/// <summary>
/// By how much single acts differ from what they cost: each takes its cost less or plus a share of it that is drawn, all alike likely up to the one
/// given here. Threads that wake each other on two CPUs otherwise fall into a round that repeats to the nanosecond, and which one decides how fast
/// they are.
/// </summary>
/// <param name="WakeUps">Of an interrupt to another CPU and of the way out of idleness; 0 to less than 1.</param>
/// <param name="Work">Of what a thread does in one stretch; 0 to less than 1.</param>
/// <param name="Source">Who measured or published it, or that it is an estimate; empty where nothing varies.</param>
public sealed record ActVariation(double WakeUps, double Work, string Source)
{
    /// <summary>Every act takes exactly what it costs.</summary>
    public static ActVariation None { get; } = new(0, 0, "");

    /// <summary>What an act takes this time.</summary>
    internal static long Draw(SimRandom random, long nanoseconds, double share) =>
        share == 0 || nanoseconds == 0 ? nanoseconds : nanoseconds + (long)(nanoseconds * share * ((2 * random.NextDouble()) - 1));
}
