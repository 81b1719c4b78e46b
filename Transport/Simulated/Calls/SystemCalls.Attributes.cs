using System.Runtime.CompilerServices;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Files;
using Harness.Transport.Simulated.Names;
using Harness.Transport.Simulated.Requests;
using Mono.Unix.Native;

namespace Harness.Transport.Simulated.Calls;

/// <summary>Reading and changing attributes: stat(2), chmod(2), chown(2), utimensat(2), truncate(2), access(2), statfs(2), readlink(2).</summary>
public sealed partial class SystemCalls
{
    private const uint PermissionBits = 0xFFF;

    /// <summary>stat(2), or lstat(2).</summary>
    /// <returns>The size.</returns>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> Stat(KernelTask task, string path, bool follow)
    {
        Enter(task);
        Result<Dentry> found = await Walk.Resolve(task, path, follow);
        return found.IsOk ? await Stat(task, found.Value.Inode!) : found.Error;
    }

    /// <summary>fstat(2).</summary>
    /// <returns>The size.</returns>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> Fstat(KernelTask task, int descriptor)
    {
        Enter(task);
        return task.Files.Find(descriptor) is { } file ? await Stat(task, file.Inode) : Errno.EBADF;
    }

    /// <summary>chmod(2).</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> Chmod(KernelTask task, string path, uint mode)
    {
        Enter(task);
        Result<Dentry> found = await Walk.Resolve(task, path, follow: true);
        if (!found.IsOk)
        {
            return found.Error;
        }

        Inode inode = found.Value.Inode!;
        uint type = inode.Attr.Mode & ~PermissionBits;
        Errno error = await Change(task, inode, new SetattrIn { Valid = SetattrValid.Mode, Mode = type | (mode & PermissionBits) });
        if (error == Errnos.Ok && inode.IsDirectory && inode != Inodes.Root.Inode)
        {
            // Who could pass through it may not any more: its name is looked up again.
            found.Value.ValidUntil = 0;
        }

        return Done(error);
    }

    /// <summary>chown(2).</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> Chown(KernelTask task, string path, uint uid, uint gid)
    {
        Enter(task);
        Result<Dentry> found = await Walk.Resolve(task, path, follow: true);
        if (!found.IsOk)
        {
            return found.Error;
        }

        Inode inode = found.Value.Inode!;
        SetattrValid valid = SetattrValid.Uid | SetattrValid.Gid;
        if (!inode.IsDirectory)
        {
            await GetXattrSize(task, inode, "security.capability");
            if (!Connection.Has(InitFlags.HandleKillpriv) && !Connection.Has(InitFlags.HandleKillprivV2))
            {
                // The kernel clears set-id bits itself, and asks which there are.
                await Attributes.Get(task, inode, null);
            }

            valid |= Connection.Has(InitFlags.HandleKillprivV2) ? SetattrValid.KillSuidgid : SetattrValid.None;
        }

        return Done(await Change(task, inode, new SetattrIn { Valid = valid, Uid = uid, Gid = gid }));
    }

    /// <summary>utimensat(2) with both times given, in seconds.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> SetTimes(KernelTask task, string path, ulong accessed, ulong modified)
    {
        Enter(task);
        Result<Dentry> found = await Walk.Resolve(task, path, follow: true);
        var arg = new SetattrIn { Valid = SetattrValid.Atime | SetattrValid.Mtime, Atime = accessed, Mtime = modified };
        return found.IsOk ? Done(await Change(task, found.Value.Inode!, arg)) : found.Error;
    }

    /// <summary>truncate(2).</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> Truncate(KernelTask task, string path, long size)
    {
        Enter(task);
        Result<Dentry> found = await Walk.Resolve(task, path, follow: true);
        if (!found.IsOk)
        {
            return found.Error;
        }

        Inode inode = found.Value.Inode!;
        if (!inode.IsRegular)
        {
            return inode.IsDirectory ? Errno.EISDIR : Errno.EINVAL;
        }

        Errno refused = await Attributes.Check(task, inode);
        if (refused != Errnos.Ok)
        {
            return refused;
        }

        await DropPrivileges(task, inode, remembers: false);
        return Done(await Resize(task, inode, null, size, setsTimes: inode.Size != size));
    }

    /// <summary>ftruncate(2).</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> Ftruncate(KernelTask task, int descriptor, long size)
    {
        Enter(task);
        if (task.Files.Find(descriptor) is not { } file)
        {
            return Errno.EBADF;
        }

        if (!file.IsWritable)
        {
            return Errno.EINVAL;
        }

        await DropPrivileges(task, file.Inode, remembers: false);
        return Done(await Resize(task, file.Inode, file, size, setsTimes: true));
    }

    /// <summary>access(2).</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> Access(KernelTask task, string path, uint mask)
    {
        Enter(task);
        Result<Dentry> found = await Walk.Resolve(task, path, follow: true);
        return found.IsOk
            ? Done(await Attributes.Check(task, found.Value.Inode!, isAccessCall: mask != 0, mask))
            : found.Error;
    }

    /// <summary>statfs(2).</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> Statfs(KernelTask task, string path)
    {
        Enter(task);
        Result<Dentry> found = await Walk.Resolve(task, path, follow: true);
        if (!found.IsOk)
        {
            return found.Error;
        }

        KernelRequest request = Connection.Rent(Opcode.Statfs, found.Value.Inode!.NodeId);
        Errno error = await Connection.Send(task, request);
        Connection.Return(request);
        return Done(error);
    }

    /// <summary>readlink(2).</summary>
    /// <returns>The target's length.</returns>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> Readlink(KernelTask task, string path)
    {
        Enter(task);
        Result<Dentry> found = await Walk.Resolve(task, path, follow: false);
        if (!found.IsOk)
        {
            return found.Error;
        }

        if (!found.Value.Inode!.IsSymlink)
        {
            return Errno.EINVAL;
        }

        Result<string> target = await Walk.ReadLink(task, found.Value.Inode);
        return target.IsOk ? System.Text.Encoding.UTF8.GetByteCount(target.Value) : target.Error;
    }

    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<Result<long>> Stat(KernelTask task, Inode inode)
    {
        Errno error = await Attributes.Update(task, inode, null, AttributeMask.Basic);
        return error == Errnos.Ok ? inode.IsRegular ? inode.Size : (long)inode.Attr.Size : error;
    }

    /// <summary>Changes attributes other than the size: what is dirty is written first, since the change may forbid it.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<Errno> Change(KernelTask task, Inode inode, SetattrIn arg)
    {
        if (Inodes.TrustsOwnSize(inode))
        {
            Errno error = await Writeback.WriteNow(task, inode);
            if (error != Errnos.Ok)
            {
                return error;
            }

            arg.Valid |= SetattrValid.Ctime;
            (arg.Ctime, arg.Ctimensec) = Attributes.WallClock();
        }

        return await Attributes.Set(task, inode, arg);
    }

    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<Errno> Resize(KernelTask task, Inode inode, OpenFile? file, long size, bool setsTimes)
    {
        await inode.Lock.AcquireAlone(task.Thread);
        await Pages.Writeback.WaitFor(task, inode);
        var arg = new SetattrIn { Valid = SetattrValid.Size | SetattrValid.LockOwner, Size = (ulong)size, LockOwner = task.LockOwner };
        if (file is not null)
        {
            arg.Valid |= SetattrValid.Fh;
            arg.Fh = file.Fh;
        }

        if (setsTimes && Inodes.TrustsOwnSize(inode))
        {
            arg.Valid |= SetattrValid.Mtime | SetattrValid.Ctime;
            (arg.Mtime, arg.Mtimensec) = Attributes.WallClock();
            (arg.Ctime, arg.Ctimensec) = (arg.Mtime, arg.Mtimensec);
        }

        long dirty = inode.Pages.DirtyPages;
        long oldSize = inode.Size;
        Errno error = await Attributes.Set(task, inode, arg);
        Writeback.DirtyBytes -= (dirty - inode.Pages.DirtyPages) << Pages.CachePage.Shift;
        if (error == Errnos.Ok && inode.Size != oldSize)
        {
            await Writeback.DropAll(task, inode);
        }

        await inode.Lock.ReleaseAlone(task.Thread);
        return error;
    }
}
