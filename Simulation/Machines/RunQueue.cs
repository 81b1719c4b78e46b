namespace Harness.Simulation.Machines;

/// <summary>The threads that wait for one CPU, first come first served; any of them can be taken out.</summary>
sealed class RunQueue
{
    SimThread?[] ring = new SimThread?[8];
    int head;

    public int Count { get; private set; }

    /// <summary>The thread at the given place from the front.</summary>
    public SimThread this[int index] => ring[(head + index) & (ring.Length - 1)]!;

    public void Add(SimThread thread)
    {
        if (Count == ring.Length)
        {
            var larger = new SimThread?[2 * ring.Length];
            for (int i = 0; i < Count; i++)
            {
                larger[i] = this[i];
            }
            ring = larger;
            head = 0;
        }
        ring[(head + Count++) & (ring.Length - 1)] = thread;
    }

    public SimThread? TakeFirst()
    {
        if (Count == 0)
        {
            return null;
        }
        SimThread first = ring[head]!;
        ring[head] = null;
        head = (head + 1) & (ring.Length - 1);
        Count--;
        return first;
    }

    public bool Remove(SimThread thread)
    {
        for (int i = 0; i < Count; i++)
        {
            if (this[i] == thread)
            {
                RemoveAt(i);
                return true;
            }
        }
        return false;
    }

    public void RemoveAt(int index)
    {
        for (int i = index; i < Count - 1; i++)
        {
            ring[(head + i) & (ring.Length - 1)] = this[i + 1];
        }
        ring[(head + --Count) & (ring.Length - 1)] = null;
    }
}
