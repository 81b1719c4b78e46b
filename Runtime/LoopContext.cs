namespace Harness.Runtime;

/// <summary>What keeps code that awaits a task on a loop on that loop.</summary>
/// <remarks>
/// Without it a completed task resumes one awaiter at once, on the thread that completed it, and hands the others, or all where the stack is
/// nearly used up, to the thread pool. With it an awaiter is resumed at once where that thread is the loop's, and posted to the loop otherwise.
/// Sources of one's own on a data path say <c>ValueTaskSourceOnCompletedFlags.None</c> and pay nothing for it.
/// </remarks>
internal sealed class LoopContext(EventLoop loop) : SynchronizationContext
{
    /// <inheritdoc/>
    public override void Post(SendOrPostCallback d, object? state) => loop.PostUnlessStopped(new Action<object?>(d), state);

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">Always: nobody may wait for a loop by blocking.</exception>
    public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("Post to the loop instead of waiting for it.");

    /// <inheritdoc/>
    public override SynchronizationContext CreateCopy() => this;
}
