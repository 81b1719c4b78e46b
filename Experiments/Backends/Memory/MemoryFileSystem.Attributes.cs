using Harness.FuseProtocol;
using Harness.FuseProtocol.Posix;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Memory;

/// <content>Attributes: reading and changing them, and what changes them on the way.</content>
internal sealed partial class MemoryFileSystem
{
    private const long SecondsOfDay = 86_400;

    // Without the time of the change itself, which the kernel adds to every change where it keeps the times (writeback cache).
    private const SetattrValid Changes =
        SetattrValid.Mode | SetattrValid.Uid | SetattrValid.Gid | SetattrValid.Size | SetattrValid.Atime | SetattrValid.Mtime;

    /// <inheritdoc/>
    public ValueTask<Result<AttrOut>> Getattr(RequestContext context, NodeId node, GetattrIn arg)
    {
        if (Find(node) is not { } inode)
        {
            return new(Errno.ESTALE);
        }

        lock (inode.Gate)
        {
            Attr attr = inode.ToAttr();
            return new(_backend.Attributes(in attr));
        }
    }

    /// <inheritdoc/>
    public ValueTask<Result<StatxOut>> Statx(RequestContext context, NodeId node, StatxIn arg)
    {
        if (Find(node) is not { } inode)
        {
            return new(Errno.ESTALE);
        }

        lock (inode.Gate)
        {
            Statx stat = inode.ToStatx();
            return new(_backend.Attributes(in stat));
        }
    }

    /// <inheritdoc/>
    public ValueTask<Result<AttrOut>> Setattr(RequestContext context, NodeId node, SetattrIn arg)
    {
        if (Find(node) is not { } inode)
        {
            return new(Errno.ESTALE);
        }

        if ((arg.Valid & SetattrValid.Size) != 0)
        {
            Errno error = Truncate(node, arg.Size);
            if (error != Errnos.Ok)
            {
                return new(error);
            }
        }

        lock (inode.Gate)
        {
            Timestamp now = Now;
            SetOwner(context, inode, in arg);
            if ((arg.Valid & SetattrValid.Size) != 0)
            {
                inode.Mtime = now;
                ClearPrivileges(context, inode, (arg.Valid & SetattrValid.KillSuidgid) != 0);
            }

            if ((arg.Valid & SetattrValid.Mode) != 0)
            {
                SetMode(inode, (FilePermissions)arg.Mode);
            }

            // What is left of a chown(2) that changes neither id, or of a fallocate or buffered write whose caller must not keep set-id bits:
            // fs/fuse/dir.c (fuse_setattr) takes the mode out, since HANDLE_KILLPRIV_V2 makes it the file system's affair.
            if ((arg.Valid & Changes) == 0)
            {
                ClearPrivileges(context, inode, setIds: true);
            }

            SetTimes(inode, in arg, now);
            Attr attr = inode.ToAttr();
            return new(_backend.Attributes(in attr));
        }
    }

    private Errno Truncate(NodeId node, ulong size)
    {
        Errno error = FindFile(node, out _, out FileContent content);
        if (error != Errnos.Ok)
        {
            return error;
        }

        if (size > FileContent.BytesMax)
        {
            return Errno.EFBIG;
        }

        content.Truncate((long)size);
        return Errnos.Ok;
    }

    /// <summary>chown(2), which takes away a program's right to run as its owner, whoever asks.</summary>
    private void SetOwner(RequestContext context, Inode inode, in SetattrIn arg)
    {
        if ((arg.Valid & (SetattrValid.Uid | SetattrValid.Gid)) == 0)
        {
            return;
        }

        ClearPrivileges(context, inode, setIds: true);
        inode.Uid = (arg.Valid & SetattrValid.Uid) != 0 ? arg.Uid : inode.Uid;
        inode.Gid = (arg.Valid & SetattrValid.Gid) != 0 ? arg.Gid : inode.Gid;
    }

    /// <summary>chmod(2). That set-group-id is not for strangers to the group the kernel has seen to (fs/attr.c, <c>setattr_prepare</c>).</summary>
    private static void SetMode(Inode inode, FilePermissions mode)
    {
        inode.Mode = inode.Type | (mode & FilePermissions.ALLPERMS);
        if (inode.Xattrs?.Find(PosixAcl.AccessName) is { } list)
        {
            PosixAcl.SetMode(list, inode.Mode);
        }
    }

    private static void SetTimes(Inode inode, in SetattrIn arg, Timestamp now)
    {
        if ((arg.Valid & SetattrValid.Atime) != 0)
        {
            inode.Atime = (arg.Valid & SetattrValid.AtimeNow) != 0 ? now : Timestamp.FromWire(arg.Atime, arg.Atimensec);
        }

        if ((arg.Valid & SetattrValid.Mtime) != 0)
        {
            inode.Mtime = (arg.Valid & SetattrValid.MtimeNow) != 0 ? now : Timestamp.FromWire(arg.Mtime, arg.Mtimensec);
        }

        // The kernel sends a ctime where it keeps the times itself (writeback cache).
        inode.Ctime = (arg.Valid & SetattrValid.Ctime) != 0 ? Timestamp.FromWire(arg.Ctime, arg.Ctimensec) : now;
    }

    /// <summary>
    /// What a change of a file's data, or of its owner, takes away (HANDLE_KILLPRIV_V2). Directories keep theirs. Call it under the inode's gate.
    /// </summary>
    /// <remarks>Of the caller's groups the message tells only the first, so a supplementary member counts as a stranger here.</remarks>
    private void ClearPrivileges(RequestContext context, Inode inode, bool setIds)
    {
        if (setIds && inode.Directory is null)
        {
            inode.ClearSetIds(byMember: IsPrivileged(context) || context.Gid == inode.Gid);
        }

        if (inode.HasCapability)
        {
            RemoveXattr(inode, CapabilityName);
        }
    }

    /// <summary>Notes that a file was read, as the options say. Linux does not tell a FUSE file system with which option it was mounted.</summary>
    private void Accessed(Inode inode)
    {
        if (_options.Atime == AtimeUpdate.Never)
        {
            return;
        }

        Timestamp now = Now;
        lock (inode.Gate)
        {
            if (_options.Atime == AtimeUpdate.Strict || inode.Atime.IsUntil(inode.Mtime) || inode.Atime.IsUntil(inode.Ctime) ||
                now.Seconds - inode.Atime.Seconds >= SecondsOfDay)
            {
                inode.Atime = now;
            }
        }
    }

    /// <summary>Whether the caller is root, or one whose id the kernel does not tell (ALLOW_IDMAP): the kernel has checked him.</summary>
    private static bool IsPrivileged(RequestContext context) => context.Uid is 0 or Protocol.InvalidUidGid;
}
