using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Runtime.Native;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Passthrough;

/// <content>Making files of every kind, each in the name of its maker.</content>
internal sealed partial class PassthroughFileSystem
{
    /// <inheritdoc/>
    public ValueTask<Result<EntryOut>> Mkdir(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, MkdirIn arg)
    {
        using NodeFile directory = _nodes.Open(parent);
        Errno error = directory.ToPath(name.Span, stackalloc byte[NodeFile.PathBytesMax], out ReadOnlySpan<byte> path);
        if (error != Errnos.Ok)
        {
            return new(error);
        }

        FirstRun first = FirstRun.Of(context, directory.Descriptor);
        using (Callers.Assumed caller = _callers.Create(context, arg.Umask))
        {
            error = caller.Error == Errnos.Ok ? Checked(Libc.MkdirAt(directory.Descriptor, path, arg.Mode)) : caller.Error;
        }

        error = first.Made(error, directory.Descriptor, path, FilePermissions.S_IFDIR) ? Errnos.Ok : error;
        return new(error == Errnos.Ok ? LookUp(directory.Descriptor, path) : error);
    }

    /// <inheritdoc/>
    public ValueTask<Result<EntryOut>> Mknod(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, MknodIn arg)
    {
        using NodeFile directory = _nodes.Open(parent);
        Errno error = directory.ToPath(name.Span, stackalloc byte[NodeFile.PathBytesMax], out ReadOnlySpan<byte> path);
        if (error != Errnos.Ok)
        {
            return new(error);
        }

        FirstRun first = FirstRun.Of(context, directory.Descriptor);
        using (Callers.Assumed caller = _callers.Create(context, arg.Umask))
        {
            // Of majors below 4096 and minors below a million, which is what the kernel's 32 bits hold, libc's dev_t has the same bits.
            error = caller.Error == Errnos.Ok ? Checked(Libc.MknodAt(directory.Descriptor, path, arg.Mode, arg.Rdev)) : caller.Error;
        }

        error = first.Made(error, directory.Descriptor, path, (FilePermissions)arg.Mode & FilePermissions.S_IFMT) ? Errnos.Ok : error;
        return new(error == Errnos.Ok ? LookUp(directory.Descriptor, path) : error);
    }

    /// <inheritdoc/>
    public ValueTask<Result<EntryOut>> Symlink(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> target)
    {
        using NodeFile directory = _nodes.Open(parent);
        Errno error = directory.ToPath(name.Span, stackalloc byte[NodeFile.PathBytesMax], out ReadOnlySpan<byte> path);
        if (error != Errnos.Ok)
        {
            return new(error);
        }

        if (target.Length >= SessionOptions.PageSize)
        {
            return new(Errno.ENAMETOOLONG);
        }

        Span<byte> text = stackalloc byte[target.Length + 1];
        target.Span.CopyTo(text);
        FirstRun first = FirstRun.Of(context, directory.Descriptor);
        using (Callers.Assumed caller = _callers.Create(context, 0))
        {
            error = caller.Error == Errnos.Ok ? Checked(Libc.SymlinkAt(text, directory.Descriptor, path)) : caller.Error;
        }

        error = first.Made(error, directory.Descriptor, path, FilePermissions.S_IFLNK) ? Errnos.Ok : error;
        return new(error == Errnos.Ok ? LookUp(directory.Descriptor, path) : error);
    }

    /// <summary>
    /// Makes a file and opens it. If the name is there already, somebody was faster than the kernel, which has not checked whether the caller may
    /// open that file: ESTALE makes it look the name up again and, finding it, open it like any other (fs/namei.c, <c>path_openat</c>).
    /// </summary>
    public ValueTask<Result<CreateOut>> Create(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, CreateIn arg)
    {
        using NodeFile directory = _nodes.Open(parent);
        Errno error = directory.ToPath(name.Span, stackalloc byte[NodeFile.PathBytesMax], out ReadOnlySpan<byte> path);
        if (error != Errnos.Ok)
        {
            return new(error);
        }

        Result<CreateOut> created = Make(context, directory.Descriptor, path, arg, FileFlags.Create | FileFlags.Exclusive | FileFlags.NoFollow);
        bool mayExist = ((int)arg.Flags & FileFlags.Exclusive) == 0;
        return new(created.Error == Errno.EEXIST && mayExist ? Errno.ESTALE : created);
    }

    /// <inheritdoc/>
    public ValueTask<Result<CreateOut>> Tmpfile(RequestContext context, NodeId parent, CreateIn arg)
    {
        using NodeFile directory = _nodes.Open(parent);
        if (directory.Error != Errnos.Ok)
        {
            return new(directory.Error);
        }

        return new(Make(context, directory.Descriptor, ".\0"u8, arg, FileFlags.Temporary | ((int)arg.Flags & FileFlags.Exclusive)));
    }

    private Result<CreateOut> Make(RequestContext context, FileDescriptor directory, ReadOnlySpan<byte> path, CreateIn arg, int flags)
    {
        int hostFlags = HostFlags(arg.Flags);
        int fd;
        FirstRun first = FirstRun.Of(context, directory);
        using (Callers.Assumed caller = _callers.Create(context, arg.Umask))
        {
            if (caller.Error != Errnos.Ok)
            {
                return caller.Error;
            }

            fd = Libc.OpenAt(directory, path, hostFlags | flags, arg.Mode & (uint)FilePermissions.ALLPERMS);
            Errno error = Checked(fd);
            if (first.Made(error, directory, path, FilePermissions.S_IFREG))
            {
                fd = Libc.OpenAt(directory, path, hostFlags | FileFlags.NoFollow, 0);
                error = Checked(fd);
            }

            if (error != Errnos.Ok)
            {
                return error;
            }
        }

        // By its descriptor, so that the node is this file and not what has its name meanwhile.
        Result<Node> made = Adopt(OpenPath(fd), out FileStatus status);
        if (!made.IsOk)
        {
            _ = Libc.Close(fd);
            return made.Error;
        }

        Result<OpenOut> opened = Opened(context, new OpenFile(made.Value, fd, hostFlags));
        if (!opened.IsOk)
        {
            _nodes.Forget(new NodeId(made.Value.Id), 1);
            return opened.Error;
        }

        return new CreateOut { Entry = Entry(made.Value, in status), Open = opened.Value };
    }

    private static int OpenPath(int fd)
    {
        Span<byte> path = stackalloc byte[32];
        System.Text.Unicode.Utf8.TryWrite(path, $"/proc/self/fd/{fd}\0", out _);
        return Libc.OpenAt(FileFlags.AtFdcwd, path, FileFlags.Path | FileFlags.CloseOnExec, 0);
    }
}
