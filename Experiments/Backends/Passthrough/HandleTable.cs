using System.Collections.Concurrent;
using Harness.Experiments.Keeping;
using Harness.Runtime.Native;

namespace Harness.Experiments.Backends.Passthrough;

/// <summary>What is open of a node, under a number that the kernel knows it by.</summary>
internal abstract class Handle(Node node, int fd) : FileDescriptor(fd)
{
    /// <summary>The file.</summary>
    public Node Node { get; } = node;

    /// <summary>Where it is kept; −1 if it is not.</summary>
    public int Slot { get; set; } = -1;
}

/// <summary>What is open, by the <c>fh</c> that the kernel knows it by: a number that was never given out stands for nothing.</summary>
/// <remarks>Thread-safe. Owns what is in it.</remarks>
internal sealed class HandleTable<T>
    where T : Handle
{
    private readonly ConcurrentDictionary<ulong, T> _open = new();
    private readonly KeptDescriptors? _kept;
    private readonly KeptKind _kind;
    private ulong _last;

    /// <summary>An empty table.</summary>
    /// <param name="kept">Where what is open is kept for a later process; null for nowhere.</param>
    /// <param name="kind">What is open.</param>
    public HandleTable(KeptDescriptors? kept, KeptKind kind)
    {
        _kept = kept;
        _kind = kind;
    }

    /// <summary>How many are open.</summary>
    public int Count => _open.Count;

    /// <summary>All that are open.</summary>
    public IEnumerable<T> All => _open.Values;

    /// <summary>Gives it a number.</summary>
    /// <param name="opened">What is open.</param>
    /// <param name="unique">The request that opened it.</param>
    /// <returns>The number; 0 if no more can be kept.</returns>
    public ulong Add(T opened, ulong unique)
    {
        ulong fh = Interlocked.Increment(ref _kept is null ? ref _last : ref _kept.LastFh);
        if (_kept is not null)
        {
            opened.Slot = _kept.Keep(new KeptSlot { Id = fh, Kind = _kind, Value = opened.Node.Id, Unique = unique }, opened);
            if (opened.Slot < 0)
            {
                return 0;
            }
        }

        _open[fh] = opened;
        return fh;
    }

    /// <summary>Takes the place of what a process before this one had open.</summary>
    public void Inherit(T opened, in KeptDescriptor inherited)
    {
        opened.Slot = inherited.Slot;
        _open[inherited.Record.Id] = opened;
    }

    /// <summary>What has this number; null for none.</summary>
    public T? Find(ulong fh) => _open.TryGetValue(fh, out T? opened) ? opened : null;

    /// <summary>Takes it out; the caller disposes it.</summary>
    public T? Remove(ulong fh)
    {
        if (!_open.TryRemove(fh, out T? opened))
        {
            return null;
        }

        if (opened.Slot >= 0)
        {
            _kept!.Drop(opened.Slot);
        }

        return opened;
    }

    /// <summary>Closes everything.</summary>
    public void Clear()
    {
        foreach (ulong fh in _open.Keys)
        {
            Remove(fh)?.Dispose();
        }
    }
}
