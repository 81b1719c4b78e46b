using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Runtime.Native;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Passthrough;

/// <content>Attributes.</content>
internal sealed partial class PassthroughFileSystem
{
    private const uint NoId = uint.MaxValue;

    private const SetattrValid Changes =
        SetattrValid.Mode | SetattrValid.Uid | SetattrValid.Gid | SetattrValid.Size | SetattrValid.Atime | SetattrValid.Mtime;

    /// <inheritdoc/>
    public ValueTask<Result<AttrOut>> Getattr(RequestContext context, NodeId node, GetattrIn arg)
    {
        using NodeFile found = Open(node, (arg.GetattrFlags & GetattrFlags.Fh) != 0, arg.Fh);
        return new(GetAttributes(found));
    }

    /// <inheritdoc/>
    public ValueTask<Result<StatxOut>> Statx(RequestContext context, NodeId node, StatxIn arg)
    {
        using NodeFile found = Open(node, (arg.GetattrFlags & GetattrFlags.Fh) != 0, arg.Fh);
        Errno error = ReadStatus(found, out FileStatus status);
        if (error != Errnos.Ok)
        {
            return new(error);
        }

        Statx stat = HostAttributes.ToStatx(in status, InoOf(NodeKey.Of(in status)));
        return new(_backend.Attributes(in stat));
    }

    /// <inheritdoc/>
    public ValueTask<Result<AttrOut>> Setattr(RequestContext context, NodeId node, SetattrIn arg)
    {
        using NodeFile found = Open(node, (arg.Valid & SetattrValid.Fh) != 0, arg.Fh);
        Errno error = found.Error;
        error = error == Errnos.Ok ? SetOwner(context, found.Descriptor, in arg) : error;
        error = error == Errnos.Ok ? SetSize(context, found.Descriptor, in arg) : error;
        error = error == Errnos.Ok ? SetMode(found.Descriptor, in arg) : error;
        error = error == Errnos.Ok ? SetTimes(found.Descriptor, in arg) : error;
        return new(error == Errnos.Ok ? GetAttributes(found) : error);
    }

    /// <summary>The file of a node: the open one that the request came with, or else the node's own.</summary>
    private NodeFile Open(NodeId node, bool hasFh, ulong fh) =>
        hasFh && _files.Find(fh) is { } file && file.Node.Id == node.Value ? new NodeFile(file.Node, file) : _nodes.Open(node);

    private Result<AttrOut> GetAttributes(NodeFile file)
    {
        Errno error = ReadStatus(file, out FileStatus status);
        if (error != Errnos.Ok)
        {
            return error;
        }

        Attr attr = ToAttr(in status);
        return _backend.Attributes(in attr);
    }

    private static Errno ReadStatus(NodeFile file, out FileStatus status)
    {
        status = default;
        return file.Error == Errnos.Ok
            ? Checked(Libc.Statx(file.Descriptor, EmptyPath, FileFlags.AtEmptyPath, FileStatus.All, out status))
            : file.Error;
    }

    private Attr ToAttr(in FileStatus status) => HostAttributes.ToAttr(in status, InoOf(NodeKey.Of(in status)));

    /// <summary>
    /// The inode number that the mount shows. All files of a mount seem to be on one device, so that those of another file system, mounted inside
    /// the served directory, are moved out of the way of the others.
    /// </summary>
    private ulong InoOf(NodeKey key) => key.Device == _nodes.Root.Key.Device ? key.Ino : key.Ino ^ (key.Device << 48) ^ (key.Device << 16);

    /// <summary>
    /// chown(2), which also clears set-id bits. A message that names no attribute is one that only does that: what is left of a chown that changes
    /// neither id, or of a write, fallocate or copy whose data take another way (fs/fuse/dir.c, <c>fuse_setattr</c>).
    /// </summary>
    private Errno SetOwner(RequestContext context, FileDescriptor file, in SetattrIn arg)
    {
        bool isBare = (arg.Valid & Changes) == 0;
        uint uid = (arg.Valid & SetattrValid.Uid) != 0 ? arg.Uid : NoId;
        uint gid = (arg.Valid & SetattrValid.Gid) != 0 ? arg.Gid : NoId;
        if (uid == NoId && gid == NoId && !isBare)
        {
            return Errnos.Ok;
        }

        using Callers.Assumed caller = _callers.ClearSetIds(context, isBare);
        return Checked(Libc.FchownAt(file, EmptyPath, uid, gid, FileFlags.AtEmptyPath | FileFlags.AtSymlinkNofollow));
    }

    private Errno SetSize(RequestContext context, FileDescriptor file, in SetattrIn arg)
    {
        if ((arg.Valid & SetattrValid.Size) == 0)
        {
            return Errnos.Ok;
        }

        using Callers.Assumed caller = _callers.ClearSetIds(context, (arg.Valid & SetattrValid.KillSuidgid) != 0);
        if (file is OpenFile { IsWritable: true })
        {
            return Checked(Libc.Ftruncate(file, (long)arg.Size));
        }

        using var path = new DescriptorPath(file);
        return Checked(Libc.Truncate(path.Text, (long)arg.Size));
    }

    private static Errno SetMode(FileDescriptor file, in SetattrIn arg)
    {
        if ((arg.Valid & SetattrValid.Mode) == 0)
        {
            return Errnos.Ok;
        }

        using var path = new DescriptorPath(file);
        return Checked(Libc.Chmod(path.Text, arg.Mode & (uint)FilePermissions.ALLPERMS));
    }

    /// <summary>utimensat(2). The time of the last change of attributes is the host's to keep, even if the kernel sends one.</summary>
    private static Errno SetTimes(FileDescriptor file, in SetattrIn arg)
    {
        if ((arg.Valid & (SetattrValid.Atime | SetattrValid.Mtime)) == 0)
        {
            return Errnos.Ok;
        }

        ReadOnlySpan<TimeSpec> times =
        [
            ToTime(arg.Valid, SetattrValid.Atime, SetattrValid.AtimeNow, arg.Atime, arg.Atimensec),
            ToTime(arg.Valid, SetattrValid.Mtime, SetattrValid.MtimeNow, arg.Mtime, arg.Mtimensec),
        ];
        using var path = new DescriptorPath(file);
        return Checked(Libc.UtimensAt(FileFlags.AtFdcwd, path.Text, times, 0));
    }

    private static TimeSpec ToTime(SetattrValid valid, SetattrValid isSet, SetattrValid isNow, ulong seconds, uint nanoseconds) => new()
    {
        Seconds = (long)seconds,
        Nanoseconds = (valid & isSet) == 0 ? FileFlags.UtimeOmit : (valid & isNow) != 0 ? FileFlags.UtimeNow : nanoseconds,
    };
}
