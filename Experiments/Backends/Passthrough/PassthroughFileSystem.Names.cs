using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Runtime.Native;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Passthrough;

/// <content>Names: finding, removing and moving them.</content>
internal sealed partial class PassthroughFileSystem
{
    /// <inheritdoc/>
    /// <remarks><c>.</c> and <c>..</c> are asked for only by NFS, which would need EXPORT_SUPPORT; they are refused like any name that is no name.</remarks>
    public ValueTask<Result<EntryOut>> Lookup(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name)
    {
        using NodeFile directory = _nodes.Open(parent);
        Errno error = directory.ToPath(name.Span, stackalloc byte[NodeFile.PathBytesMax], out ReadOnlySpan<byte> path);
        if (error != Errnos.Ok)
        {
            return new(error);
        }

        Result<EntryOut> found = LookUp(directory.Descriptor, path);
        bool remember = found.Error == Errno.ENOENT && _backend.NegativeTimeout > TimeSpan.Zero;
        return remember ? new(_backend.NegativeEntry()) : new(found);
    }

    /// <inheritdoc/>
    public ValueTask<Result<int>> Readlink(RequestContext context, NodeId node, Memory<byte> buffer)
    {
        using NodeFile found = _nodes.Open(node);
        if (found.Error != Errnos.Ok || found.Node.Type != FilePermissions.S_IFLNK)
        {
            return new(found.Error != Errnos.Ok ? found.Error : Errno.EINVAL);
        }

        nint length = Libc.ReadlinkAt(found.Descriptor, EmptyPath, buffer.Span);
        return length >= 0 ? new((int)length) : new(LastError);
    }

    /// <inheritdoc/>
    public ValueTask<Errno> Unlink(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name) => Remove(context, parent, name, 0);

    /// <inheritdoc/>
    public ValueTask<Errno> Rmdir(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name) =>
        Remove(context, parent, name, FileFlags.AtRemovedir);

    /// <inheritdoc/>
    public ValueTask<Errno> Rename(
        RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, NodeId newParent, ReadOnlyMemory<byte> newName, RenameFlags flags)
    {
        using NodeFile from = _nodes.Open(parent);
        using NodeFile to = _nodes.Open(newParent);
        Errno error = from.ToPath(name.Span, stackalloc byte[NodeFile.PathBytesMax], out ReadOnlySpan<byte> path);
        Errno newError = to.ToPath(newName.Span, stackalloc byte[NodeFile.PathBytesMax], out ReadOnlySpan<byte> newPath);
        if (error != Errnos.Ok || newError != Errnos.Ok)
        {
            return new(error != Errnos.Ok ? error : newError);
        }

        if (FirstRun.Renamed(context, from.Descriptor, path, to.Descriptor, newPath))
        {
            return new(Errnos.Ok);
        }

        return new(Checked(Libc.RenameAt2(from.Descriptor, path, to.Descriptor, newPath, (uint)flags)));
    }

    /// <inheritdoc/>
    public ValueTask<Result<EntryOut>> Link(RequestContext context, NodeId node, NodeId newParent, ReadOnlyMemory<byte> newName)
    {
        using NodeFile file = _nodes.Open(node);
        using NodeFile directory = _nodes.Open(newParent);
        Errno error = directory.ToPath(newName.Span, stackalloc byte[NodeFile.PathBytesMax], out ReadOnlySpan<byte> newPath);
        if (file.Error != Errnos.Ok || error != Errnos.Ok)
        {
            return new(file.Error != Errnos.Ok ? file.Error : error);
        }

        using var path = new DescriptorPath(file.Descriptor);
        FileStatus status = default;
        error = Checked(Libc.LinkAt(FileFlags.AtFdcwd, path.Text, directory.Descriptor, newPath, FileFlags.AtSymlinkFollow));
        error = FirstRun.Linked(context, error, file.Node, directory.Descriptor, newPath) ? Errnos.Ok : error;
        error = error == Errnos.Ok ? ReadStatus(file, out status) : error;
        if (error != Errnos.Ok || !_nodes.TryCount(file.Node))
        {
            return new(error != Errnos.Ok ? error : Errno.ESTALE);
        }

        return new(Entry(file.Node, in status));
    }

    private ValueTask<Errno> Remove(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, int flags)
    {
        using NodeFile directory = _nodes.Open(parent);
        Errno error = directory.ToPath(name.Span, stackalloc byte[NodeFile.PathBytesMax], out ReadOnlySpan<byte> path);
        if (error != Errnos.Ok || FirstRun.Removed(context, directory.Descriptor, path))
        {
            return new(error);
        }

        return new(Checked(Libc.UnlinkAt(directory.Descriptor, path, flags)));
    }

    private Result<EntryOut> LookUp(FileDescriptor directory, ReadOnlySpan<byte> path)
    {
        Result<Node> found = FindNode(directory, path, out FileStatus status);
        return found.IsOk ? Entry(found.Value, in status) : found.Error;
    }

    /// <summary>Finds what has a name, and counts the lookup.</summary>
    private Result<Node> FindNode(FileDescriptor directory, ReadOnlySpan<byte> path, out FileStatus status)
    {
        int fd = Libc.OpenAt(directory, path, FileFlags.Path | FileFlags.NoFollow | FileFlags.CloseOnExec, 0);
        return Adopt(fd, out status);
    }

    /// <summary>Makes a node of a file that was opened by O_PATH, and counts the lookup.</summary>
    private Result<Node> Adopt(int fd, out FileStatus status)
    {
        status = default;
        if (fd < 0)
        {
            return LastError;
        }

        if (Libc.Statx(fd, EmptyPath, FileFlags.AtEmptyPath, FileStatus.All, out status) == 0)
        {
            return _nodes.Adopt(fd, in status);
        }

        Errno error = LastError;
        _ = Libc.Close(fd);
        return error;
    }

    private EntryOut Entry(Node node, in FileStatus status)
    {
        Attr attr = ToAttr(in status);
        return _backend.Entry(node.Id, Generation, in attr);
    }
}
