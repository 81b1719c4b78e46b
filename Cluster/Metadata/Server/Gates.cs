using Harness.Runtime;

namespace Harness.Cluster.Metadata.Server;

/// <summary>What a gate stands before: an inode, or one name in a directory.</summary>
/// <param name="Inode">The inode, or the directory.</param>
/// <param name="Name">0 for the inode itself, otherwise the name's hash; names that share one wait for each other, and no harm is done.</param>
internal readonly record struct GateKey(ulong Inode, ulong Name = 0) : IComparable<GateKey>
{
    /// <summary>The key of a name.</summary>
    public static GateKey Of(ulong directory, ReadOnlySpan<byte> name)
    {
        // FNV-1a; a name's key is the same in every process, so that a simulation repeats.
        ulong hash = 14_695_981_039_346_656_037;
        foreach (byte one in name)
        {
            hash = (hash ^ one) * 1_099_511_628_211;
        }

        return new GateKey(directory, hash | 1);
    }

    /// <summary>The order in which one request passes gates: names before inodes, so that no two requests wait for each other.</summary>
    public int CompareTo(GateKey other) => (Name == 0, Inode, Name).CompareTo((other.Name == 0, other.Inode, other.Name));
}

/// <summary>Lets requests that change the same thing pass one after another, in the order in which they came. For one loop.</summary>
/// <remarks>
/// The next one goes on behind what the loop does now: whoever leaves a gate has still to send his reply, and a recall of what that reply
/// grants must not overtake it.
/// </remarks>
internal sealed class Gates(ILoop loop)
{
    private static readonly Action<object?> s_pass = static state => ((TaskCompletionSource)state!).SetResult();

    private readonly Dictionary<GateKey, Queue<TaskCompletionSource>?> _closed = [];

    /// <summary>How many gates are closed.</summary>
    public int Count => _closed.Count;

    /// <summary>Passes a gate, which is closed behind.</summary>
    public ValueTask Enter(GateKey key)
    {
        if (_closed.TryAdd(key, null))
        {
            return default;
        }

        Queue<TaskCompletionSource> waiting = _closed[key] ??= new Queue<TaskCompletionSource>();
        var turn = new TaskCompletionSource();
        waiting.Enqueue(turn);
        return new ValueTask(turn.Task);
    }

    /// <summary>Opens a gate for the next one.</summary>
    public void Leave(GateKey key)
    {
        if (_closed[key] is { Count: > 0 } waiting)
        {
            loop.Post(s_pass, waiting.Dequeue());
        }
        else
        {
            _closed.Remove(key);
        }
    }
}
