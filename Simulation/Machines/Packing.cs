namespace Harness.Simulation.Machines;

/// <summary>
/// How full a CPU may be for a scheduler to leave threads together on it (<see cref="WakePlacement.Packed"/>): shares of a CPU as the kernel
/// counts its use, 0 to 1.
/// </summary>
/// <param name="Room">
/// A thread wakes up on its waker's CPU if less than this of it is used, what the thread brings along included, and less than this is what both
/// are expected to use.
/// </param>
/// <param name="ExitCounted">So much of the way out of idleness counts as use of the CPU, and of the thread that is woken.</param>
public sealed record Packing(double Room, double ExitCounted)
{
    /// <summary>Of a scheduler that does not pack.</summary>
    public static Packing None { get; } = new(0, 0);
}
