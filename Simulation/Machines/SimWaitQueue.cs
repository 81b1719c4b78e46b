using System.Runtime.CompilerServices;

namespace Harness.Simulation.Machines;

/// <summary>
/// A kernel's wait queue: threads that wait for a condition, woken one at a time in the order in which they came, or all.
/// </summary>
/// <remarks>As with <c>wait_event</c>, a thread looks at its condition again when <see cref="Wait"/> returns.</remarks>
public sealed class SimWaitQueue(string name)
{
    readonly WaiterList waiters = new();

    /// <summary>What is waited for, in reports.</summary>
    public string Name { get; } = name;

    /// <summary>How many threads wait.</summary>
    public int Waiters => waiters.Count;

    /// <summary>The thread that has waited longest, and is woken next; null if none waits.</summary>
    public SimThread? First => waiters.First;

    /// <summary>The thread that has come last; null if none waits.</summary>
    public SimThread? Last => waiters.Last;

    /// <summary>
    /// Joins the queue without blocking yet (<c>prepare_to_wait</c>): the thread then looks at its condition once more, and either blocks on
    /// this queue or leaves it. Until then it takes no contended lock.
    /// </summary>
    public void Join(SimThread thread)
    {
        ArgumentNullException.ThrowIfNull(thread);
        thread.DemandExecuting();
        waiters.Add(thread);
    }

    /// <summary>Leaves the queue, unless somebody has taken the thread out of it to wake it (<c>finish_wait</c>).</summary>
    public void Leave(SimThread thread)
    {
        ArgumentNullException.ThrowIfNull(thread);
        thread.DemandExecuting();
        if (thread.WaitsIn == waiters)
        {
            waiters.Remove(thread);
        }
    }

    /// <summary>Blocks until another thread wakes this one.</summary>
    public ValueTask Wait(SimThread thread)
    {
        ArgumentNullException.ThrowIfNull(thread);
        thread.DemandExecuting();
        waiters.Add(thread);
        return thread.Block(this);
    }

    /// <summary>As <see cref="Wait"/>, but no longer than until the given virtual time.</summary>
    public ValueTask WaitUntil(SimThread thread, long dueNanoseconds)
    {
        ArgumentNullException.ThrowIfNull(thread);
        thread.DemandExecuting();
        waiters.Add(thread);
        return thread.BlockUntil(this, dueNanoseconds);
    }

    /// <summary>Wakes the thread that has waited longest, if one waits; <paramref name="waker"/> pays for it.</summary>
    public ValueTask WakeOne(SimThread waker)
    {
        ArgumentNullException.ThrowIfNull(waker);
        return waiters.TakeFirst() is { } first ? waker.Wake(first) : default;
    }

    /// <summary>Wakes all that wait now, one after another; <paramref name="waker"/> pays for each.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    public async ValueTask WakeAll(SimThread waker)
    {
        for (int left = waiters.Count; left > 0; left--)
        {
            await WakeOne(waker);
        }
    }

    /// <summary>Takes the thread that has waited longest out of the queue without waking it: the caller wakes or interrupts it.</summary>
    public SimThread? TakeFirst() => waiters.TakeFirst();

    /// <inheritdoc/>
    public override string ToString() => Name;
}
