using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Posix;
using Mono.Unix.Native;

namespace Harness.Cluster.Metadata;

/// <content>Making and naming inodes.</content>
internal sealed partial class MetadataState
{
    private ulong _nextInode = Root + 1;

    private Outcome MakeNode(ulong session, Make make)
    {
        var type = (FilePermissions)make.Mode & FilePermissions.S_IFMT;
        if (type is not (FilePermissions.S_IFREG or FilePermissions.S_IFDIR or FilePermissions.S_IFLNK or FilePermissions.S_IFIFO
            or FilePermissions.S_IFSOCK or FilePermissions.S_IFCHR or FilePermissions.S_IFBLK))
        {
            return Failed(Errno.EINVAL);
        }

        if (make.Target.Length > MetadataLimits.TargetBytesMax)
        {
            return Failed(Errno.ENAMETOOLONG);
        }

        ref Inode directory = ref _inodes.Find(make.Parent);
        Errno error = make.Name.IsEmpty ? CheckLiving(in directory) : CheckNewName(in directory, make.Name.Span);
        if (error != Errnos.Ok)
        {
            return Failed(error);
        }

        error = MakeInode(ref directory, make, out ulong number);
        if (error != Errnos.Ok)
        {
            return Failed(error);
        }

        ref Inode inode = ref _inodes.Find(number);
        if (make.Name.IsEmpty)
        {
            inode.Nlink = 0;
            inode.Traits |= make.Linkable ? InodeTraits.Linkable : InodeTraits.None;
            Held(number, session);
        }
        else
        {
            directory.Names.Add(make.Name.Span, number);
            Touch(ref directory, subdirectories: inode.IsDirectory ? 1 : 0);
        }

        return Done(in inode);
    }

    private Outcome Link(Link link)
    {
        ref Inode inode = ref _inodes.Find(link.Inode);
        if (!inode.Exists)
        {
            return Failed(Errno.ESTALE);
        }

        if (inode.IsDirectory)
        {
            return Failed(Errno.EPERM);
        }

        ref Inode directory = ref _inodes.Find(link.Parent);
        Errno error = CheckNewName(in directory, link.Name.Span);
        if (error == Errnos.Ok && inode.Nlink == 0 && (inode.Traits & InodeTraits.Linkable) == 0)
        {
            error = Errno.ENOENT;
        }

        if (error == Errnos.Ok && inode.Nlink == uint.MaxValue)
        {
            error = Errno.EMLINK;
        }

        if (error != Errnos.Ok)
        {
            return Failed(error);
        }

        inode.Nlink++;
        inode.Ctime = Now;
        directory.Names.Add(link.Name.Span, link.Inode);
        Touch(ref directory);
        return Done(in inode);
    }

    private static Errno CheckLiving(in Inode directory) =>
        !directory.Exists ? Errno.ESTALE : !directory.IsDirectory ? Errno.ENOTDIR : directory.Nlink == 0 ? Errno.ENOENT : Errnos.Ok;

    /// <summary>Whether a directory can take a name: a directory that was removed takes no more.</summary>
    private static Errno CheckNewName(in Inode directory, ReadOnlySpan<byte> name)
    {
        if (!directory.Exists || !directory.IsDirectory)
        {
            return directory.Exists ? Errno.ENOTDIR : Errno.ESTALE;
        }

        if (name.Length > MetadataLimits.NameBytesMax)
        {
            return Errno.ENAMETOOLONG;
        }

        return directory.Nlink == 0 ? Errno.ENOENT : !IsName(name) ? Errno.EINVAL
            : directory.Names.Find(name) != 0 ? Errno.EEXIST : Errnos.Ok;
    }

    /// <summary>Whether bytes can be a name at all; a client that was written right never sends others.</summary>
    private static bool IsName(ReadOnlySpan<byte> name) =>
        name.Length > 0 && !name.ContainsAny((byte)0, (byte)'/') && !name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8);

    private Errno MakeInode(ref Inode directory, Make make, out ulong number)
    {
        number = 0;
        if (_inodes.Count >= Limits.InodesMax)
        {
            return Errno.ENOSPC;
        }

        number = _nextInode++;
        ref Inode inode = ref _inodes.Add(number);
        inode.Mode = (FilePermissions)make.Mode & (FilePermissions.S_IFMT | FilePermissions.ALLPERMS);
        inode.Nlink = inode.IsDirectory ? 2u : 1u;
        inode.Uid = make.Uid;
        inode.Gid = make.Gid;
        inode.Rdev = inode.Type is FilePermissions.S_IFCHR or FilePermissions.S_IFBLK ? make.Rdev : 0;
        (inode.Atime, inode.Mtime, inode.Ctime, inode.Btime) = (Now, Now, Now, Now);
        inode.Parent = inode.IsDirectory ? directory.Number : 0;
        inode.Body = inode.Type switch
        {
            FilePermissions.S_IFDIR => new DirectoryTable(),
            FilePermissions.S_IFLNK => make.Target.ToByteArray(),
            _ => null,
        };
        Errno error = Inherit(ref inode, in directory, make.Umask);
        if (error == Errnos.Ok && make.LabelName.Length > 0)
        {
            error = PutXattr(ref inode, make.LabelName.Span, make.Label.ToByteArray());
        }

        if (error != Errnos.Ok)
        {
            _xattrs.Remove(number);
            _inodes.Remove(number);
        }

        return error;
    }

    /// <summary>Gives a new inode what its directory passes on: the group and the bit for it (set-group-id), and access control lists.</summary>
    private Errno Inherit(ref Inode inode, in Inode directory, uint umask)
    {
        if ((directory.Mode & FilePermissions.S_ISGID) != 0)
        {
            inode.Gid = directory.Gid;
            inode.Mode |= inode.IsDirectory ? FilePermissions.S_ISGID : 0;
        }

        if (inode.Type == FilePermissions.S_IFLNK)
        {
            return Errnos.Ok;
        }

        if (FindXattr(directory.Number, PosixAcl.DefaultName) is not { } list)
        {
            inode.Mode &= ~((FilePermissions)umask & FilePermissions.ACCESSPERMS);
            return Errnos.Ok;
        }

        byte[] access = [.. list];
        inode.Mode = PosixAcl.Inherit(access, inode.Mode);
        Errno error = PosixAcl.IsMode(access) ? Errnos.Ok : PutXattr(ref inode, PosixAcl.AccessName, access);
        return error == Errnos.Ok && inode.IsDirectory ? PutXattr(ref inode, PosixAcl.DefaultName, list) : error;
    }

    /// <summary>Notes that the names of a directory have changed.</summary>
    private void Touch(ref Inode directory, int subdirectories = 0)
    {
        directory.Nlink = (uint)(directory.Nlink + subdirectories);
        directory.Modified(Now);
    }
}
