using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Memory;

/// <content>Names: finding, adding and removing them one by one.</content>
internal sealed partial class MemoryFileSystem
{
    /// <summary>
    /// Finds a name. <c>.</c> of any node, and <c>..</c> of a directory, are found too: NFS asks for them by node id (EXPORT_SUPPORT).
    /// </summary>
    public ValueTask<Result<EntryOut>> Lookup(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name)
    {
        Errno error = FindName(parent, name.Span, out Inode? found);
        if (error == Errnos.Ok)
        {
            return new(LookUp(found!));
        }

        bool remember = error == Errno.ENOENT && _backend.NegativeTimeout > TimeSpan.Zero;
        return remember ? new(_backend.NegativeEntry()) : new(error);
    }

    /// <inheritdoc/>
    public ValueTask<Result<EntryOut>> Link(RequestContext context, NodeId node, NodeId newParent, ReadOnlyMemory<byte> newName)
    {
        if (Find(node) is not { } inode)
        {
            return new(Errno.ESTALE);
        }

        if (inode.Directory is not null)
        {
            return new(Errno.EPERM);
        }

        Result<Inode> named = AddName(newParent, newName.Span, _ =>
        {
            Errno error = CountName(inode);
            return error == Errnos.Ok ? inode : error;
        });
        return new(named.IsOk ? LookUp(inode) : named.Error);
    }

    /// <inheritdoc/>
    public ValueTask<Errno> Unlink(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name)
    {
        Errno error = FindDirectory(parent, out Inode directory, out DirectoryIndex index);
        if (error != Errnos.Ok)
        {
            return new(error);
        }

        Inode? unlinked;
        _names.EnterReadLock();
        try
        {
            lock (index.Gate)
            {
                DirectoryEntry? entry = index.Find(name.Span);
                unlinked = entry?.Inode;
                if (unlinked is null)
                {
                    return new(name.Length > NameBytesMax ? Errno.ENAMETOOLONG : Errno.ENOENT);
                }

                if (unlinked.Directory is not null)
                {
                    return new(Errno.EISDIR);
                }

                index.Remove(entry!);
                Touch(directory);
                DiscountName(unlinked);
            }
        }
        finally
        {
            _names.ExitReadLock();
        }

        DropUnlessUsed(unlinked);
        return new(Errnos.Ok);
    }

    /// <inheritdoc/>
    public ValueTask<Errno> Rmdir(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name)
    {
        Errno error = FindDirectory(parent, out Inode directory, out DirectoryIndex index);
        if (error != Errnos.Ok)
        {
            return new(error);
        }

        Inode? removed;
        _names.EnterWriteLock();
        try
        {
            lock (index.Gate)
            {
                DirectoryEntry? entry = index.Find(name.Span);
                removed = entry?.Inode;
                error = removed switch
                {
                    null => name.Length > NameBytesMax ? Errno.ENAMETOOLONG : Errno.ENOENT,
                    { Directory: null } => Errno.ENOTDIR,
                    { Directory.Count: > 0 } => Errno.ENOTEMPTY,
                    _ => Errnos.Ok,
                };
                if (error != Errnos.Ok)
                {
                    return new(error);
                }

                index.Remove(entry!);
                Touch(directory, subdirectories: -1);
                DiscountName(removed!);
            }
        }
        finally
        {
            _names.ExitWriteLock();
        }

        DropUnlessUsed(removed!);
        return new(Errnos.Ok);
    }

    private Errno FindName(NodeId parent, ReadOnlySpan<byte> name, out Inode? found)
    {
        found = Find(parent);
        if (found is null)
        {
            return Errno.ESTALE;
        }

        if (name.SequenceEqual("."u8))
        {
            return Errnos.Ok;
        }

        if (found.Directory is not { } index)
        {
            return Errno.ENOTDIR;
        }

        if (name.SequenceEqual(".."u8))
        {
            found = index.Parent;
            return Errnos.Ok;
        }

        lock (index.Gate)
        {
            found = index.Find(name)?.Inode;
        }

        return found is not null ? Errnos.Ok : name.Length > NameBytesMax ? Errno.ENAMETOOLONG : Errno.ENOENT;
    }

    /// <summary>Adds a name to a directory, if it is there and has no such name.</summary>
    /// <param name="parent">The directory.</param>
    /// <param name="name">The name.</param>
    /// <param name="make">Gives what shall have the name, or says why not; called under the directory's lock.</param>
    private Result<Inode> AddName(NodeId parent, ReadOnlySpan<byte> name, Func<Inode, Result<Inode>> make)
    {
        Errno error = FindDirectory(parent, out Inode directory, out DirectoryIndex index);
        if (error != Errnos.Ok)
        {
            return error;
        }

        if (name.Length > NameBytesMax)
        {
            return Errno.ENAMETOOLONG;
        }

        _names.EnterReadLock();
        try
        {
            lock (index.Gate)
            {
                // A directory that was removed takes no more names. Removing needs the name space alone, so it cannot happen meanwhile.
                if (directory.Nlink == 0)
                {
                    return Errno.ENOENT;
                }

                if (index.Find(name) is not null)
                {
                    return Errno.EEXIST;
                }

                Result<Inode> made = make(directory);
                if (made.IsOk)
                {
                    index.Add(name, made.Value);
                    Touch(directory, subdirectories: made.Value.Directory is null ? 0 : 1);
                }

                return made;
            }
        }
        finally
        {
            _names.ExitReadLock();
        }
    }

    /// <summary>One more name for a file. The first is paid for since the file was made.</summary>
    private Errno CountName(Inode inode)
    {
        lock (inode.Gate)
        {
            if (inode.Nlink == 0 && !inode.IsLinkable)
            {
                return Errno.ENOENT;
            }

            if (inode.Nlink > 0 && !_inodeBudget.TryCharge(1))
            {
                return Errno.ENOSPC;
            }

            inode.Nlink++;
            inode.Ctime = Now;
            return Errnos.Ok;
        }
    }

    /// <summary>One name less; the last of a directory takes its own <c>.</c> with it.</summary>
    private void DiscountName(Inode inode)
    {
        lock (inode.Gate)
        {
            inode.Ctime = Now;
            inode.IsLinkable = false;
            if (inode.Nlink > 1 && inode.Directory is null)
            {
                _inodeBudget.Refund(1);
                inode.Nlink--;
            }
            else
            {
                inode.Nlink = 0;
            }
        }
    }

    /// <summary>Notes that the names of a directory have changed.</summary>
    private void Touch(Inode directory, int subdirectories = 0)
    {
        lock (directory.Gate)
        {
            directory.Nlink = (uint)(directory.Nlink + subdirectories);
            directory.Modified(Now);
        }
    }
}
