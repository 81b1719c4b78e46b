using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Runtime.Native;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Passthrough;

/// <content>Names: finding, removing and moving them.</content>
internal sealed partial class PassthroughFileSystem
{
    // A name and its NUL; whether it is too long is for the host to say.
    private const int NameBytesMax = Protocol.NameMax + 1;

    /// <inheritdoc/>
    /// <remarks><c>.</c> and <c>..</c> are asked for only by NFS, which would need EXPORT_SUPPORT; they are refused like any name that is no name.</remarks>
    public ValueTask<Result<EntryOut>> Lookup(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name)
    {
        Errno error = FindDirectory(parent, name.Span, stackalloc byte[NameBytesMax], out Node directory, out ReadOnlySpan<byte> path);
        if (error != Errnos.Ok)
        {
            return new(error);
        }

        Result<EntryOut> found = LookUp(directory, path);
        bool remember = found.Error == Errno.ENOENT && _backend.NegativeTimeout > TimeSpan.Zero;
        return remember ? new(_backend.NegativeEntry()) : new(found);
    }

    /// <inheritdoc/>
    public ValueTask<Result<int>> Readlink(RequestContext context, NodeId node, Memory<byte> buffer)
    {
        if (_nodes.Find(node) is not { } found)
        {
            return new(Errno.ESTALE);
        }

        nint length = Libc.ReadlinkAt(found, EmptyPath, buffer.Span);

        // An empty path to what is no symbolic link is ENOENT (fs/stat.c, do_readlinkat).
        return length >= 0 ? new((int)length) : new(found.Type == FilePermissions.S_IFLNK ? LastError : Errno.EINVAL);
    }

    /// <inheritdoc/>
    public ValueTask<Errno> Unlink(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name) => Remove(parent, name, 0);

    /// <inheritdoc/>
    public ValueTask<Errno> Rmdir(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name) =>
        Remove(parent, name, FileFlags.AtRemovedir);

    /// <inheritdoc/>
    public ValueTask<Errno> Rename(
        RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, NodeId newParent, ReadOnlyMemory<byte> newName, RenameFlags flags)
    {
        Errno error = FindDirectory(parent, name.Span, stackalloc byte[NameBytesMax], out Node from, out ReadOnlySpan<byte> path);
        if (error != Errnos.Ok)
        {
            return new(error);
        }

        error = FindDirectory(newParent, newName.Span, stackalloc byte[NameBytesMax], out Node to, out ReadOnlySpan<byte> newPath);
        return new(error == Errnos.Ok ? Checked(Libc.RenameAt2(from, path, to, newPath, (uint)flags)) : error);
    }

    /// <inheritdoc/>
    public ValueTask<Result<EntryOut>> Link(RequestContext context, NodeId node, NodeId newParent, ReadOnlyMemory<byte> newName)
    {
        if (_nodes.Find(node) is not { } found)
        {
            return new(Errno.ESTALE);
        }

        Errno error = FindDirectory(newParent, newName.Span, stackalloc byte[NameBytesMax], out Node directory, out ReadOnlySpan<byte> name);
        if (error != Errnos.Ok)
        {
            return new(error);
        }

        using var path = new DescriptorPath(found);
        if (Libc.LinkAt(FileFlags.AtFdcwd, path.Text, directory, name, FileFlags.AtSymlinkFollow) < 0)
        {
            return new(LastError);
        }

        error = ReadStatus(found, out FileStatus status);
        if (error != Errnos.Ok || !_nodes.TryCount(found))
        {
            return new(error != Errnos.Ok ? error : Errno.ESTALE);
        }

        return new(Entry(found, in status));
    }

    private ValueTask<Errno> Remove(NodeId parent, ReadOnlyMemory<byte> name, int flags)
    {
        Errno error = FindDirectory(parent, name.Span, stackalloc byte[NameBytesMax], out Node directory, out ReadOnlySpan<byte> path);
        return new(error == Errnos.Ok ? Checked(Libc.UnlinkAt(directory, path, flags)) : error);
    }

    /// <summary>Finds a directory, and turns a name in it into a path of one component.</summary>
    /// <param name="parent">The directory.</param>
    /// <param name="name">The name.</param>
    /// <param name="buffer">Room for the path.</param>
    /// <param name="directory">The directory found.</param>
    /// <param name="path">The path, in <paramref name="buffer"/>, ended by NUL.</param>
    /// <returns>Ok; ESTALE for an unknown node, EINVAL for what would be another path.</returns>
    private Errno FindDirectory(NodeId parent, ReadOnlySpan<byte> name, Span<byte> buffer, out Node directory, out ReadOnlySpan<byte> path)
    {
        directory = _nodes.Find(parent)!;
        path = buffer;
        if (directory is null)
        {
            return Errno.ESTALE;
        }

        if (name.Length >= buffer.Length)
        {
            return Errno.ENAMETOOLONG;
        }

        if (name.IsEmpty || name.SequenceEqual("."u8) || name.SequenceEqual(".."u8) || name.ContainsAny((byte)'/', (byte)0))
        {
            return Errno.EINVAL;
        }

        name.CopyTo(buffer);
        buffer[name.Length] = 0;
        return Errnos.Ok;
    }

    private Result<EntryOut> LookUp(Node directory, ReadOnlySpan<byte> path)
    {
        Result<Node> found = FindNode(directory, path, out FileStatus status);
        return found.IsOk ? Entry(found.Value, in status) : found.Error;
    }

    /// <summary>Finds what has a name, and counts the lookup.</summary>
    private Result<Node> FindNode(Node directory, ReadOnlySpan<byte> path, out FileStatus status)
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
