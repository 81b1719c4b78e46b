namespace Harness.Transport.Simulated.Names;

/// <summary>A name in the dentry cache, with its inode, or with none where the daemon said that the name is absent.</summary>
internal sealed class Dentry(Dentry? parent, string name, Inode? inode)
{
    private Dictionary<string, Dentry>? _children;

    public Dentry? Parent { get; private set; } = parent;

    public string Name { get; private set; } = name;

    public Inode? Inode { get; } = inode;

    /// <summary>Until when it may be used without a LOOKUP, in virtual nanoseconds; 0 for not at all.</summary>
    public long ValidUntil { get; set; }

    /// <summary>Made by READDIRPLUS, and not used since: its first use shows that READDIRPLUS is worth it.</summary>
    public bool IsFromListing { get; set; }

    /// <summary>Open files that it or a name below it leads to: they hold its inode even when the name is gone.</summary>
    public int Pins { get; private set; }

    /// <summary>Whether it was taken out of the cache while it was pinned.</summary>
    public bool IsGone { get; set; }

    public IReadOnlyCollection<Dentry> Children => _children is null ? [] : _children.Values;

    public Dentry? Find(string name) => _children is not null && _children.TryGetValue(name, out Dentry? child) ? child : null;

    public void Add(Dentry child) => (_children ??= [])[child.Name] = child;

    public void Remove(Dentry child) => _children?.Remove(child.Name);

    public void Move(Dentry parent, string name)
    {
        Parent?.Pin(-Pins);
        parent.Pin(Pins);
        (Parent, Name) = (parent, name);
    }

    /// <summary>Changes how many open files it and all above it lead to.</summary>
    public void Pin(int by)
    {
        for (Dentry? dentry = this; dentry is not null; dentry = dentry.Parent)
        {
            dentry.Pins += by;
        }
    }
}
