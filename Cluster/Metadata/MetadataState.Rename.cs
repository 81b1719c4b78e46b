using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Cluster.Metadata;

/// <content>Rename, in the four ways of renameat2(2).</content>
internal sealed partial class MetadataState
{
    private const RenameFlags AllRenameFlags = RenameFlags.Noreplace | RenameFlags.Exchange | RenameFlags.Whiteout;

    private Outcome Rename(Rename rename)
    {
        var flags = (RenameFlags)rename.Flags;
        bool exchange = (flags & RenameFlags.Exchange) != 0;
        if ((flags & ~AllRenameFlags) != 0 || (exchange && flags != RenameFlags.Exchange) || !IsName(rename.NewName.Span))
        {
            return Failed(Errno.EINVAL);
        }

        ref Inode from = ref _inodes.Find(rename.Parent);
        ref Inode to = ref _inodes.Find(rename.NewParent);
        if (!from.Exists || !to.Exists || !from.IsDirectory || !to.IsDirectory)
        {
            return Failed(from.Exists && to.Exists ? Errno.ENOTDIR : Errno.ESTALE);
        }

        if (rename.Name.Length > MetadataLimits.NameBytesMax || rename.NewName.Length > MetadataLimits.NameBytesMax)
        {
            return Failed(Errno.ENAMETOOLONG);
        }

        ref Inode source = ref _inodes.Find(from.Names.Find(rename.Name.Span));
        ref Inode target = ref _inodes.Find(to.Names.Find(rename.NewName.Span));
        Errno error = CheckRename(in from, in source, in to, in target, flags);
        if (error != Errnos.Ok)
        {
            return Failed(error);
        }

        (ulong sourceNumber, ulong targetNumber) = (source.Number, target.Number);
        if (sourceNumber != targetNumber)
        {
            error = exchange ? Exchange(ref from, ref to, rename) : Replace(ref from, ref to, rename);
        }

        return new Outcome { Errno = (uint)error, Moved = sourceNumber, Replaced = targetNumber };
    }

    private Errno CheckRename(in Inode from, in Inode source, in Inode to, in Inode target, RenameFlags flags)
    {
        if (!source.Exists || to.Nlink == 0)
        {
            return Errno.ENOENT;
        }

        if (IsWithin(in to, source.Number))
        {
            return Errno.EINVAL;
        }

        if ((flags & RenameFlags.Exchange) != 0)
        {
            return !target.Exists ? Errno.ENOENT : IsWithin(in from, target.Number) ? Errno.EINVAL : Errnos.Ok;
        }

        if (!target.Exists)
        {
            return Errnos.Ok;
        }

        if ((flags & RenameFlags.Noreplace) != 0)
        {
            return Errno.EEXIST;
        }

        return (source.IsDirectory, target.IsDirectory) switch
        {
            _ when source.Number == target.Number => Errnos.Ok,
            (false, true) => Errno.EISDIR,
            (true, false) => Errno.ENOTDIR,
            (true, true) when target.Names.Count > 0 => Errno.ENOTEMPTY,
            _ => Errnos.Ok,
        };
    }

    /// <summary>Whether a directory is the given one or somewhere below it.</summary>
    private bool IsWithin(in Inode directory, ulong other)
    {
        for (ulong at = directory.Number; ;)
        {
            if (at == other)
            {
                return true;
            }

            ulong parent = _inodes.Find(at).Parent;
            if (at == parent)
            {
                return false;
            }

            at = parent;
        }
    }

    private Errno Exchange(ref Inode from, ref Inode to, Rename rename)
    {
        ref Inode source = ref _inodes.Find(from.Names.Find(rename.Name.Span));
        ref Inode target = ref _inodes.Find(to.Names.Find(rename.NewName.Span));
        from.Names.Replace(rename.Name.Span, target.Number);
        to.Names.Replace(rename.NewName.Span, source.Number);
        Moved(ref source, to.Number);
        Moved(ref target, from.Number);
        int difference = from.Number == to.Number ? 0 : CountAsDirectory(in target) - CountAsDirectory(in source);
        Touch(ref from, difference);
        Touch(ref to, -difference);
        return Errnos.Ok;
    }

    private Errno Replace(ref Inode from, ref Inode to, Rename rename)
    {
        ulong whiteout = 0;
        if (((RenameFlags)rename.Flags & RenameFlags.Whiteout) != 0)
        {
            // A device 0:0, by which overlayfs marks a name of a lower layer as removed (include/linux/fs.h, WHITEOUT_DEV).
            var make = new Make { Mode = (uint)FilePermissions.S_IFCHR, Uid = rename.Uid, Gid = rename.Gid };
            Errno error = MakeInode(ref from, make, out whiteout);
            if (error != Errnos.Ok)
            {
                return error;
            }
        }

        ref Inode source = ref _inodes.Find(from.Names.Find(rename.Name.Span));
        ref Inode target = ref _inodes.Find(to.Names.Find(rename.NewName.Span));
        bool renamesInPlace = !target.Exists && from.Number == to.Number && whiteout == 0;
        if (target.Exists)
        {
            to.Names.Replace(rename.NewName.Span, source.Number);
        }
        else if (renamesInPlace)
        {
            from.Names.Rename(rename.Name.Span, rename.NewName.Span);
        }
        else
        {
            to.Names.Add(rename.NewName.Span, source.Number);
        }

        if (whiteout != 0)
        {
            from.Names.Replace(rename.Name.Span, whiteout);
        }
        else if (!renamesInPlace)
        {
            from.Names.Remove(rename.Name.Span);
        }

        Moved(ref source, to.Number);
        Touch(ref from, -CountAsDirectory(in source));
        Touch(ref to, CountAsDirectory(in source) - (target.Exists ? CountAsDirectory(in target) : 0));
        if (target.Exists)
        {
            LoseName(ref target, rename.Holders);
        }

        return Errnos.Ok;
    }

    private static int CountAsDirectory(in Inode inode) => inode.IsDirectory ? 1 : 0;

    /// <summary>Notes that an inode has got a new name, in this directory.</summary>
    private void Moved(ref Inode inode, ulong directory)
    {
        inode.Ctime = Now;
        if (inode.IsDirectory)
        {
            inode.Parent = directory;
        }
    }
}
