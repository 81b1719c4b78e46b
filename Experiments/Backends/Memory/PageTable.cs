namespace Harness.Experiments.Backends.Memory;

/// <summary>
/// Which page holds which part of a file: a radix tree of 64-way nodes, as deep as the file needs. Its leaves are arrays of
/// <see cref="LeafPages"/> slots, each a page number, <see cref="Hole"/> or <see cref="Reserved"/>.
/// </summary>
/// <remarks>
/// All but <see cref="Prune(long)"/> may run beside each other on many threads, and slots may be filled beside them by compare-and-swap. Who prunes, or
/// empties slots, needs the table for himself.
/// A lone page anywhere in 2^63 bytes costs at most a leaf of 0.3 KiB and some nodes of 0.6 KiB.
/// </remarks>
internal sealed class PageTable
{
    /// <summary>A slot without data: reads as zeros.</summary>
    public const int Hole = 0;

    /// <summary>A slot without data whose page is paid for (fallocate): reads as zeros, and a write to it cannot fail for lack of space.</summary>
    public const int Reserved = -1;

    /// <summary>Slots of a leaf.</summary>
    public const int LeafPages = 1 << LevelBits;

    private const int LevelBits = 6;

    private Node? _root;

    /// <summary>The leaf that has the slot of <paramref name="page"/>, if there is one.</summary>
    public int[]? FindLeaf(long page)
    {
        Node? node = Volatile.Read(ref _root);
        if (node is null || !node.Covers(page))
        {
            return null;
        }

        while (node.Children is not null)
        {
            node = Volatile.Read(ref node.Child(page));
            if (node is null)
            {
                return null;
            }
        }

        return node.Slots;
    }

    /// <summary>The leaf that has the slot of <paramref name="page"/>, made if need be.</summary>
    public int[] GetLeaf(long page)
    {
        Node node = GetRoot(page);
        while (node.Children is not null)
        {
            ref Node? child = ref node.Child(page);
            Node? next = Volatile.Read(ref child);
            if (next is null)
            {
                var made = new Node(node.Shift - LevelBits);
                next = Interlocked.CompareExchange(ref child, made, null) ?? made;
            }

            node = next;
        }

        return node.Slots!;
    }

    /// <summary>The first leaf that has slots at or behind <paramref name="page"/>.</summary>
    /// <param name="page">Where to begin.</param>
    /// <param name="start">The page of the leaf's first slot, which may be before <paramref name="page"/>.</param>
    public int[]? NextLeaf(long page, out long start)
    {
        start = 0;
        return _root is not null && _root.Covers(page) ? NextLeaf(_root, page, ref start) : null;
    }

    /// <summary>Drops the leaf that has the slot of <paramref name="page"/>, and what is above it, where nothing but holes is left.</summary>
    public void Prune(long page)
    {
        if (_root is not null && _root.Covers(page) && Prune(_root, page))
        {
            _root = null;
        }
    }

    private Node GetRoot(long page)
    {
        while (true)
        {
            Node? root = Volatile.Read(ref _root);
            if (root is not null && root.Covers(page))
            {
                return root;
            }

            // Who still walks down from the old root meets the same nodes below the new one.
            Node larger = root is null ? new Node(0) : new Node(root.Shift + LevelBits);
            if (root is not null)
            {
                larger.Child(0) = root;
            }

            Interlocked.CompareExchange(ref _root, larger, root);
        }
    }

    private static int[]? NextLeaf(Node node, long page, ref long start)
    {
        if (node.Children is null)
        {
            return node.Slots;
        }

        long first = start;
        for (int i = page <= first ? 0 : (int)((page - first) >> node.Shift); i < LeafPages; i++)
        {
            Node? child = node.Children[i];
            start = first + ((long)i << node.Shift);
            int[]? leaf = child is null ? null : NextLeaf(child, page, ref start);
            if (leaf is not null)
            {
                return leaf;
            }
        }

        return null;
    }

    private static bool Prune(Node node, long page)
    {
        if (node.Children is null)
        {
            return !node.Slots.AsSpan().ContainsAnyExcept(Hole);
        }

        ref Node? child = ref node.Child(page);
        if (child is not null && Prune(child, page))
        {
            child = null;
        }

        return Array.TrueForAll(node.Children, static child => child is null);
    }

    /// <summary>A node of the tree: a leaf, if <see cref="Shift"/> is 0, or 64 subtrees of 2^Shift pages.</summary>
    private sealed class Node
    {
        public readonly int Shift;
        public readonly Node?[]? Children;
        public readonly int[]? Slots;

        public Node(int shift)
        {
            Shift = shift;
            Children = shift == 0 ? null : new Node?[LeafPages];
            Slots = shift == 0 ? new int[LeafPages] : null;
        }

        public bool Covers(long page) => page >> Shift < LeafPages;

        public ref Node? Child(long page) => ref Children![(int)(page >> Shift) & (LeafPages - 1)];
    }
}
