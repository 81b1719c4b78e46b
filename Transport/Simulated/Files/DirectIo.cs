using System.Runtime.CompilerServices;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Names;
using Harness.Transport.Simulated.Pages;
using Harness.Transport.Simulated.Requests;
using Mono.Unix.Native;

namespace Harness.Transport.Simulated.Files;

/// <summary>Reads and writes past the page cache (fs/fuse/file.c, <c>fuse_direct_IO</c>, <c>fuse_direct_io</c>).</summary>
internal sealed class DirectIo
{
    private readonly FuseConnection _connection;
    private readonly InodeTable _inodes;
    private readonly Writeback _writeback;
    private readonly ThroughWrites _writes;
    private readonly Func<SimThread, OpenFile, ValueTask> _unused;
    private readonly RequestEnd _ended;
    private readonly Stack<DirectTransfer> _spare = new();

    public DirectIo(
        FuseConnection connection, InodeTable inodes, Writeback writeback, ThroughWrites writes, Func<SimThread, OpenFile, ValueTask> unused)
    {
        _connection = connection;
        _inodes = inodes;
        _writeback = writeback;
        _writes = writes;
        _unused = unused;
        _ended = Ended;
    }

    /// <summary>Reads or writes as O_DIRECT does, with messages side by side where FUSE_ASYNC_DIO was agreed.</summary>
    /// <returns>Bytes, or null where <paramref name="completion"/> will tell.</returns>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<int>?> Transfer(
        KernelTask task, OpenFile file, Memory<byte> buffer, long offset, bool isWrite, AioCompletion? completion)
    {
        Inode inode = file.Inode;
        if (!isWrite && offset >= inode.Size)
        {
            return 0;
        }

        DirectTransfer transfer = Rent(task, file, offset, isWrite);
        transfer.IsParallel = _connection.Has(InitFlags.AsyncDio);
        if (transfer.IsParallel && !isWrite && offset + buffer.Length > inode.Size)
        {
            // No message that lies wholly behind the end of the file (fuse_round_up).
            long message = (long)_connection.MaxPages << CachePage.Shift;
            long rest = (inode.Size - offset + message - 1) / message * message;
            buffer = buffer[..(int)Math.Min(buffer.Length, rest)];
        }

        // A file cannot be extended in the background: the caller waits even if it asked not to.
        bool waits = completion is null || !transfer.IsParallel || (isWrite && offset + buffer.Length > inode.Size);
        if (completion is not null)
        {
            task.Thread.Charge(_connection.Costs.AsyncIo);
        }

        transfer.Waiter = waits ? task.Thread : null;
        transfer.Completion = waits ? null : completion;
        Result<int> result = await Split(transfer, buffer);
        if (isWrite)
        {
            inode.Invalidate(AttributeMask.ModifyAndSize);
        }
        else
        {
            inode.Invalidate(AttributeMask.Atime);
        }

        if (transfer.IsParallel)
        {
            transfer.Error = result.IsOk ? transfer.Error : result.Error;
            if (!waits)
            {
                await One(task.Thread, transfer);
                return null;
            }

            transfer.Pending--;
            while (transfer.Pending > 0)
            {
                await task.Thread.Block(transfer);
            }

            result = transfer.Result;
        }

        _spare.Push(transfer);
        if (isWrite)
        {
            int written = result.IsOk ? result.Value : 0;
            _writes.Written(inode, offset + written, written);
        }

        return result;
    }

    /// <summary>Reads or writes message after message, as synchronous calls do on files opened FOPEN_DIRECT_IO.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<int>> OneByOne(KernelTask task, OpenFile file, Memory<byte> buffer, long offset, bool isWrite)
    {
        DirectTransfer transfer = Rent(task, file, offset, isWrite);
        Result<int> result = await Split(transfer, buffer);
        _spare.Push(transfer);
        return result;
    }

    private DirectTransfer Rent(KernelTask task, OpenFile file, long offset, bool isWrite)
    {
        DirectTransfer transfer = _spare.TryPop(out DirectTransfer? spare) ? spare : new DirectTransfer();
        transfer.Begin(task, file, offset, isWrite);
        return transfer;
    }

    /// <summary>Sends a transfer in messages as large as they may be, and waits for each unless they go side by side.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<Result<int>> Split(DirectTransfer transfer, Memory<byte> buffer)
    {
        OpenFile file = transfer.File;
        Inode inode = file.Inode;
        KernelTask task = transfer.Task;
        if (file.IsUncached)
        {
            await _writeback.Start(task, inode, transfer.Offset, transfer.Offset + Math.Max(1, buffer.Length));
        }

        await Writeback.WaitFor(task, inode);
        (long firstPage, long lastPage) = (transfer.Offset >> CachePage.Shift, (transfer.Offset + buffer.Length - 1) >> CachePage.Shift);
        bool drops = file.IsUncached && transfer.IsWrite;
        if (drops)
        {
            inode.Pages.DropClean(firstPage, lastPage);
        }

        int most = _connection.MaxPages << CachePage.Shift;
        most = transfer.IsWrite ? Math.Min(most, _connection.MaxWrite) : most;
        most -= _connection.Faults.Has(KernelFault.WrongSplit) && most > CachePage.Bytes ? CachePage.Bytes : 0;
        int done = 0;
        while (done < buffer.Length)
        {
            int bytes = Math.Min(most, buffer.Length - done);
            _connection.Hold(task.Thread, bytes);
            KernelRequest request = Make(transfer, buffer.Slice(done, bytes), transfer.Offset + done);
            if (transfer.IsParallel)
            {
                transfer.Pending++;
                transfer.Size += bytes;
                file.Uses++;
                request.End = _ended;
                request.Context = transfer;
                await _connection.SendBackground(task, request);
                done += bytes;
                continue;
            }

            Errno error = await _connection.Send(task, request);
            _connection.Release(task.Thread, bytes);
            int moved = Moved(transfer, request);
            _connection.Return(request);
            if (error != Errnos.Ok)
            {
                return done > 0 ? done : error;
            }

            done += moved;
            if (moved < bytes)
            {
                break;
            }
        }

        if (drops)
        {
            inode.Pages.DropClean(firstPage, lastPage);
        }

        return done;
    }

    private static int Moved(DirectTransfer transfer, KernelRequest request) =>
        transfer.IsWrite ? (int)Math.Min(request.Read<WriteOut>().Size, int.MaxValue) : request.OutLength;

    private KernelRequest Make(DirectTransfer transfer, Memory<byte> buffer, long offset)
    {
        OpenFile file = transfer.File;
        KernelRequest request = _connection.Rent(transfer.IsWrite ? Opcode.Write : Opcode.Read, file.Inode.NodeId);
        request.Offset = offset;
        request.OutMax = buffer.Length;
        ulong owner = transfer.Task.LockOwner;
        if (transfer.IsWrite)
        {
            request.Add(new WriteIn
            {
                Fh = file.Fh,
                Offset = (ulong)offset,
                Size = (uint)buffer.Length,
                WriteFlags = WriteFlags.LockOwner,
                LockOwner = owner,
                Flags = (uint)file.Flags,
            });
            request.Data.Add(buffer);
        }
        else
        {
            request.Add(new ReadIn
            {
                Fh = file.Fh,
                Offset = (ulong)offset,
                Size = (uint)buffer.Length,
                ReadFlags = ReadFlags.LockOwner,
                LockOwner = owner,
                Flags = (uint)file.Flags,
            });
            request.Into.Add(buffer);
        }

        return request;
    }

    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    private async ValueTask Ended(SimThread thread, KernelRequest request)
    {
        var transfer = (DirectTransfer)request.Context!;
        int moved = Moved(transfer, request);
        if (request.Error != Errnos.Ok)
        {
            transfer.Error = transfer.Error == Errnos.Ok ? request.Error : transfer.Error;
        }
        else if (moved < request.OutMax)
        {
            long at = request.Offset - transfer.Offset + moved;
            transfer.ShortAt = transfer.ShortAt < 0 ? at : Math.Min(transfer.ShortAt, at);
        }

        OpenFile file = transfer.File;
        _connection.Release(thread, request.OutMax);
        await One(thread, transfer);
        await _unused(thread, file);
    }

    /// <summary>One message less is under way; the last one ends the transfer.</summary>
    private ValueTask One(SimThread thread, DirectTransfer transfer) =>
        --transfer.Pending > 0 ? default
        : transfer.Waiter is { } waiter ? thread.Wake(waiter)
        : Complete(thread, transfer);

    private ValueTask Complete(SimThread thread, DirectTransfer transfer)
    {
        Inode inode = transfer.File.Inode;
        if (transfer.IsWrite && transfer.Result.IsOk)
        {
            _inodes.Changed(inode);
        }

        (AioCompletion? completion, Result<int> result) = (transfer.Completion, transfer.Result);
        _spare.Push(transfer);
        return completion?.Complete(thread, result) ?? default;
    }
}
