using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Posix;
using Mono.Unix.Native;

namespace Harness.Cluster.Metadata;

/// <content>Attributes.</content>
internal sealed partial class MetadataState
{
    private Outcome SetAttributes(SetAttributes change)
    {
        ref Inode inode = ref _inodes.Find(change.Inode);
        Errno error = change.HasSize ? CheckResize(in inode, change.Size) : inode.Exists ? Errnos.Ok : Errno.ESTALE;
        if (error != Errnos.Ok)
        {
            return Failed(error);
        }

        if (change.HasSize)
        {
            Resize(ref inode, change.Size);
            inode.Mtime = Now;
        }

        ClearPrivileges(ref inode, change.ClearSetIds, change.ByMember, change.ClearCapability);
        inode.Uid = change.HasUid ? change.Uid : inode.Uid;
        inode.Gid = change.HasGid ? change.Gid : inode.Gid;
        if (change.HasMode)
        {
            inode.Mode = inode.Type | ((FilePermissions)change.Mode & FilePermissions.ALLPERMS);
            if (FindXattr(inode.Number, PosixAcl.AccessName) is { } list)
            {
                PosixAcl.SetMode(list, inode.Mode);
            }
        }

        inode.Atime = change.HasAtime ? change.Atime : inode.Atime;
        inode.Mtime = change.HasMtime ? change.Mtime : inode.Mtime;
        inode.Ctime = change.HasCtime ? change.Ctime : Now;
        return Done(in inode);
    }

    /// <summary>A client's data have reached the chunk servers.</summary>
    private Outcome Wrote(Wrote wrote)
    {
        ref Inode inode = ref _inodes.Find(wrote.Inode);
        Errno error = CheckResize(in inode, wrote.Size);
        if (error != Errnos.Ok)
        {
            return Failed(error);
        }

        ClearPrivileges(ref inode, wrote.ClearSetIds, wrote.ByMember, wrote.HasMtime);
        inode.Size = Math.Max(inode.Size, wrote.Size);
        inode.Mode = wrote.HasMode ? inode.Type | ((FilePermissions)wrote.Mode & FilePermissions.ALLPERMS) : inode.Mode;
        inode.Uid = wrote.HasUid ? wrote.Uid : inode.Uid;
        inode.Gid = wrote.HasGid ? wrote.Gid : inode.Gid;
        inode.Atime = wrote.HasAtime ? wrote.Atime : inode.Atime;
        inode.Mtime = wrote.HasMtime ? wrote.Mtime : inode.Mtime;
        inode.Ctime = wrote.HasCtime ? wrote.Ctime : wrote.HasMtime ? Math.Max(wrote.Mtime, inode.Ctime) : inode.Ctime;
        return Done(in inode);
    }

    private static Errno CheckResize(in Inode inode, ulong size)
    {
        if (!inode.Exists)
        {
            return Errno.ESTALE;
        }

        if (!inode.IsFile)
        {
            return inode.IsDirectory ? Errno.EISDIR : Errno.EINVAL;
        }

        return size > MetadataLimits.FileBytesMax ? Errno.EFBIG : Errnos.Ok;
    }

    /// <summary>
    /// Sets a file's size; chunks behind it go. The client has zeroed what lies behind the new end in the last chunk before it asks, so that
    /// a file that grows again reads zeros there.
    /// </summary>
    private void Resize(ref Inode inode, ulong size)
    {
        if (size <= inode.Size)
        {
            // Also what was reserved behind an end that stays where it is.
            DropChunksBetween(ref inode, (size + Limits.ChunkBytes - 1) / Limits.ChunkBytes, ulong.MaxValue);
        }

        inode.Size = size;
    }

    /// <summary>What a change of a file's data, or of its owner, takes away. Directories keep their set-id bits.</summary>
    private void ClearPrivileges(ref Inode inode, bool setIds, bool byMember, bool capability)
    {
        if (setIds && !inode.IsDirectory)
        {
            inode.ClearSetIds(byMember);
        }

        if (capability && (inode.Traits & InodeTraits.Capability) != 0)
        {
            TakeXattr(ref inode, CapabilityName);
        }
    }
}
