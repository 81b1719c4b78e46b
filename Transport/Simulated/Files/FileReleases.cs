using System.Runtime.CompilerServices;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Names;
using Harness.Transport.Simulated.Pages;
using Harness.Transport.Simulated.Requests;
using Mono.Unix.Native;

namespace Harness.Transport.Simulated.Files;

/// <summary>The end of open files: FLUSH at each close(2), RELEASE once nothing uses the file any more (fs/fuse/file.c).</summary>
internal sealed class FileReleases
{
    private readonly FuseConnection _connection;
    private readonly InodeTable _inodes;
    private readonly RequestEnd _released;

    public FileReleases(FuseConnection connection, InodeTable inodes)
    {
        _connection = connection;
        _inodes = inodes;
        _released = (thread, request) => inodes.Put(thread, ((OpenFile)request.Context!).Inode);
        Unused = OneLess;
    }

    /// <summary>One message less uses an open file; the last one after its close sends RELEASE.</summary>
    public Func<SimThread, OpenFile, ValueTask> Unused { get; }

    public Writeback Writeback { get; set; } = null!;

    /// <summary>One descriptor less refers to an open file.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Errno> Close(KernelTask task, OpenFile file)
    {
        Inode inode = file.Inode;
        Errno error = inode.IsDirectory ? Errnos.Ok : await Flush(task, file);
        if (--file.References > 0)
        {
            return error;
        }

        if (_inodes.TrustsOwnSize(inode))
        {
            await Writeback.WriteNow(task, inode);
        }

        inode.Writers.Remove(file);
        await OneLess(task.Thread, file);
        await _inodes.Unpin(task.Thread, file.Dentry);
        return error;
    }

    /// <summary>Writes what is dirty and sends FLUSH (<c>fuse_flush</c>).</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<Errno> Flush(KernelTask task, OpenFile file)
    {
        Inode inode = file.Inode;
        bool isBack = _connection.Has(InitFlags.WritebackCache);
        if (file.Has(FopenFlags.Noflush) && !isBack)
        {
            return Errnos.Ok;
        }

        Errno error = isBack ? await Writeback.WriteNow(task, inode) : Errnos.Ok;
        bool isSkipped = _connection.Faults.Has(KernelFault.SkippedFlush) && file.IsWritable;
        if (!_connection.NoFlush && !isSkipped)
        {
            KernelRequest request = _connection.Rent(Opcode.Flush, inode.NodeId);
            request.Add(new FlushIn { Fh = file.Fh, LockOwner = task.LockOwner });
            error = await _connection.Send(task, request);
            _connection.Return(request);
            if (error == Errno.ENOSYS)
            {
                _connection.NoFlush = true;
                error = Errnos.Ok;
            }
        }

        if (isBack)
        {
            inode.Invalidate(AttributeMask.Blocks);
        }

        return error;
    }

    private ValueTask OneLess(SimThread thread, OpenFile file)
    {
        // The descriptors together count as one use.
        return --file.Uses > 0 ? default : Release(thread, file);
    }

    private ValueTask Release(SimThread thread, OpenFile file)
    {
        bool isDirectory = file.Inode.IsDirectory;
        if (isDirectory ? _connection.NoOpendir : _connection.NoOpen)
        {
            return _inodes.Put(thread, file.Inode);
        }

        KernelRequest request = _connection.Rent(isDirectory ? Opcode.Releasedir : Opcode.Release, file.Inode.NodeId);
        request.Add(new ReleaseIn
        {
            Fh = file.Fh,
            Flags = (uint)file.Flags,
            ReleaseFlags = file.HasFlock ? ReleaseFlags.FlockUnlock : ReleaseFlags.None,
        });
        request.End = _released;
        request.Context = file;
        return _connection.Background.Send(thread, request, isForced: true);
    }
}
