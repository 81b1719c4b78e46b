using System.Runtime.CompilerServices;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Files;
using Harness.Transport.Simulated.Names;
using Harness.Transport.Simulated.Pages;
using Harness.Transport.Simulated.Requests;
using Mono.Unix.Native;

namespace Harness.Transport.Simulated.Calls;

/// <summary>Calls on open files besides reading and writing: fsync(2), lseek(2), fallocate(2), posix_fadvise(2), flock(2), fcntl(2).</summary>
public sealed partial class SystemCalls
{
    /// <summary>fsync(2), or fdatasync(2).</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> Fsync(KernelTask task, int descriptor, bool dataOnly)
    {
        Enter(task);
        return task.Files.Find(descriptor) is { } file ? Done(await Sync(task, file, dataOnly, 0, long.MaxValue)) : Errno.EBADF;
    }

    /// <summary>lseek(2); <paramref name="whence"/> as in its manual, 0 to 4.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> Seek(KernelTask task, int descriptor, long offset, int whence)
    {
        const int set = 0;
        const int current = 1;
        const int end = 2;
        Enter(task);
        if (task.Files.Find(descriptor) is not { } file)
        {
            return Errno.EBADF;
        }

        if (whence is set or current)
        {
            return file.Position = whence == set ? offset : file.Position + offset;
        }

        if (whence == end)
        {
            // A directory's end is what is known of it (generic_file_llseek).
            Errno error = file.Inode.IsDirectory ? Errnos.Ok : await Attributes.Update(task, file.Inode, file, AttributeMask.Size);
            return error == Errnos.Ok ? file.Position = file.Inode.Size + offset : error;
        }

        KernelRequest request = Connection.Rent(Opcode.Lseek, file.Inode.NodeId);
        request.Add(new LseekIn { Fh = file.Fh, Offset = (ulong)offset, Whence = (uint)whence });
        Errno refused = await Connection.Send(task, request);
        long found = (long)request.Read<LseekOut>().Offset;
        Connection.Return(request);
        if (refused == Errno.ENOSYS)
        {
            throw new NotSupportedException("The daemon has no LSEEK; the simulated kernel does not look for holes itself.");
        }

        return refused == Errnos.Ok ? file.Position = found : refused;
    }

    /// <summary>fallocate(2); <paramref name="mode"/> as in its manual.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> Fallocate(KernelTask task, int descriptor, FallocateMode mode, long offset, long length)
    {
        Enter(task);
        if (task.Files.Find(descriptor) is not { IsWritable: true } file)
        {
            return Errno.EBADF;
        }

        if (Connection.NoFallocate)
        {
            return Errnos.NotSupported;
        }

        Inode inode = file.Inode;
        bool drops = (mode & (FallocateMode.PunchHole | FallocateMode.ZeroRange)) != 0;
        await inode.Lock.AcquireAlone(task.Thread);
        if (drops)
        {
            await Writeback.Start(task, inode, offset, long.MaxValue);
            await Pages.Writeback.WaitFor(task, inode);
        }

        await DropPrivileges(task, inode, remembers: true);
        inode.HasDirtyTimes |= Inodes.TrustsOwnSize(inode);
        KernelRequest request = Connection.Rent(Opcode.Fallocate, inode.NodeId);
        request.Add(new FallocateIn { Fh = file.Fh, Offset = (ulong)offset, Length = (ulong)length, Mode = mode });
        Errno error = await Connection.Send(task, request);
        Connection.Return(request);
        if (error == Errno.ENOSYS)
        {
            Connection.NoFallocate = true;
            error = Errnos.NotSupported;
        }

        if (error == Errnos.Ok)
        {
            if ((mode & FallocateMode.KeepSize) == 0)
            {
                Through.Written(inode, offset + length, (int)Math.Min(length, int.MaxValue));
            }

            if (drops)
            {
                inode.Pages.Punch(offset, length);
            }

            inode.Invalidate(AttributeMask.ModifyAndSize);
        }

        await inode.Lock.ReleaseAlone(task.Thread);
        return Done(error);
    }

    /// <summary>posix_fadvise(2): normal 0, random 1, sequential 2, will need 3. Other advice is refused.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> Advise(KernelTask task, int descriptor, long offset, long length, int advice)
    {
        const int normal = 0;
        const int random = 1;
        const int sequential = 2;
        const int willNeed = 3;
        Enter(task);
        if (task.Files.Find(descriptor) is not { } file)
        {
            return Errno.EBADF;
        }

        ReadaheadState state = file.Readahead;
        switch (advice)
        {
            case normal:
                (state.Pages, state.IsRandom) = (Connection.ReadaheadPages, false);
                return 0L;
            case random:
                state.IsRandom = true;
                return 0L;
            case sequential:
                (state.Pages, state.IsRandom) = (2 * Connection.ReadaheadPages, false);
                return 0L;
            case willNeed:
                long first = offset >> CachePage.Shift;
                long last = length == 0 ? long.MaxValue >> CachePage.Shift : (offset + length - 1) >> CachePage.Shift;
                await Readahead.Force(task, file, first, last - first + 1);
                return 0L;
            default:
                throw new NotSupportedException($"posix_fadvise(2) with advice {advice} is not modelled.");
        }
    }

    /// <summary>flock(2): shared 1, exclusive 2, unlock 8, not waiting 4 besides.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> Flock(KernelTask task, int descriptor, int operation)
    {
        const int shared = 1;
        const int unlock = 8;
        const int dontWait = 4;
        Enter(task);
        if (task.Files.Find(descriptor) is not { } file)
        {
            return Errno.EBADF;
        }

        uint type = (operation & unlock) != 0 ? LockType.Unlock : (operation & shared) != 0 ? LockType.Read : LockType.Write;
        bool waits = (operation & dontWait) == 0;
        if (!Connection.Has(InitFlags.FlockLocks))
        {
            return 0L;
        }

        file.HasFlock = true;
        var whole = new FileLock { Start = 0, End = long.MaxValue, Type = type, Pid = task.Pid };
        return Done(await SendLock(task, file, whole, LkFlags.Flock, waits));
    }

    /// <summary>fcntl(2), F_SETLK: read 0, write 1, unlock 2.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> Lock(KernelTask task, int descriptor, uint type, long start, long length)
    {
        Enter(task);
        if (task.Files.Find(descriptor) is not { } file)
        {
            return Errno.EBADF;
        }

        if (!Connection.Has(InitFlags.PosixLocks))
        {
            return 0L;
        }

        long end = length == 0 ? long.MaxValue : start + length - 1;
        var range = new FileLock { Start = (ulong)start, End = (ulong)end, Type = type, Pid = task.Pid };
        return Done(await SendLock(task, file, range, LkFlags.None, waits: false));
    }

    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<Errno> SendLock(KernelTask task, OpenFile file, FileLock range, LkFlags flags, bool waits)
    {
        range.Pid = range.Type == LockType.Unlock ? 0 : range.Pid;
        KernelRequest request = Connection.Rent(waits ? Opcode.Setlkw : Opcode.Setlk, file.Inode.NodeId);
        request.Add(new LkIn { Fh = file.Fh, Owner = task.LockOwner, Lk = range, LkFlags = flags });
        Errno error = await Connection.Send(task, request);
        Connection.Return(request);
        return error;
    }

    /// <summary>Writes what is dirty in a range, the times, and has the daemon make all that durable (<c>fuse_fsync</c>).</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<Errno> Sync(KernelTask task, OpenFile file, bool dataOnly, long from, long to)
    {
        Inode inode = file.Inode;
        await inode.Lock.AcquireAlone(task.Thread);
        Errno error = Errnos.Ok;
        if (!inode.IsDirectory)
        {
            await Writeback.Start(task, inode, from, to);
            await Pages.Writeback.WaitFor(task, inode);
            error = await Attributes.FlushTimes(task, inode);
        }

        bool isUnserved = inode.IsDirectory ? Connection.NoFsyncdir : Connection.NoFsync;
        if (error == Errnos.Ok && !isUnserved)
        {
            KernelRequest request = Connection.Rent(inode.IsDirectory ? Opcode.Fsyncdir : Opcode.Fsync, inode.NodeId);
            request.Add(new FsyncIn { Fh = file.Fh, FsyncFlags = dataOnly ? FsyncFlags.Fdatasync : FsyncFlags.None });
            error = await Connection.Send(task, request);
            Connection.Return(request);
            if (error == Errno.ENOSYS)
            {
                Connection.NoFsyncdir |= inode.IsDirectory;
                Connection.NoFsync |= !inode.IsDirectory;
                error = Errnos.Ok;
            }
        }

        await inode.Lock.ReleaseAlone(task.Thread);
        return error;
    }

    /// <summary>The types of fcntl(2)'s locks.</summary>
    private static class LockType
    {
        public const uint Read = 0;
        public const uint Write = 1;
        public const uint Unlock = 2;
    }
}
