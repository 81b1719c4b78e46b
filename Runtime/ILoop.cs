namespace Harness.Runtime;

/// <summary>
/// One thread at a time, one run queue, one clock: what all code above the seams runs on. In the real world a loop has a thread of its own, whose
/// turn another may take by <see cref="TryEnter"/>; in simulation many loops share one scheduler, and their clocks are virtual.
/// </summary>
/// <remarks>State belongs to one loop and is crossed only by <see cref="Post"/>. Callbacks of one loop never overlap.</remarks>
public interface ILoop
{
    /// <summary>This loop's monotonic clock, in nanoseconds from an arbitrary start.</summary>
    long NowNanoseconds { get; }

    /// <summary>The same clock as a <see cref="TimeProvider"/>, for code that needs wall-clock time or takes one.</summary>
    TimeProvider Time { get; }

    /// <summary>Whether the calling thread runs this loop now.</summary>
    bool IsCurrent { get; }

    /// <summary>Queues <paramref name="callback"/> to run on this loop, after what is queued already. Callable from any thread.</summary>
    /// <exception cref="ObjectDisposedException">The loop has stopped.</exception>
    void Post(Action<object?> callback, object? state);

    /// <summary>
    /// Runs <paramref name="callback"/> on this loop once <see cref="NowNanoseconds"/> has reached <paramref name="dueNanoseconds"/>, never
    /// earlier; a due time that has passed runs as soon as it can. Callable from any thread.
    /// </summary>
    /// <remarks>
    /// Counts nanoseconds, because <c>Task.Delay</c> counts whole milliseconds and completes at once below one. A callback cannot be taken
    /// back: who no longer wants it lets it find nothing to do.
    /// </remarks>
    /// <exception cref="ObjectDisposedException">The loop has stopped.</exception>
    void PostAt(long dueNanoseconds, Action<object?> callback, object? state);

    /// <summary>
    /// Tells the loop that something it waits for is to come within a time shorter than going to sleep and being woken is worth, so that it
    /// looks for it meanwhile. Callable where <see cref="IsCurrent"/> is true; nothing in simulation, where waking costs what its machine says.
    /// </summary>
    /// <param name="nanoseconds">For how long at the most.</param>
    void ExpectWithin(long nanoseconds)
    {
    }

    /// <summary>
    /// Makes the calling thread the loop until it calls <see cref="Leave"/>, if nothing runs on the loop or waits to: what it does meanwhile
    /// needs no posting. It must not block.
    /// </summary>
    /// <returns>False, always so in simulation, if the loop has something to do or the caller is it already: post instead.</returns>
    bool TryEnter() => false;

    /// <summary>Runs what has been posted since <see cref="TryEnter"/>, and gives the loop back.</summary>
    void Leave()
    {
    }

    /// <summary>
    /// Makes the calling thread the one that looks at the loop's descriptors, if something is expected (<see cref="ExpectWithin"/>) and no other
    /// thread does so: what comes is then carried out by the thread that waits for it, and the loop's own need not be woken.
    /// </summary>
    /// <returns>False, always so in simulation, if the loop looks itself.</returns>
    bool TryAttend() => false;

    /// <summary>Looks at the descriptors once, runs what there is, and lets other threads run.</summary>
    /// <returns>False once nothing is expected any more: call <see cref="EndAttend"/>.</returns>
    bool Attend() => false;

    /// <summary>Gives the descriptors back to the loop's own thread.</summary>
    void EndAttend()
    {
    }
}
