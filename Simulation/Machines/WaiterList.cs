namespace Harness.Simulation.Machines;

/// <summary>
/// The threads that wait for one thing, first come first served, linked through themselves. A thread waits in one list at a time.
/// </summary>
sealed class WaiterList
{
    SimThread? first;
    SimThread? last;

    public int Count { get; private set; }

    public SimThread? First => first;

    public SimThread? Last => last;

    public void Add(SimThread thread)
    {
        thread.WaitsIn = this;
        thread.PreviousWaiter = last;
        thread.NextWaiter = null;
        if (last is null)
        {
            first = thread;
        }
        else
        {
            last.NextWaiter = thread;
        }
        last = thread;
        Count++;
    }

    public SimThread? TakeFirst()
    {
        SimThread? thread = first;
        if (thread is not null)
        {
            Remove(thread);
        }
        return thread;
    }

    public void Remove(SimThread thread)
    {
        if (thread.PreviousWaiter is null)
        {
            first = thread.NextWaiter;
        }
        else
        {
            thread.PreviousWaiter.NextWaiter = thread.NextWaiter;
        }
        if (thread.NextWaiter is null)
        {
            last = thread.PreviousWaiter;
        }
        else
        {
            thread.NextWaiter.PreviousWaiter = thread.PreviousWaiter;
        }
        thread.WaitsIn = null;
        thread.PreviousWaiter = thread.NextWaiter = null;
        Count--;
    }
}
