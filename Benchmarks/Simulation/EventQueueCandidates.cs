using Harness.Simulation.Scheduling;

namespace Harness.Benchmarks.Simulation;

/// <summary>What a queue of event keys has to do; the candidates differ in nothing else.</summary>
interface IKeyQueue
{
    void Push(in EventKey key);

    EventKey Pop();
}

/// <summary>The one that the scheduler uses.</summary>
sealed class QuaternaryHeap : IKeyQueue
{
    readonly EventHeap heap = new();

    public void Push(in EventKey key) => heap.Push(key);

    public EventKey Pop() => heap.Pop();
}

/// <summary>The framework's own four-ary heap, which keeps the element beside the priority and compares through an interface.</summary>
sealed class FrameworkQueue : IKeyQueue
{
    readonly PriorityQueue<int, EventKey> queue = new(Comparer<EventKey>.Create((a, b) => a.Before(b) ? -1 : b.Before(a) ? 1 : 0));

    public void Push(in EventKey key) => queue.Enqueue(key.Slot, key);

    public EventKey Pop()
    {
        queue.TryDequeue(out _, out EventKey key);
        return key;
    }
}

/// <summary>A pairing heap over arrays (Fredman, Sedgewick, Sleator, Tarjan, Algorithmica 1, 1986), two-pass.</summary>
sealed class PairingHeap : IKeyQueue
{
    const int None = -1;

    EventKey[] keys = new EventKey[64];
    int[] child = new int[64];
    int[] sibling = new int[64];
    int used;
    int free = None;
    int root = None;

    public void Push(in EventKey key)
    {
        int node = free;
        if (node == None)
        {
            if (used == keys.Length)
            {
                Array.Resize(ref keys, 2 * used);
                Array.Resize(ref child, 2 * used);
                Array.Resize(ref sibling, 2 * used);
            }
            node = used++;
        }
        else
        {
            free = sibling[node];
        }
        keys[node] = key;
        child[node] = sibling[node] = None;
        root = root == None ? node : Link(root, node);
    }

    public EventKey Pop()
    {
        int top = root;
        root = MergePairs(child[top]);
        sibling[top] = free;
        free = top;
        return keys[top];
    }

    int Link(int a, int b)
    {
        if (keys[b].Before(keys[a]))
        {
            (a, b) = (b, a);
        }
        sibling[b] = child[a];
        child[a] = b;
        return a;
    }

    int MergePairs(int first)
    {
        // The first pass links pairs from left to right and stacks them through their sibling links; the second links the stack.
        int stack = None;
        while (first != None)
        {
            int second = sibling[first];
            if (second == None)
            {
                sibling[first] = stack;
                stack = first;
                break;
            }
            int rest = sibling[second];
            int pair = Link(first, second);
            sibling[pair] = stack;
            stack = pair;
            first = rest;
        }
        if (stack == None)
        {
            return None;
        }
        int merged = stack;
        stack = sibling[stack];
        sibling[merged] = None;
        while (stack != None)
        {
            int next = sibling[stack];
            merged = Link(merged, stack);
            stack = next;
        }
        return merged;
    }
}

/// <summary>
/// A timing wheel of 4,096 slots of 64 ns, exact to the nanosecond: the slot under the hand is kept as a heap, what lies beyond one turn in
/// another (Varghese and Lauck, SOSP 1987, scheme 6, with order restored within a slot).
/// </summary>
sealed class TimingWheel : IKeyQueue
{
    const int Slots = 4096;
    const int SlotBits = 6;

    readonly List<EventKey>[] wheel = [.. Enumerable.Range(0, Slots).Select(_ => new List<EventKey>(4))];
    readonly EventHeap current = new();
    readonly EventHeap beyond = new();
    long hand;
    int inWheel;

    public void Push(in EventKey key)
    {
        long slot = key.Due >> SlotBits;
        if (slot <= hand)
        {
            current.Push(key);
        }
        else if (slot < hand + Slots)
        {
            wheel[slot % Slots].Add(key);
            inWheel++;
        }
        else
        {
            beyond.Push(key);
        }
    }

    public EventKey Pop()
    {
        while (current.Count == 0)
        {
            hand = inWheel > 0 ? hand + 1 : beyond.Top.Due >> SlotBits;
            List<EventKey> slot = wheel[hand % Slots];
            foreach (EventKey key in slot)
            {
                current.Push(key);
            }
            inWheel -= slot.Count;
            slot.Clear();
            while (beyond.Count > 0 && beyond.Top.Due >> SlotBits < hand + Slots)
            {
                Push(beyond.Pop());
            }
        }
        return current.Pop();
    }
}
