using System.Collections.Immutable;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Posix;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Memory;

/// <content>Making files of every kind.</content>
internal sealed partial class MemoryFileSystem
{
    private const FilePermissions SymlinkMode = FilePermissions.S_IFLNK | FilePermissions.ACCESSPERMS;

    /// <inheritdoc/>
    public ValueTask<Result<EntryOut>> Mkdir(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, MkdirIn arg)
    {
        FilePermissions mode = FilePermissions.S_IFDIR | ((FilePermissions)arg.Mode & FilePermissions.ALLPERMS);
        return new(Make(context, parent, name.Span, new Wanted(mode, arg.Umask)));
    }

    /// <inheritdoc/>
    public ValueTask<Result<EntryOut>> Mknod(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, MknodIn arg)
    {
        FilePermissions mode = (FilePermissions)arg.Mode & (FilePermissions.S_IFMT | FilePermissions.ALLPERMS);
        switch (mode & FilePermissions.S_IFMT)
        {
            case FilePermissions.S_IFREG or FilePermissions.S_IFIFO or FilePermissions.S_IFSOCK:
                return new(Make(context, parent, name.Span, new Wanted(mode, arg.Umask)));
            case FilePermissions.S_IFCHR or FilePermissions.S_IFBLK:
                return new(Make(context, parent, name.Span, new Wanted(mode, arg.Umask) { Rdev = arg.Rdev }));
            default:
                return new(Errno.EINVAL);
        }
    }

    /// <inheritdoc/>
    public ValueTask<Result<EntryOut>> Symlink(
        RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> target) =>
        target.Length > TargetBytesMax
            ? new(Errno.ENAMETOOLONG)
            : new(Make(context, parent, name.Span, new Wanted(SymlinkMode, 0) { Target = [.. target.Span] }));

    /// <inheritdoc/>
    public ValueTask<Result<int>> Readlink(RequestContext context, NodeId node, Memory<byte> buffer)
    {
        if (Find(node) is not { } inode)
        {
            return new(Errno.ESTALE);
        }

        if (inode.Type != FilePermissions.S_IFLNK)
        {
            return new(Errno.EINVAL);
        }

        ReadOnlySpan<byte> target = inode.Target.AsSpan();
        target = target[..Math.Min(target.Length, buffer.Length)];
        target.CopyTo(buffer.Span);
        Accessed(inode);
        return new(target.Length);
    }

    /// <inheritdoc/>
    public ValueTask<Result<CreateOut>> Create(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, CreateIn arg)
    {
        FilePermissions mode = FilePermissions.S_IFREG | ((FilePermissions)arg.Mode & FilePermissions.ALLPERMS);
        var flags = (OpenFlags)arg.Flags;
        while (true)
        {
            Result<EntryOut> entry = Make(context, parent, name.Span, new Wanted(mode, arg.Umask));
            if (entry.Error != Errno.EEXIST || (flags & OpenFlags.O_EXCL) != 0)
            {
                return new(Created(entry));
            }

            // Somebody has removed the name again if it is not found now; then it can be made after all.
            entry = FindName(parent, name.Span, out Inode? found) == Errnos.Ok ? LookUp(found!) : Errno.ENOENT;
            if (entry.IsOk)
            {
                return new(OpenExisting(context, entry.Value, arg));
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask<Result<CreateOut>> Tmpfile(RequestContext context, NodeId parent, CreateIn arg)
    {
        Errno error = FindDirectory(parent, out Inode directory, out _);
        if (error != Errnos.Ok)
        {
            return new(error);
        }

        if (directory.Nlink == 0)
        {
            return new(Errno.ENOENT);
        }

        FilePermissions mode = FilePermissions.S_IFREG | ((FilePermissions)arg.Mode & FilePermissions.ALLPERMS);
        Result<Inode> made = MakeInode(context, directory, new Wanted(mode, arg.Umask));
        if (!made.IsOk)
        {
            return new(made.Error);
        }

        // With O_EXCL it is to stay without a name (open(2), O_TMPFILE).
        made.Value.Nlink = 0;
        made.Value.IsLinkable = ((OpenFlags)arg.Flags & OpenFlags.O_EXCL) == 0;
        return new(Created(Answer(made.Value)));
    }

    private Result<EntryOut> Make(RequestContext context, NodeId parent, ReadOnlySpan<byte> name, Wanted wanted)
    {
        Result<Inode> made = AddName(parent, name, directory => MakeInode(context, directory, wanted));
        return made.IsOk ? Answer(made.Value) : made.Error;
    }

    private Result<CreateOut> Created(Result<EntryOut> entry) =>
        entry.IsOk ? new CreateOut { Entry = entry.Value, Open = _backend.OpenedFile(NewFh()) } : entry.Error;

    private Result<CreateOut> OpenExisting(RequestContext context, EntryOut entry, CreateIn arg)
    {
        var node = new NodeId(entry.Nodeid);
        Errno error = OpenFile(context, node, (OpenFlags)arg.Flags, arg.OpenFlags);
        if (error != Errnos.Ok)
        {
            Forget(node, 1);
            return error;
        }

        return Find(node) is { } inode ? Created(Answer(inode)) : Errno.ESTALE;
    }

    /// <summary>Makes an inode that has one lookup already: the one that the reply to its maker will carry.</summary>
    private Result<Inode> MakeInode(RequestContext context, Inode directory, Wanted wanted)
    {
        if (!_inodeBudget.TryCharge(1))
        {
            return Errno.ENOSPC;
        }

        FilePermissions type = wanted.Mode & FilePermissions.S_IFMT;
        var inode = new Inode(Interlocked.Increment(ref _lastId), wanted.Mode, Now)
        {
            Content = type == FilePermissions.S_IFREG ? new FileContent(_pool) : null,
            Target = wanted.Target,
            Rdev = wanted.Rdev,
            Nlink = type == FilePermissions.S_IFDIR ? 2u : 1u,
            Uid = context.Uid,
            Gid = context.Gid,
            Lookups = 1,
        };
        inode.Directory = type == FilePermissions.S_IFDIR ? new DirectoryIndex(directory) : null;
        Errno error = Inherit(inode, directory, wanted.Umask);
        if (error == Errnos.Ok && context.Extensions.TryGetSecurityContext(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> label))
        {
            error = SetXattr(inode, name, label);
        }

        if (error != Errnos.Ok)
        {
            DropXattrs(inode);
            _inodeBudget.Refund(1);
            return error;
        }

        _inodes[inode.Id] = inode;
        return inode;
    }

    /// <summary>Gives a new inode what its directory passes on: the group and the bit for it (set-group-id), and access control lists.</summary>
    private Errno Inherit(Inode inode, Inode directory, uint umask)
    {
        byte[]? list;
        lock (directory.Gate)
        {
            if ((directory.Mode & FilePermissions.S_ISGID) != 0)
            {
                inode.Gid = directory.Gid;
                inode.Mode |= inode.Directory is not null ? FilePermissions.S_ISGID : 0;
            }

            list = directory.Xattrs?.Find(PosixAcl.DefaultName);
        }

        if (inode.Type == FilePermissions.S_IFLNK)
        {
            return Errnos.Ok;
        }

        if (list is null)
        {
            inode.Mode &= ~((FilePermissions)umask & FilePermissions.ACCESSPERMS);
            return Errnos.Ok;
        }

        return InheritAcl(inode, list);
    }

    private Errno InheritAcl(Inode inode, byte[] list)
    {
        byte[] access = [.. list];
        inode.Mode = PosixAcl.Inherit(access, inode.Mode);
        Errno error = PosixAcl.IsMode(access) ? Errnos.Ok : SetXattr(inode, PosixAcl.AccessName, access);
        return error == Errnos.Ok && inode.Directory is not null ? SetXattr(inode, PosixAcl.DefaultName, list) : error;
    }

    /// <summary>Answers with an inode whose lookup is counted already.</summary>
    private EntryOut Answer(Inode inode)
    {
        lock (inode.Gate)
        {
            Attr attr = inode.ToAttr();
            return _backend.Entry(inode.Id, Generation, in attr);
        }
    }

    /// <summary>What shall be made.</summary>
    private readonly record struct Wanted(FilePermissions Mode, uint Umask)
    {
        public uint Rdev { get; init; }

        public ImmutableArray<byte> Target { get; init; } = [];
    }
}
