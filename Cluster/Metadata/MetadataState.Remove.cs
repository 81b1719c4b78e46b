using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Metadata;

/// <content>Removing names, and what becomes of inodes without one.</content>
internal sealed partial class MetadataState
{
    private readonly SortedDictionary<ulong, SortedSet<ulong>> _holders = [];

    /// <summary>The sessions that hold an inode open, as far as the log has been told: see <see cref="Hold"/>.</summary>
    public IReadOnlyCollection<ulong> HoldersOf(ulong inode) => _holders.TryGetValue(inode, out SortedSet<ulong>? all) ? all : [];

    private Outcome Unlink(Unlink unlink)
    {
        ref Inode directory = ref _inodes.Find(unlink.Parent);
        if (!directory.Exists || !directory.IsDirectory)
        {
            return Failed(directory.Exists ? Errno.ENOTDIR : Errno.ESTALE);
        }

        ulong number = directory.Names.Find(unlink.Name.Span);
        ref Inode inode = ref _inodes.Find(number);
        Errno error = inode switch
        {
            { Exists: false } => unlink.Name.Length > MetadataLimits.NameBytesMax ? Errno.ENAMETOOLONG : Errno.ENOENT,
            { IsDirectory: true } when !unlink.Directory => Errno.EISDIR,
            { IsDirectory: false } when unlink.Directory => Errno.ENOTDIR,
            { IsDirectory: true, Names.Count: > 0 } => Errno.ENOTEMPTY,
            _ => Errnos.Ok,
        };
        if (error != Errnos.Ok)
        {
            return Failed(error);
        }

        directory.Names.Remove(unlink.Name.Span);
        Touch(ref directory, subdirectories: unlink.Directory ? -1 : 0);
        LoseName(ref inode, unlink.Holders);
        return new Outcome { Replaced = number };
    }

    /// <summary>A session says that it has an inode open, or no longer.</summary>
    private Outcome Hold(ulong session, Hold hold)
    {
        ref Inode inode = ref _inodes.Find(hold.Inode);
        if (!inode.Exists)
        {
            return Failed(Errno.ESTALE);
        }

        if (hold.Held)
        {
            Held(hold.Inode, session);
        }
        else
        {
            Release(hold.Inode, session);
        }

        return Done();
    }

    /// <summary>A session has none of these inodes open any longer.</summary>
    private Outcome ReleaseAll(ulong session, Release release)
    {
        foreach (ulong inode in release.Inodes)
        {
            Release(inode, session);
        }

        return Done();
    }

    private void Held(ulong inode, ulong session)
    {
        if (session == 0)
        {
            return;
        }

        if (!_holders.TryGetValue(inode, out SortedSet<ulong>? all))
        {
            _holders.Add(inode, all = []);
        }

        all.Add(session);
    }

    private void Release(ulong number, ulong session)
    {
        if (_holders.TryGetValue(number, out SortedSet<ulong>? all) && all.Remove(session) && all.Count == 0)
        {
            _holders.Remove(number);
            DropUnlessUsed(ref _inodes.Find(number));
        }
    }

    /// <summary>One name less; the last of a directory takes its own <c>.</c> with it.</summary>
    private void LoseName(ref Inode inode, IEnumerable<ulong> holders)
    {
        inode.Ctime = Now;
        inode.Traits &= ~InodeTraits.Linkable;
        inode.Nlink = inode.IsDirectory ? 0 : inode.Nlink - 1;
        if (inode.Nlink == 0)
        {
            foreach (ulong holder in holders)
            {
                if (_sessions.ContainsKey(holder))
                {
                    Held(inode.Number, holder);
                }
            }
        }

        DropUnlessUsed(ref inode);
    }

    /// <summary>Frees an inode that has neither a name nor a holder. Its reference is of no use after that.</summary>
    private void DropUnlessUsed(ref Inode inode)
    {
        if (!inode.Exists || inode.Nlink != 0 || _holders.ContainsKey(inode.Number))
        {
            return;
        }

        ulong number = inode.Number;
        DropAllChunks(in inode);
        _xattrs.Remove(number);
        DropLocks(number);
        _inodes.Remove(number);
    }
}
