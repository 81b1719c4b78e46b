using System.Collections.Concurrent;

namespace Harness.Experiments.Backends.Passthrough;

/// <summary>What is open, by the <c>fh</c> that the kernel knows it by: a number that was never given out stands for nothing.</summary>
/// <remarks>Thread-safe. Owns what is in it.</remarks>
internal sealed class HandleTable<T>
    where T : class, IDisposable
{
    private readonly ConcurrentDictionary<ulong, T> _open = new();
    private ulong _last;

    /// <summary>How many are open.</summary>
    public int Count => _open.Count;

    /// <summary>Gives it a number.</summary>
    public ulong Add(T opened)
    {
        ulong fh = Interlocked.Increment(ref _last);
        _open[fh] = opened;
        return fh;
    }

    /// <summary>What has this number; null for none.</summary>
    public T? Find(ulong fh) => _open.TryGetValue(fh, out T? opened) ? opened : null;

    /// <summary>Takes it out; the caller disposes it.</summary>
    public T? Remove(ulong fh) => _open.TryRemove(fh, out T? opened) ? opened : null;

    /// <summary>Closes everything.</summary>
    public void Clear()
    {
        foreach (ulong fh in _open.Keys)
        {
            Remove(fh)?.Dispose();
        }
    }
}
