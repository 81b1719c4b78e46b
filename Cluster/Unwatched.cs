namespace Harness.Cluster;

/// <summary>Work that nobody waits for.</summary>
internal static class Unwatched
{
    /// <summary>
    /// Lets work go on by itself. What it throws is a broken invariant and ends the process, or the simulation, instead of being forgotten
    /// with the task.
    /// </summary>
    public static async void Watch(this Task task) => await task;
}
