using Harness.Simulation.Chance;
using Harness.Simulation.Scheduling;

namespace Harness.Cluster.Disk;

/// <summary>
/// A simulated disk: what is on the medium, what is only in the page cache, and what becomes of the difference when the power goes. It
/// outlives the processes that use it; each of them attaches to it.
/// </summary>
/// <remarks>
/// Names change in the order of the calls, and a power cut keeps all changes up to some point after the last sync of a directory, as a
/// journalling file system does (Documentation/filesystems/ext4/journal.rst). Of the blocks written since a file was synced each is then
/// old or new, or torn at a sector of 512 bytes.
/// </remarks>
internal sealed class SimDisk
{
    /// <summary>Disk events in a trace.</summary>
    internal const EventKind Event = (EventKind)65;

    private readonly SimRandom _random;
    private readonly List<SortedDictionary<string, SimInode>> _history = [];
    private SortedDictionary<string, SimInode> _names = new(StringComparer.Ordinal);
    private long _busyUntil;

    /// <summary>An empty disk.</summary>
    public SimDisk(SimScheduler world, string name, SimDiskOptions? options = null)
    {
        World = world;
        Name = name;
        Options = options ?? new SimDiskOptions();
        _random = world.Random.Split("disk " + name);
        _history.Add(new SortedDictionary<string, SimInode>(_names, StringComparer.Ordinal));
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>How it behaves; may be changed while the world runs.</summary>
    public SimDiskOptions Options { get; }

    /// <summary>Names of all files.</summary>
    public IReadOnlyCollection<string> Files => _names.Keys;

    internal SimScheduler World { get; }

    internal SimRandom Random => _random;

    internal SortedDictionary<string, SimInode> Names => _names;

    internal long BytesUsed => _names.Values.Sum(inode => inode.BytesUsed);

    /// <summary>The disk as one process's loop sees it.</summary>
    public IDisk Attach(SimLoop loop) => new SimDiskView(this, loop);

    /// <summary>The power goes and comes back. To be called once the host's processes have been crashed.</summary>
    public void PowerLoss()
    {
        _names = new SortedDictionary<string, SimInode>(_history[_random.Next(_history.Count)], StringComparer.Ordinal);
        _history.Clear();
        foreach (SimInode inode in _names.Values.Distinct())
        {
            inode.PowerLoss(_random);
        }

        CommitNames();
    }

    /// <summary>A fault: turns over one bit of a file.</summary>
    /// <returns>False if there is no such byte.</returns>
    public bool Rot(string name, long offset, int bit) => _names.TryGetValue(name, out SimInode? inode) && inode.Rot(offset, bit);

    /// <summary>A change of the names, which a power cut may undo until they are committed.</summary>
    internal void NamesChanged() => _history.Add(new SortedDictionary<string, SimInode>(_names, StringComparer.Ordinal));

    internal void CommitNames()
    {
        _history.Clear();
        NamesChanged();
    }

    /// <summary>When the device will have done so much more.</summary>
    internal long Occupy(long nanoseconds, long bytes)
    {
        long work = (nanoseconds + (bytes * 1_000_000_000L / Options.BytesPerSecond)) * Options.Slowness;
        return _busyUntil = Math.Max(_busyUntil, World.NowNanoseconds) + work;
    }
}
