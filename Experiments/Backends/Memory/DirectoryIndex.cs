namespace Harness.Experiments.Backends.Memory;

/// <summary>A name in a directory.</summary>
/// <param name="cookie">Its place in listings.</param>
internal sealed class DirectoryEntry(ulong cookie)
{
    /// <summary>Where the name stands in listings; never given to another name of the same directory.</summary>
    public ulong Cookie { get; } = cookie;

    /// <summary>The name, without NUL.</summary>
    public required byte[] Name { get; set; }

    /// <summary>What it names; null once the name is removed.</summary>
    public required Inode? Inode { get; set; }
}

/// <summary>
/// The names in a directory: found by name, listed by cookie. All members but <see cref="Gate"/> and <see cref="Parent"/> are guarded by
/// <see cref="Gate"/>.
/// </summary>
/// <remarks>
/// Cookies only grow, so a listing that goes on behind a cookie misses nothing that stays and meets nothing twice, whatever else comes and
/// goes. A name that is replaced or renamed within the directory keeps its place: a program that renames what it lists comes to an end.
/// </remarks>
internal sealed class DirectoryIndex
{
    /// <summary>The first cookie of a name; smaller ones belong to <c>.</c> and <c>..</c>.</summary>
    public const ulong FirstCookie = 3;

    private const int RemovedMin = 32;

    private readonly Dictionary<byte[], DirectoryEntry> _byName = new(NameComparer.Instance);
    private readonly Dictionary<byte[], DirectoryEntry>.AlternateLookup<ReadOnlySpan<byte>> _byBytes;
    private readonly List<DirectoryEntry> _byCookie = [];
    private Inode _parent;

    /// <summary>An empty directory below <paramref name="parent"/>.</summary>
    public DirectoryIndex(Inode parent)
    {
        _parent = parent;
        _byBytes = _byName.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <summary>Guards the names.</summary>
    public Lock Gate { get; } = new();

    /// <summary>The directory above; for the root, itself.</summary>
    public Inode Parent
    {
        get => Volatile.Read(ref _parent);
        set => Volatile.Write(ref _parent, value);
    }

    /// <summary>How many names there are.</summary>
    public int Count => _byName.Count;

    /// <summary>The cookie that the next name will get.</summary>
    public ulong NextCookie { get; private set; } = FirstCookie;

    /// <summary>How many entries <see cref="this[int]"/> has, removed ones included.</summary>
    public int Length => _byCookie.Count;

    /// <summary>The entries in the order of cookies; those removed have no inode.</summary>
    public DirectoryEntry this[int index] => _byCookie[index];

    /// <summary>Finds a name.</summary>
    public DirectoryEntry? Find(ReadOnlySpan<byte> name) =>
        _byBytes.TryGetValue(name, out DirectoryEntry? entry) ? entry : null;

    /// <summary>Adds a name that is not there.</summary>
    public void Add(ReadOnlySpan<byte> name, Inode inode)
    {
        var entry = new DirectoryEntry(NextCookie++) { Name = name.ToArray(), Inode = inode };
        _byName.Add(entry.Name, entry);
        _byCookie.Add(entry);
    }

    /// <summary>Removes a name.</summary>
    public void Remove(DirectoryEntry entry)
    {
        _byName.Remove(entry.Name);
        entry.Inode = null;

        // Removed entries leave the list once they are the greater part of it, so that each costs a constant on average.
        int removed = _byCookie.Count - _byName.Count;
        if (removed > RemovedMin && removed > _byName.Count)
        {
            _byCookie.RemoveAll(static entry => entry.Inode is null);
        }
    }

    /// <summary>Gives an entry a name that is not there; it keeps its place.</summary>
    public void Rename(DirectoryEntry entry, ReadOnlySpan<byte> name)
    {
        _byName.Remove(entry.Name);
        entry.Name = name.ToArray();
        _byName.Add(entry.Name, entry);
    }

    /// <summary>The index of the first entry behind a cookie.</summary>
    public int IndexBehind(ulong cookie)
    {
        int low = 0;
        int high = _byCookie.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _byCookie[middle].Cookie <= cookie ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}
