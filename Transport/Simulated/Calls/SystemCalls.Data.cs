using System.Runtime.CompilerServices;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Files;
using Harness.Transport.Simulated.Names;
using Harness.Transport.Simulated.Pages;
using Mono.Unix.Native;

namespace Harness.Transport.Simulated.Calls;

/// <summary>Reading and writing: pread(2), pwrite(2), their kin, and io_submit(2).</summary>
public sealed partial class SystemCalls
{
    /// <summary>pread(2), or read(2) without an offset.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> Read(KernelTask task, int descriptor, Memory<byte> buffer, long? offset)
    {
        EnterToMoveData(task);
        Result<long> moved;
        if (task.Files.Find(descriptor) is not { IsReadable: true } file)
        {
            moved = Errno.EBADF;
        }
        else if (file.Inode.IsDirectory)
        {
            moved = Errno.EISDIR;
        }
        else
        {
            Result<int>? read = await Read(task, file, buffer, offset ?? file.Position, null);
            moved = Moved(file, read!.Value, offset);
        }

        await task.Thread.LeaveKernel();
        return moved;
    }

    /// <summary>pwrite(2), or write(2) without an offset.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> Write(KernelTask task, int descriptor, Memory<byte> data, long? offset)
    {
        EnterToMoveData(task);
        Result<long> moved;
        if (task.Files.Find(descriptor) is not { IsWritable: true } file)
        {
            moved = Errno.EBADF;
        }
        else
        {
            Result<int> written = (await Write(task, file, data, offset ?? file.Position, null))!.Value;
            moved = Moved(file, written, offset);
            if (offset is null && written.IsOk && (file.Flags & OpenFileFlags.Append) != 0)
            {
                file.Position = file.Inode.Size;
            }
        }

        await task.Thread.LeaveKernel();
        return moved;
    }

    /// <summary>io_submit(2) of one read or write.</summary>
    /// <param name="task">Who submits it.</param>
    /// <param name="context">Where its end is waited for.</param>
    /// <param name="descriptor">The open file.</param>
    /// <param name="buffer">Stays the kernel's until the end.</param>
    /// <param name="offset">Where in the file.</param>
    /// <param name="isWrite">Which of the two.</param>
    /// <param name="data">What <see cref="AioCompletion.Data"/> shall be.</param>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> Submit(
        KernelTask task, AioContext context, int descriptor, Memory<byte> buffer, long offset, bool isWrite, object? data = null)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (task.Files.Find(descriptor) is not { } file || !(isWrite ? file.IsWritable : file.IsReadable))
        {
            return Errno.EBADF;
        }

        context.Submitted();
        var completion = new AioCompletion(context, data);
        Result<int>? ended = isWrite
            ? await Write(task, file, buffer, offset, completion)
            : await Read(task, file, buffer, offset, completion);
        if (ended is { } result)
        {
            await completion.Complete(task.Thread, result);
        }

        await task.Thread.LeaveKernel();
        return 1L;
    }

    /// <summary>Charges the system call that <see cref="Submit"/> is made in: several in one are one call.</summary>
    public void EnterSubmit(KernelTask task) => EnterToMoveData(task);

    /// <summary>io_getevents(2): waits for the end of one.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<AioCompletion> GetEvent(KernelTask task, AioContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        EnterToMoveData(task);
        AioCompletion ended = await context.Take(task.Thread);
        await task.Thread.LeaveKernel();
        return ended;
    }

    /// <summary>Enters a call that is not preempted before its end.</summary>
    private void EnterToMoveData(KernelTask task)
    {
        Enter(task);
        task.Thread.EnterKernel();
    }

    private static Result<long> Moved(OpenFile file, Result<int> moved, long? offset)
    {
        if (!moved.IsOk)
        {
            return moved.Error;
        }

        if (offset is null)
        {
            file.Position += moved.Value;
        }

        return (long)moved.Value;
    }

    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<Result<int>?> Read(KernelTask task, OpenFile file, Memory<byte> buffer, long offset, AioCompletion? aio)
    {
        Inode inode = file.Inode;
        if (file.IsUncached)
        {
            if (aio is not null)
            {
                return await Direct.Transfer(task, file, buffer, offset, isWrite: false, aio);
            }

            Result<int> uncached = await Direct.OneByOne(task, file, buffer, offset, isWrite: false);
            inode.Invalidate(AttributeMask.Atime);
            return uncached;
        }

        // Only who reads past the end needs to know where it is now, unless data are dropped by what attributes say.
        if (Connection.Has(InitFlags.AutoInvalData) || offset + buffer.Length > inode.Size)
        {
            Errno error = await Attributes.Update(task, inode, file, AttributeMask.Size);
            if (error != Errnos.Ok)
            {
                return error;
            }
        }

        if (buffer.Length == 0)
        {
            return 0;
        }

        if (!file.IsDirect)
        {
            return await Reads.Read(task, file, buffer, offset);
        }

        await Writeback.Start(task, inode, offset, offset + buffer.Length);
        await Pages.Writeback.WaitFor(task, inode);
        Result<int>? direct = await Direct.Transfer(task, file, buffer, offset, isWrite: false, aio);
        if (direct is not { IsOk: true } moved || moved.Value == buffer.Length || offset + moved.Value >= inode.Size)
        {
            return direct;
        }

        Result<int> rest = await Reads.Read(task, file, buffer[moved.Value..], offset + moved.Value);
        return moved.Value + (rest.IsOk ? rest.Value : 0);
    }

    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<Result<int>?> Write(KernelTask task, OpenFile file, Memory<byte> data, long offset, AioCompletion? aio)
    {
        Inode inode = file.Inode;
        if (file.IsUncached)
        {
            return await WriteUncached(task, file, data, offset, aio);
        }

        bool isBack = Connection.Has(InitFlags.WritebackCache);
        if (isBack)
        {
            Errno error = await Attributes.Update(task, inode, file, AttributeMask.Size | AttributeMask.Mode);
            if (error != Errnos.Ok)
            {
                return error;
            }
        }

        await inode.Lock.AcquireAlone(task.Thread);
        offset = (file.Flags & OpenFileFlags.Append) != 0 ? inode.Size : offset;
        Result<int>? written = data.Length == 0 ? 0 : await WriteLocked(task, file, data, offset, aio);
        await inode.Lock.ReleaseAlone(task.Thread);
        OpenFileFlags synchronous = file.Flags & OpenFileFlags.Sync;
        if (synchronous != 0 && written is { IsOk: true })
        {
            Errno error = await Sync(task, file, dataOnly: synchronous != OpenFileFlags.Sync, offset, offset + written.Value.Value);
            return error == Errnos.Ok ? written : error;
        }

        return written;
    }

    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<Result<int>?> WriteLocked(KernelTask task, OpenFile file, Memory<byte> data, long offset, AioCompletion? aio)
    {
        Inode inode = file.Inode;
        await DropPrivileges(task, inode, remembers: true);
        inode.HasDirtyTimes |= Inodes.TrustsOwnSize(inode);
        if (!file.IsDirect)
        {
            return Connection.Has(InitFlags.WritebackCache)
                ? await Back.Write(task, file, data, offset)
                : await Through.Write(task, file, data, offset, 0);
        }

        long end = offset + data.Length;
        await Writeback.Start(task, inode, offset, end);
        await Pages.Writeback.WaitFor(task, inode);
        inode.Pages.DropClean(offset >> CachePage.Shift, (end - 1) >> CachePage.Shift);
        Result<int>? direct = await Direct.Transfer(task, file, data, offset, isWrite: true, aio);
        inode.Pages.DropClean(offset >> CachePage.Shift, (end - 1) >> CachePage.Shift);
        if (direct is not { IsOk: true } moved || moved.Value == data.Length)
        {
            return direct;
        }

        Result<int> rest = await Through.Write(task, file, data[moved.Value..], offset + moved.Value, 0);
        return moved.Value + (rest.IsOk ? rest.Value : 0);
    }

    /// <summary>Writes to a file opened FOPEN_DIRECT_IO (<c>fuse_direct_write_iter</c>).</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<Result<int>?> WriteUncached(KernelTask task, OpenFile file, Memory<byte> data, long offset, AioCompletion? aio)
    {
        Inode inode = file.Inode;
        bool isAppend = (file.Flags & OpenFileFlags.Append) != 0;
        bool isShared = file.Has(FopenFlags.ParallelDirectWrites) && !isAppend && offset + data.Length <= inode.Size;
        await (isShared ? inode.Lock.AcquireShared(task.Thread) : inode.Lock.AcquireAlone(task.Thread));
        offset = isAppend ? inode.Size : offset;
        Result<int>? written = 0;
        if (data.Length > 0 && aio is not null)
        {
            written = await Direct.Transfer(task, file, data, offset, isWrite: true, aio);
        }
        else if (data.Length > 0)
        {
            Result<int> sent = await Direct.OneByOne(task, file, data, offset, isWrite: true);
            int bytes = sent.IsOk ? sent.Value : 0;
            Through.Written(inode, offset + bytes, bytes);
            written = sent;
        }

        await (isShared ? inode.Lock.ReleaseShared(task.Thread) : inode.Lock.ReleaseAlone(task.Thread));
        return written;
    }
}
