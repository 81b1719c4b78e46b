using System.Runtime.CompilerServices;

namespace Harness.Simulation.Scheduling;

/// <summary>When an event runs, and where its payload lies. Keys are totally ordered by <c>(Due, Tie)</c>.</summary>
/// <param name="Due">Virtual nanoseconds, never negative.</param>
/// <param name="Tie">Orders events of one instant; no two pending events have both fields alike.</param>
/// <param name="Slot">The payload's index in the queue's table of slots.</param>
readonly record struct EventKey(long Due, ulong Tie, int Slot)
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Before(in EventKey other) => Due < other.Due || (Due == other.Due && Tie < other.Tie);
}

/// <summary>A four-ary implicit heap of keys, with no references in it.</summary>
/// <remarks>
/// Keys are kept apart from payloads because moving a reference within the heap costs the collector's write barrier at every level. Four
/// children lie in two cache lines, and the tree is half as deep as a binary one (LaMarca and Ladner, "The influence of caches on the
/// performance of heaps", JEA 1, 1996). The figures against a pairing heap, a timing wheel and the framework's own queue are in
/// <c>docs/simulator.md</c>; <c>EventQueueBenchmarks</c> measures them.
/// </remarks>
sealed class EventHeap
{
    EventKey[] keys = new EventKey[64];

    public int Count { get; private set; }

    /// <summary>The earliest key. The heap must not be empty.</summary>
    public ref readonly EventKey Top => ref keys[0];

    public void Push(in EventKey key)
    {
        if (Count == keys.Length)
        {
            Array.Resize(ref keys, 2 * Count);
        }
        int hole = Count++;
        EventKey[] heap = keys;
        while (hole > 0)
        {
            int parent = (hole - 1) >> 2;
            if (!key.Before(heap[parent]))
            {
                break;
            }
            heap[hole] = heap[parent];
            hole = parent;
        }
        heap[hole] = key;
    }

    /// <summary>Removes and returns the earliest key. The heap must not be empty.</summary>
    public EventKey Pop()
    {
        EventKey top = keys[0];
        EventKey last = keys[--Count];
        if (Count > 0)
        {
            SiftDown(0, last);
        }
        return top;
    }

    /// <summary>Removes every key that <paramref name="drop"/> says is of no use any more, in linear time.</summary>
    public void RemoveWhere(Predicate<EventKey> drop)
    {
        int kept = 0;
        for (int i = 0; i < Count; i++)
        {
            if (!drop(keys[i]))
            {
                keys[kept++] = keys[i];
            }
        }
        Count = kept;
        for (int i = (kept - 2) >> 2; i >= 0; i--)
        {
            SiftDown(i, keys[i]);
        }
    }

    void SiftDown(int hole, EventKey key)
    {
        EventKey[] heap = keys;
        int count = Count;
        while (true)
        {
            int child = (hole << 2) + 1;
            if (child >= count)
            {
                break;
            }
            int least = child;
            int end = Math.Min(child + 4, count);
            while (++child < end)
            {
                if (heap[child].Before(heap[least]))
                {
                    least = child;
                }
            }
            if (!heap[least].Before(key))
            {
                break;
            }
            heap[hole] = heap[least];
            hole = least;
        }
        heap[hole] = key;
    }
}
