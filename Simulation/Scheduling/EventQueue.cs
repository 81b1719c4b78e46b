namespace Harness.Simulation.Scheduling;

/// <summary>A scheduled event, for <see cref="SimScheduler.Cancel"/>. The default value stands for no event.</summary>
public readonly record struct EventHandle
{
    internal EventHandle(int slot, int generation) => (Slot, Generation) = (slot, generation);

    internal int Slot { get; }

    /// <summary>Tells the slot's uses apart; 0 is never a live one.</summary>
    internal int Generation { get; }
}

/// <summary>What an event does when its time has come.</summary>
struct Event
{
    /// <summary>
    /// An <see cref="Action{T}"/> of object, or a <see cref="SendOrPostCallback"/> if it goes into a loop's queue; null if cancelled.
    /// </summary>
    public Delegate? Callback;
    public object? State;

    /// <summary>The loop that the event dies with; for the posting kinds, the loop in whose queue the callback is put.</summary>
    public SimLoop? Owner;
    public ulong Payload;
    public EventKind Kind;

    /// <summary>Counts the uses of this place in the table; odd while it is in use.</summary>
    public int Generation;

    /// <summary>While the place is free, the next free one.</summary>
    public int NextFree;
}

/// <summary>
/// The pending events: a heap of keys over a table of payloads, and a first-in-first-out lane for what is due at this very instant.
/// Nothing is allocated once the tables have grown to the largest number of events that were ever pending together.
/// </summary>
sealed class EventQueue
{
    const int PurgeAtLeast = 256;

    readonly int pendingMax;
    readonly Predicate<EventKey> freeIfCancelled;
    readonly EventHeap heap = new();
    readonly Queue<EventKey> ready = new();
    Event[] events = new Event[64];
    int used;
    int firstFree = -1;
    int cancelled;

    public EventQueue(int pendingMax)
    {
        this.pendingMax = pendingMax;
        freeIfCancelled = FreeIfCancelled;
    }

    /// <summary>How many events are pending, cancelled ones not counted.</summary>
    public int Count { get; private set; }

    /// <summary>How many keys are held, those of cancelled events included.</summary>
    public int KeysHeld => heap.Count + ready.Count;

    /// <summary>Adds an event. With <paramref name="isReady"/> it must be due now and have the greatest tie so far.</summary>
    public EventHandle Push(long due, ulong tie, in Event what, bool isReady)
    {
        int slot = firstFree;
        if (slot >= 0)
        {
            firstFree = events[slot].NextFree;
        }
        else
        {
            slot = used == events.Length ? Grow() : used++;
        }
        ref Event place = ref events[slot];
        int generation = place.Generation + 1;
        place = what;
        place.Generation = generation;
        var key = new EventKey(due, tie, slot);
        if (isReady)
        {
            ready.Enqueue(key);
        }
        else
        {
            heap.Push(key);
        }
        Count++;
        return new EventHandle(slot, generation);
    }

    /// <summary>The next event that somebody still wants, if there is one.</summary>
    /// <remarks>
    /// What waits in the ready lane was added at this instant, after whatever the heap holds for the same instant, and so comes after it.
    /// </remarks>
    public bool TryPeek(out EventKey key)
    {
        while (true)
        {
            bool fromReady = ready.TryPeek(out key) && !(heap.Count > 0 && heap.Top.Before(key));
            if (!fromReady)
            {
                if (heap.Count == 0)
                {
                    return false;
                }
                key = heap.Top;
            }
            ref Event next = ref events[key.Slot];
            if (next.Callback is not null && next.Owner is not { IsStopped: true })
            {
                return true;
            }
            Discard(key, fromReady);
        }
    }

    /// <summary>Takes out the event that <see cref="TryPeek"/> has just shown.</summary>
    public Event Pop(in EventKey key)
    {
        if (heap.Count > 0 && heap.Top.Slot == key.Slot)
        {
            heap.Pop();
        }
        else
        {
            ready.Dequeue();
        }
        Event what = events[key.Slot];
        Free(key.Slot);
        Count--;
        return what;
    }

    public bool Cancel(EventHandle handle)
    {
        if (handle.Generation == 0)
        {
            return false;
        }
        ref Event what = ref events[handle.Slot];
        if (what.Generation != handle.Generation || what.Callback is null)
        {
            return false;
        }
        what = new Event { Generation = handle.Generation };
        Count--;
        if (++cancelled > PurgeAtLeast && cancelled > heap.Count / 2)
        {
            // A timer that is set anew for each request would otherwise leave a key behind for each. Done only when half of all keys are
            // cancelled, this linear sweep costs a constant for each of them.
            heap.RemoveWhere(freeIfCancelled);
            cancelled = 0;
        }
        return true;
    }

    void Discard(in EventKey key, bool fromReady)
    {
        if (fromReady)
        {
            ready.Dequeue();
        }
        else
        {
            heap.Pop();
        }
        if (events[key.Slot].Callback is not null)
        {
            Count--;
        }
        else
        {
            cancelled = Math.Max(0, cancelled - 1);
        }
        Free(key.Slot);
    }

    bool FreeIfCancelled(EventKey key)
    {
        bool drop = events[key.Slot].Callback is null;
        if (drop)
        {
            Free(key.Slot);
        }
        return drop;
    }

    void Free(int slot)
    {
        ref Event place = ref events[slot];
        place.Callback = null;
        place.State = null;
        place.Owner = null;
        place.Generation++;
        place.NextFree = firstFree;
        firstFree = slot;
    }

    int Grow()
    {
        if (used >= pendingMax)
        {
            throw new InvalidOperationException(
                $"{used} events are pending, the limit of {nameof(SimSchedulerOptions)}.{nameof(SimSchedulerOptions.PendingEventsMax)}. "
                + "Something schedules faster than it is served; if the world is really that large, raise the limit.");
        }
        Array.Resize(ref events, 2 * events.Length);
        return used++;
    }
}
