using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Memory;

/// <content>Rename, in the four ways of renameat2(2).</content>
internal sealed partial class MemoryFileSystem
{
    private const RenameFlags AllRenameFlags = RenameFlags.Noreplace | RenameFlags.Exchange | RenameFlags.Whiteout;

    /// <inheritdoc/>
    public ValueTask<Errno> Rename(
        RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, NodeId newParent, ReadOnlyMemory<byte> newName, RenameFlags flags)
    {
        bool exchange = (flags & RenameFlags.Exchange) != 0;
        if ((flags & ~AllRenameFlags) != 0 || (exchange && flags != RenameFlags.Exchange))
        {
            return new(Errno.EINVAL);
        }

        Errno error = FindDirectory(parent, out Inode from, out DirectoryIndex fromIndex);
        Errno newError = FindDirectory(newParent, out Inode to, out DirectoryIndex toIndex);
        if (error != Errnos.Ok || newError != Errnos.Ok)
        {
            return new(error != Errnos.Ok ? error : newError);
        }

        if (name.Length > NameBytesMax || newName.Length > NameBytesMax)
        {
            return new(Errno.ENAMETOOLONG);
        }

        Inode? replaced = null;
        _names.EnterWriteLock();
        try
        {
            // Both are held, so that no lookup sees the name in both places, or in neither.
            lock (fromIndex.Gate)
            {
                lock (toIndex.Gate)
                {
                    var move = new Move(from, fromIndex.Find(name.Span), to, toIndex.Find(newName.Span));
                    error = Check(move, flags);
                    if (error != Errnos.Ok || move.Source == move.Target)
                    {
                        return new(error);
                    }

                    if (exchange)
                    {
                        Exchange(move);
                        return new(Errnos.Ok);
                    }

                    error = Replace(context, move, newName.Span, (flags & RenameFlags.Whiteout) != 0);
                    replaced = move.Target;
                }
            }
        }
        finally
        {
            _names.ExitWriteLock();
        }

        if (error == Errnos.Ok && replaced is not null)
        {
            DropUnlessUsed(replaced);
        }

        return new(error);
    }

    private static Errno Check(Move move, RenameFlags flags)
    {
        if (move.Source is null)
        {
            return Errno.ENOENT;
        }

        if (move.To.Nlink == 0)
        {
            return Errno.ENOENT;
        }

        if (IsWithin(move.To, move.Source))
        {
            return Errno.EINVAL;
        }

        if ((flags & RenameFlags.Exchange) != 0)
        {
            return move.Target is null ? Errno.ENOENT : IsWithin(move.From, move.Target) ? Errno.EINVAL : Errnos.Ok;
        }

        if (move.Target is null || move.Source == move.Target)
        {
            return move.Target is not null && (flags & RenameFlags.Noreplace) != 0 ? Errno.EEXIST : Errnos.Ok;
        }

        return (flags & RenameFlags.Noreplace) != 0 ? Errno.EEXIST : CheckReplaced(move.Source, move.Target);
    }

    private static Errno CheckReplaced(Inode source, Inode target) => (source.Directory, target.Directory) switch
    {
        (null, not null) => Errno.EISDIR,
        (not null, null) => Errno.ENOTDIR,
        (not null, { Count: > 0 }) => Errno.ENOTEMPTY,
        _ => Errnos.Ok,
    };

    /// <summary>Whether a directory is the given one or somewhere below it.</summary>
    private static bool IsWithin(Inode directory, Inode other)
    {
        for (Inode at = directory; ; at = at.Directory!.Parent)
        {
            if (at == other)
            {
                return true;
            }

            if (at == at.Directory!.Parent)
            {
                return false;
            }
        }
    }

    private void Exchange(Move move)
    {
        (Inode source, Inode target) = (move.Source!, move.Target!);
        (move.SourceEntry!.Inode, move.TargetEntry!.Inode) = (target, source);
        Moved(source, move.To);
        Moved(target, move.From);
        int difference = move.From == move.To ? 0 : CountAsDirectory(target) - CountAsDirectory(source);
        Touch(move.From, difference);
        Touch(move.To, -difference);
    }

    private Errno Replace(RequestContext context, Move move, ReadOnlySpan<byte> newName, bool leaveWhiteout)
    {
        Result<Inode> whiteout = leaveWhiteout ? MakeWhiteout(context, move.From) : default;
        if (!whiteout.IsOk)
        {
            return whiteout.Error;
        }

        (Inode source, DirectoryEntry entry) = (move.Source!, move.SourceEntry!);
        (DirectoryIndex from, DirectoryIndex to) = (move.From.Directory!, move.To.Directory!);
        if (move.TargetEntry is { } target)
        {
            DiscountName(target.Inode!);
            target.Inode = source;
        }
        else if (from == to && whiteout.Value is null)
        {
            from.Rename(entry, newName);
        }
        else
        {
            to.Add(newName, source);
        }

        if (whiteout.Value is not null)
        {
            entry.Inode = whiteout.Value;
        }
        else if (from != to || move.TargetEntry is not null)
        {
            from.Remove(entry);
        }

        Moved(source, move.To);
        Touch(move.From, -CountAsDirectory(source));
        Touch(move.To, CountAsDirectory(source) - (move.Target is null ? 0 : CountAsDirectory(move.Target)));
        return Errnos.Ok;
    }

    private static int CountAsDirectory(Inode inode) => inode.Directory is null ? 0 : 1;

    /// <summary>A device 0:0, by which overlayfs marks a name of a lower layer as removed (include/linux/fs.h, <c>WHITEOUT_DEV</c>).</summary>
    private Result<Inode> MakeWhiteout(RequestContext context, Inode directory)
    {
        Result<Inode> made = MakeInode(context, directory, new Wanted(FilePermissions.S_IFCHR, 0));
        if (made.IsOk)
        {
            // Nobody is told of it, so nobody will forget it.
            made.Value.Lookups = 0;
        }

        return made;
    }

    /// <summary>Notes that a file has got a new name, in this directory.</summary>
    private void Moved(Inode inode, Inode directory)
    {
        lock (inode.Gate)
        {
            inode.Ctime = Now;
        }

        if (inode.Directory is { } index)
        {
            index.Parent = directory;
        }
    }

    /// <summary>The two names of a rename, and what they name as it begins.</summary>
    private sealed class Move(Inode from, DirectoryEntry? source, Inode to, DirectoryEntry? target)
    {
        public Inode From { get; } = from;

        public DirectoryEntry? SourceEntry { get; } = source;

        public Inode? Source { get; } = source?.Inode;

        public Inode To { get; } = to;

        public DirectoryEntry? TargetEntry { get; } = target;

        public Inode? Target { get; } = target?.Inode;
    }
}
