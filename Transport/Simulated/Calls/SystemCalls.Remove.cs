using System.Runtime.CompilerServices;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Names;
using Harness.Transport.Simulated.Requests;
using Mono.Unix.Native;

namespace Harness.Transport.Simulated.Calls;

/// <summary>What takes names away or moves them: unlink(2), rmdir(2), renameat2(2).</summary>
public sealed partial class SystemCalls
{
    /// <summary>unlink(2).</summary>
    public ValueTask<Result<long>> Unlink(KernelTask task, string path) => Remove(task, path, Opcode.Unlink);

    /// <summary>rmdir(2).</summary>
    public ValueTask<Result<long>> Rmdir(KernelTask task, string path) => Remove(task, path, Opcode.Rmdir);

    /// <summary>renameat2(2); without flags rename(2).</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> Rename(KernelTask task, string path, string newPath, RenameFlags flags)
    {
        Enter(task);
        Result<PathEnd> from = await Walk.FindParent(task, path);
        if (!from.IsOk)
        {
            return from.Error;
        }

        Result<PathEnd> to = await Walk.FindParent(task, newPath);
        if (!to.IsOk)
        {
            return to.Error;
        }

        Result<Dentry> old = await Walk.Find(task, from.Value.Parent, from.Value.Name, isExact: false);
        if (!old.IsOk || old.Value.Inode is null)
        {
            return old.IsOk ? Errno.ENOENT : old.Error;
        }

        bool exchanges = (flags & RenameFlags.Exchange) != 0;
        Result<Dentry> target = await Walk.Find(task, to.Value.Parent, to.Value.Name, isExact: !exchanges);
        if (!target.IsOk)
        {
            return target.Error;
        }

        Errno refused = MayRename(old.Value, target.Value, from.Value.Parent, to.Value.Parent, flags);
        if (refused != Errnos.Ok || old.Value.Inode == target.Value.Inode)
        {
            return Done(refused);
        }

        refused = await CheckRename(task, old.Value, from.Value.Parent, to.Value.Parent);
        refused = refused == Errnos.Ok && !exchanges ? SameKind(old.Value.Inode, target.Value.Inode) : refused;
        if (refused != Errnos.Ok)
        {
            return refused;
        }

        Errno error = await SendRename(task, from.Value, to.Value, flags);
        if (error == Errnos.Ok)
        {
            await Renamed(task, old.Value, target.Value, to.Value, exchanges);
        }

        return Done(error);
    }

    /// <summary>What is refused before anybody's permission is looked at (<c>do_renameat2</c>).</summary>
    private static Errno MayRename(Dentry old, Dentry target, Dentry from, Dentry to, RenameFlags flags)
    {
        bool exchanges = (flags & RenameFlags.Exchange) != 0;
        if ((flags & RenameFlags.Noreplace) != 0 && target.Inode is not null)
        {
            return Errno.EEXIST;
        }

        if (exchanges && target.Inode is null)
        {
            return Errno.ENOENT;
        }

        if (IsAbove(old, to))
        {
            return Errno.EINVAL;
        }

        return IsAbove(target, from) ? exchanges ? Errno.EINVAL : Errno.ENOTEMPTY : Errnos.Ok;
    }

    private static bool IsAbove(Dentry dentry, Dentry? directory)
    {
        while (directory is not null && directory != dentry)
        {
            directory = directory.Parent;
        }

        return directory is not null;
    }

    private static Errno SameKind(Inode moved, Inode? replaced) => (moved.IsDirectory, replaced?.IsDirectory) switch
    {
        (true, false) => Errno.ENOTDIR,
        (false, true) => Errno.EISDIR,
        _ => Errnos.Ok,
    };

    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<Errno> CheckRename(KernelTask task, Dentry old, Dentry from, Dentry to)
    {
        Errno refused = await Attributes.Check(task, from.Inode!);
        refused = refused == Errnos.Ok ? await Attributes.Check(task, to.Inode!) : refused;
        bool movesDirectory = old.Inode!.IsDirectory && from != to;
        return refused == Errnos.Ok && movesDirectory ? await Attributes.Check(task, old.Inode) : refused;
    }

    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<Errno> SendRename(KernelTask task, PathEnd from, PathEnd to, RenameFlags flags)
    {
        KernelRequest request = Connection.Rent(flags == 0 ? Opcode.Rename : Opcode.Rename2, from.Parent.Inode!.NodeId);
        ulong directory = to.Parent.Inode!.NodeId;
        if (flags == 0)
        {
            request.Add(new RenameIn { Newdir = directory });
        }
        else
        {
            request.Add(new Rename2In { Newdir = directory, Flags = flags });
        }

        request.AddName(from.Name);
        request.AddName(to.Name);
        Errno error = await Connection.Send(task, request);
        Connection.Return(request);
        return error;
    }

    /// <summary>What a rename does to the caches (<c>fuse_rename_common</c>, and <c>d_move</c> behind it).</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    private async ValueTask Renamed(KernelTask task, Dentry old, Dentry target, PathEnd to, bool exchanges)
    {
        Dentry from = old.Parent!;
        string oldName = old.Name;
        Inodes.ChangeTimeMoved(old.Inode!);
        InodeTable.DirectoryChanged(from.Inode!);
        InodeTable.DirectoryChanged(to.Parent.Inode!);
        if (target.Inode is { } replaced && exchanges)
        {
            Inodes.ChangeTimeMoved(replaced);
        }
        else if (target.Inode is { } gone)
        {
            Unlinked(gone);
        }

        from.Remove(old);
        if (exchanges)
        {
            to.Parent.Remove(target);
            target.Move(from, oldName);
            from.Add(target);
        }
        else if (to.Parent.Find(to.Name) is { } replacedName)
        {
            if (Connection.Faults.Has(KernelFault.LostForget) && replacedName.Inode is { } lost)
            {
                lost.Lookups = 0;
            }

            await Inodes.Drop(task.Thread, replacedName);
        }

        old.Move(to.Parent, to.Name);
        to.Parent.Add(old);
    }

    private void Unlinked(Inode inode)
    {
        Inodes.Changed(inode);
        inode.Attr.Nlink -= inode.Attr.Nlink > 0 ? 1u : 0;
        Inodes.ChangeTimeMoved(inode);
    }

    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<Result<long>> Remove(KernelTask task, string path, Opcode opcode)
    {
        Enter(task);
        Result<PathEnd> end = await Walk.FindParent(task, path);
        if (!end.IsOk)
        {
            return end.Error;
        }

        (Dentry parent, string name) = end.Value;
        if (name.Length == 0)
        {
            return opcode == Opcode.Unlink ? Errno.EISDIR : Errno.EBUSY;
        }

        Result<Dentry> found = await Walk.Find(task, parent, name, isExact: false);
        if (!found.IsOk || found.Value.Inode is not { } inode)
        {
            return found.IsOk ? Errno.ENOENT : found.Error;
        }

        Errno error = await Attributes.Check(task, parent.Inode!);
        if (error == Errnos.Ok && inode.IsDirectory != (opcode == Opcode.Rmdir))
        {
            error = inode.IsDirectory ? Errno.EISDIR : Errno.ENOTDIR;
        }

        if (error != Errnos.Ok)
        {
            return error;
        }

        KernelRequest request = Connection.Rent(opcode, parent.Inode!.NodeId);
        request.AddName(name);
        error = await Connection.Send(task, request);
        Connection.Return(request);
        if (error == Errnos.Ok)
        {
            InodeTable.DirectoryChanged(parent.Inode);
            Unlinked(inode);
            await Inodes.Drop(task.Thread, found.Value);
        }

        return Done(error);
    }
}
