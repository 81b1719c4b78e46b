namespace Harness.Simulation.Machines;

/// <summary>
/// The threads that wait for one CPU, and which of them is next: of those that have had no more of it than the average the one whose slice
/// would be over first, and of equals the one that came first.
/// </summary>
/// <remarks>
/// After kernel/sched/fair.c of Linux 6.18 (EEVDF), all threads being of one weight: <c>place_entity</c>, <c>pick_eevdf</c>, and
/// <c>DELAY_DEQUEUE</c>: a thread that falls asleep having had more than its share goes on being counted until the others have caught up.
/// </remarks>
/// <param name="cpu">Whose it is; told of every change.</param>
/// <param name="sliceNanoseconds">How long a slice is.</param>
sealed class RunQueue(SimCpu cpu, long sliceNanoseconds)
{
    /// <summary>No thread is owed or owes more than a tick (<c>update_entity_lag</c>), or two slices.</summary>
    readonly long lagMax = Math.Max(4_000_000, 2 * sliceNanoseconds);

    /// <summary>How long a slice is.</summary>
    public readonly long SliceNanoseconds = sliceNanoseconds;

    readonly List<SimThread> lingering = [];
    SimThread?[] ring = new SimThread?[8];
    int head;

    public int Count { get; private set; }

    /// <summary>How many of those that wait may run elsewhere.</summary>
    public int MovableCount { get; private set; }

    /// <summary>Whether threads that sleep are still counted.</summary>
    public bool HasLingering => lingering.Count > 0;

    /// <summary>The thread at the given place from the front, in order of arrival.</summary>
    public SimThread this[int index] => ring[(head + index) & (ring.Length - 1)]!;

    /// <summary>How many of those that wait are of a group.</summary>
    public int CountOf(AutoGroup group)
    {
        int found = 0;
        for (int i = 0; i < Count; i++)
        {
            found += this[i].Group == group ? 1 : 0;
        }
        return found;
    }

    /// <summary>A thread that has woken up, or comes from elsewhere: it begins where it stood to the average when it left a queue.</summary>
    public void Place(SimThread thread, SimThread? current)
    {
        (long time, long deadline) = PlaceOf(thread, current);
        if (thread.Share.Lingers)
        {
            Forget(thread);
        }
        (thread.Share.VirtualTime, thread.Share.Deadline) = (time, deadline);
        Add(thread);
    }

    /// <summary>
    /// Whether a thread that is about to wake up here takes the CPU: the current one keeps it until it has had more than the average
    /// (<c>RUN_TO_PARITY</c>), and then it is given to the one that is next.
    /// </summary>
    public bool WouldOvertake(SimThread thread, SimThread current)
    {
        (long time, long deadline) = PlaceOf(thread, current);
        (long sum, int count) = SumWithout(thread, current);
        (sum, count) = (sum + time, count + 1);
        return time * count <= sum && !IsEligible(current, sum, count) && !HasBefore(deadline, sum, count);
    }

    /// <summary>Adds a thread that goes on where it was, behind the others.</summary>
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
        MovableCount += thread.IsMovable ? 1 : 0;
        cpu.NoteCrowd();
    }

    /// <summary>Takes out the thread that came first; null if none waits.</summary>
    public SimThread? TakeFirst() => Count == 0 ? null : RemoveAt(0);

    /// <summary>Takes out the thread that is next; null if none waits.</summary>
    public SimThread? Take()
    {
        if (Count + lingering.Count <= 1)
        {
            ForgetLingering();
            return Count == 0 ? null : RemoveAt(0);
        }
        while (Count > 0)
        {
            (long sum, int count) = Sum(null);
            int next = First(sum, count);
            if (FirstLingering(next < 0 ? long.MaxValue : this[next].Share.Deadline, sum, count) is not { } sleeper)
            {
                return RemoveAt(next);
            }
            Forget(sleeper);
        }
        ForgetLingering();
        return null;
    }

    /// <summary>The current thread falls asleep: says how it stands, or goes on counting it.</summary>
    public void Sleep(SimThread thread)
    {
        thread.Share.Lag = 0;
        if (Count + lingering.Count == 0)
        {
            return;
        }
        long lag = LagOf(thread, thread);
        if (lag < 0)
        {
            thread.Share.Stays = IsAheadOfItsGroup(thread);
            thread.Share.Lingers = true;
            lingering.Add(thread);
            cpu.NoteCrowd();
        }
        else
        {
            thread.Share.Lag = lag;
        }
    }

    /// <summary>By how much a thread that is counted here has had less than the average.</summary>
    public long LagOf(SimThread thread, SimThread? current)
    {
        (long sum, int count) = Sum(current);
        return Math.Clamp((sum / count) - thread.Share.VirtualTime, -lagMax, lagMax);
    }

    /// <summary>A thread that sleeps is not counted any more, and owes nothing.</summary>
    public void Forget(SimThread thread)
    {
        lingering.Remove(thread);
        thread.Share.Lingers = thread.Share.Stays = false;
        thread.Share.Lag = 0;
        cpu.NoteCrowd();
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

    public SimThread RemoveAt(int index)
    {
        SimThread taken = this[index];
        for (int i = index; i < Count - 1; i++)
        {
            ring[(head + i) & (ring.Length - 1)] = this[i + 1];
        }
        ring[(head + --Count) & (ring.Length - 1)] = null;
        MovableCount -= taken.IsMovable ? 1 : 0;
        cpu.NoteCrowd();
        return taken;
    }

    static bool IsEligible(SimThread thread, long sum, int count) => thread.Share.VirtualTime * count <= sum;

    static bool IsBefore(SimThread thread, long deadline, long sum, int count) =>
        thread.Share.Deadline <= deadline && IsEligible(thread, sum, count);

    /// <summary>Whether a thread has had more than the average of its group here.</summary>
    bool IsAheadOfItsGroup(SimThread thread)
    {
        (long sum, int count) = (thread.Share.VirtualTime, 1);
        for (int i = 0; i < Count; i++)
        {
            CountIfOfItsGroup(this[i]);
        }
        foreach (SimThread other in lingering)
        {
            CountIfOfItsGroup(other);
        }
        return !IsEligible(thread, sum, count);

        void CountIfOfItsGroup(SimThread other) =>
            (sum, count) = other.Group == thread.Group ? (sum + other.Share.VirtualTime, count + 1) : (sum, count);
    }

    bool HasBefore(long deadline, long sum, int count)
    {
        for (int i = 0; i < Count; i++)
        {
            if (IsBefore(this[i], deadline, sum, count))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>The place of the waiting thread that is next; −1 if all have had more than the average.</summary>
    int First(long sum, int count)
    {
        int best = -1;
        for (int i = 0; i < Count; i++)
        {
            if (IsEligible(this[i], sum, count) && (best < 0 || this[i].Share.Deadline < this[best].Share.Deadline))
            {
                best = i;
            }
        }
        return best;
    }

    /// <summary>A sleeping thread that is still counted and would be next, before the given deadline.</summary>
    SimThread? FirstLingering(long before, long sum, int count)
    {
        SimThread? first = null;
        foreach (SimThread thread in lingering)
        {
            if (thread.Share.Deadline < before && IsEligible(thread, sum, count))
            {
                (first, before) = (thread, thread.Share.Deadline);
            }
        }
        return first;
    }

    /// <summary>
    /// Where a thread that wakes up begins. Adding it moves the average; its lag is stretched so that it is still the same afterwards. One that
    /// lingers goes on where it was.
    /// </summary>
    (long VirtualTime, long Deadline) PlaceOf(SimThread thread, SimThread? current)
    {
        if (thread.Share.Lingers)
        {
            return (thread.Share.VirtualTime, thread.Share.Deadline);
        }
        (long sum, int count) = Sum(current);
        long time = count == 0 ? thread.Share.VirtualTime : (sum / count) - (thread.Share.Lag * (count + 1) / count);
        return (time, time + SliceNanoseconds);
    }

    (long Sum, int Count) SumWithout(SimThread thread, SimThread? current)
    {
        (long sum, int count) = Sum(current);
        return thread.Share.Lingers ? (sum - thread.Share.VirtualTime, count - 1) : (sum, count);
    }

    (long Sum, int Count) Sum(SimThread? current)
    {
        (long sum, int count) = current is null ? (0, 0) : (current.Share.VirtualTime, 1);
        for (int i = 0; i < Count; i++)
        {
            sum += this[i].Share.VirtualTime;
        }
        foreach (SimThread thread in lingering)
        {
            sum += thread.Share.VirtualTime;
        }
        return (sum, count + Count + lingering.Count);
    }

    void ForgetLingering()
    {
        while (lingering.Count > 0)
        {
            Forget(lingering[^1]);
        }
    }
}
