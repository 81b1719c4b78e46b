using System.Runtime.CompilerServices;
using Harness.FuseProtocol.Wire;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Requests;

namespace Harness.Transport.Simulated.Names;

/// <summary>The inodes and names that the kernel knows, and what answers make of them (fs/fuse/inode.c).</summary>
internal sealed class InodeTable
{
    private const ulong RootId = 1;
    private const uint DirectoryMode = 0x4000;
    private const long NanosPerSecond = 1_000_000_000;

    private readonly FuseConnection _connection;
    private readonly Dictionary<ulong, Inode> _inodes = [];
    private ulong _version = 1;

    public InodeTable(FuseConnection connection)
    {
        _connection = connection;
        var root = new Inode(connection.Machine, RootId, 0, DirectoryMode) { Lookups = 1, References = 1 };
        _inodes[RootId] = root;
        Root = new Dentry(null, "", root) { ValidUntil = long.MaxValue };
    }

    public Dentry Root { get; }

    /// <summary>To be read before a request whose answer tells attributes.</summary>
    public ulong Version => _version;

    /// <summary>Attributes are no longer what any answer under way says.</summary>
    public void Changed(Inode inode) => inode.Version = ++_version;

    /// <summary>The virtual time until which an answer is valid; 0 if it is not to be kept.</summary>
    public long Deadline(ulong seconds, uint nanoseconds)
    {
        if (seconds == 0 && nanoseconds == 0)
        {
            return 0;
        }

        long valid = (long)Math.Min(seconds, 1UL << 32) * NanosPerSecond + nanoseconds;
        return _connection.Now + valid;
    }

    /// <summary>The inode that an answer names, with one lookup more.</summary>
    public Inode Get(in EntryOut entry, ulong version)
    {
        if (!_inodes.TryGetValue(entry.Nodeid, out Inode? inode))
        {
            inode = new Inode(_connection.Machine, entry.Nodeid, entry.Generation, entry.Attr.Mode) { Size = (long)entry.Attr.Size };
            _inodes[entry.Nodeid] = inode;
        }

        inode.Lookups++;
        Adopt(inode, in entry.Attr, Deadline(entry.AttrValid, entry.AttrValidNsec), version);
        return inode;
    }

    /// <summary>Takes the attributes of an answer (<c>fuse_change_attributes</c>).</summary>
    /// <returns>Whether cached data must go.</returns>
    public bool Adopt(Inode inode, in Attr attr, long validUntil, ulong version)
    {
        if (inode.Version > version || inode.IsSizeUnstable)
        {
            return false;
        }

        bool trustsOwn = TrustsOwnSize(inode);
        bool sameTime = inode.Attr.Mtime == attr.Mtime && inode.Attr.Mtimensec == attr.Mtimensec;
        long oldSize = inode.Size;
        inode.Attr = attr;
        inode.HasNoPrivileges = false;
        inode.Invalid = AttributeMask.None;
        inode.ValidUntil = validUntil;
        inode.Version = ++_version;
        if (trustsOwn)
        {
            return false;
        }

        inode.Size = (long)attr.Size;
        if (!inode.IsRegular)
        {
            return false;
        }

        if (oldSize != inode.Size)
        {
            inode.Pages.Truncate(inode.Size);
            return DropIf(inode, !_connection.Has(InitFlags.ExplicitInvalData));
        }

        return DropIf(inode, _connection.Has(InitFlags.AutoInvalData) && !sameTime);
    }

    /// <summary>Whether size and times of a file are the kernel's own to say (<c>fuse_get_cache_mask</c>).</summary>
    public bool TrustsOwnSize(Inode inode) => _connection.Has(InitFlags.WritebackCache) && inode.IsRegular;

    /// <summary>Puts a name into the cache, in the place of what was there.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Dentry> Attach(SimThread thread, Dentry parent, string name, Inode? inode, long validUntil)
    {
        if (inode is not null)
        {
            inode.References++;
        }

        if (parent.Find(name) is { } old)
        {
            await Drop(thread, old);
        }

        var made = new Dentry(parent, name, inode) { ValidUntil = validUntil };
        parent.Add(made);
        return made;
    }

    /// <summary>Takes a name, and all below it, out of the cache.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    public async ValueTask Drop(SimThread thread, Dentry dentry)
    {
        dentry.Parent?.Remove(dentry);
        foreach (Dentry child in dentry.Children.ToArray())
        {
            await Drop(thread, child);
        }

        if (dentry.Pins > 0)
        {
            dentry.IsGone = true;
        }
        else if (dentry.Inode is { } inode)
        {
            await Put(thread, inode);
        }
    }

    /// <summary>An open file is closed: names that were gone before let go of their inodes.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    public async ValueTask Unpin(SimThread thread, Dentry opened)
    {
        opened.Pin(-1);
        for (Dentry? dentry = opened; dentry is not null; dentry = dentry.Parent)
        {
            if (dentry is { IsGone: true, Pins: 0, Inode: { } inode })
            {
                dentry.IsGone = false;
                await Put(thread, inode);
            }
        }
    }

    /// <summary>One holder less; an inode that nobody holds is given back to the daemon.</summary>
    public ValueTask Put(SimThread thread, Inode inode)
    {
        if (--inode.References > 0 || inode.NodeId == RootId)
        {
            return default;
        }

        _inodes.Remove(inode.NodeId);
        inode.Pages.Truncate(0);
        return inode.Lookups == 0 ? default : _connection.Forget(thread, inode.NodeId, inode.Lookups);
    }

    /// <summary>A directory's names have changed: nothing that was known of it holds (<c>fuse_dir_changed</c>).</summary>
    public static void DirectoryChanged(Inode directory) => directory.Invalidate(AttributeMask.Basic);

    /// <summary>The kernel's own clock has set a file's change time (<c>fuse_update_ctime</c>).</summary>
    public void ChangeTimeMoved(Inode inode)
    {
        inode.Invalidate(AttributeMask.Ctime);
        if (TrustsOwnSize(inode))
        {
            inode.HasDirtyTimes = true;
        }
    }

    private static bool DropIf(Inode inode, bool condition)
    {
        if (condition)
        {
            inode.Pages.DropClean();
        }

        return condition;
    }
}
