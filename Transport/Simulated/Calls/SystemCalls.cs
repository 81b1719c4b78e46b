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

/// <summary>
/// The system calls of a simulated mount, as the superuser makes them. Paths begin at the mount's root, without a slash. Each is awaited by
/// the thread of its task, and returns what the call returns or its errno.
/// </summary>
public sealed partial class SystemCalls
{
    private readonly KernelRooms _rooms;

    internal SystemCalls(KernelRooms rooms) => _rooms = rooms;

    /// <summary>open(2).</summary>
    /// <returns>A descriptor.</returns>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> Open(KernelTask task, string path, OpenFileFlags flags, uint mode)
    {
        Enter(task);
        flags |= OpenFileFlags.LargeFile;
        Result<Opened> found = (flags & OpenFileFlags.Create) != 0
            ? await FindOrCreate(task, path, flags, mode)
            : await FindExisting(task, path, flags);
        if (!found.IsOk)
        {
            return found.Error;
        }

        return found.Value.Made is { } made ? task.Files.Add(made) : await OpenExisting(task, found.Value.Dentry, flags);
    }

    /// <summary>close(2).</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> Close(KernelTask task, int descriptor)
    {
        Enter(task);
        if (task.Files.Find(descriptor) is not { } file)
        {
            return Errno.EBADF;
        }

        task.Files.Remove(descriptor);
        return Done(await Files.Close(task, file));
    }

    /// <summary>dup(2).</summary>
    public ValueTask<Result<long>> Duplicate(KernelTask task, int descriptor)
    {
        Enter(task);
        if (task.Files.Find(descriptor) is not { } file)
        {
            return new(Errno.EBADF);
        }

        file.References++;
        return new(task.Files.Add(file));
    }

    private FuseConnection Connection => _rooms.Connection;

    private InodeTable Inodes => _rooms.Inodes;

    private AttributeCache Attributes => _rooms.Attributes;

    private PathWalk Walk => _rooms.Walk;

    private FileReleases Files => _rooms.Files;

    private Writeback Writeback => _rooms.Writeback;

    private Readahead Readahead => _rooms.Readahead;

    private BufferedReads Reads => _rooms.Reads;

    private ThroughWrites Through => _rooms.Through;

    private BackWrites Back => _rooms.Back;

    private DirectIo Direct => _rooms.Direct;

    private static Result<long> Done(Errno error) => error == Errnos.Ok ? 0L : error;

    private void Enter(KernelTask task) => task.Thread.Charge(Connection.Machine.Costs.SystemCall.Nanoseconds);

    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<Result<Opened>> FindExisting(KernelTask task, string path, OpenFileFlags flags)
    {
        Result<Dentry> found = await Walk.Resolve(task, path, (flags & OpenFileFlags.NoFollow) == 0);
        if (!found.IsOk)
        {
            return found.Error;
        }

        Inode inode = found.Value.Inode!;
        bool isWrite = (flags & OpenFileFlags.AccessMode) != OpenFileFlags.ReadOnly;
        if (inode.IsSymlink)
        {
            return Errno.ELOOP;
        }

        if (inode.IsDirectory && isWrite)
        {
            return Errno.EISDIR;
        }

        if (!inode.IsDirectory && (flags & OpenFileFlags.Directory) != 0)
        {
            return Errno.ENOTDIR;
        }

        Errno refused = await Attributes.Check(task, inode);
        return refused == Errnos.Ok ? new Opened(found.Value, null) : refused;
    }

    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<Result<long>> OpenExisting(KernelTask task, Dentry dentry, OpenFileFlags flags)
    {
        Inode inode = dentry.Inode!;
        bool isDirectory = inode.IsDirectory;
        inode.References++;
        OpenOut answer = new() { OpenFlags = FopenFlags.KeepCache };
        if (isDirectory ? !Connection.NoOpendir : !Connection.NoOpen)
        {
            (Errno error, answer) = await SendOpen(task, inode, flags);
            if (error != Errnos.Ok)
            {
                await Inodes.Put(task.Thread, inode);
                return error;
            }
        }

        OpenFile file = Made(dentry, flags, answer);
        if (!isDirectory)
        {
            await AfterOpen(task, file, flags);
        }

        return task.Files.Add(file);
    }

    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<(Errno Error, OpenOut Answer)> SendOpen(KernelTask task, Inode inode, OpenFileFlags flags)
    {
        OpenFileFlags sent = flags & ~(OpenFileFlags.Create | OpenFileFlags.Exclusive);
        if (!Connection.Has(InitFlags.AtomicOTrunc))
        {
            sent &= ~OpenFileFlags.Truncate;
        }

        KernelRequest request = Connection.Rent(inode.IsDirectory ? Opcode.Opendir : Opcode.Open, inode.NodeId);
        request.Add(new OpenIn { Flags = (uint)sent });
        Errno error = await Connection.Send(task, request);
        OpenOut answer = request.Read<OpenOut>();
        Connection.Return(request);
        if (error != Errno.ENOSYS)
        {
            return (error, answer);
        }

        // The daemon keeps nothing of open files: it is never asked to open one again.
        Connection.NoOpendir |= inode.IsDirectory;
        Connection.NoOpen |= !inode.IsDirectory;
        return (Errnos.Ok, new OpenOut { OpenFlags = FopenFlags.KeepCache });
    }

    private OpenFile Made(Dentry dentry, OpenFileFlags flags, in OpenOut answer)
    {
        const OpenFileFlags gone = OpenFileFlags.Create | OpenFileFlags.Exclusive | OpenFileFlags.Truncate;
        dentry.Pin(1);
        var file = new OpenFile(dentry, flags & ~gone, answer.Fh, answer.OpenFlags, Connection.ReadaheadPages);
        if (file.IsWritable && Connection.Has(InitFlags.WritebackCache))
        {
            file.Inode.Writers.Insert(0, file);
        }

        return file;
    }

    /// <summary>What opening an existing file does to its cached data and size.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    private async ValueTask AfterOpen(KernelTask task, OpenFile file, OpenFileFlags flags)
    {
        Inode inode = file.Inode;
        bool truncates = (flags & OpenFileFlags.Truncate) != 0;
        if (truncates && Connection.Has(InitFlags.AtomicOTrunc))
        {
            await Pages.Writeback.WaitFor(task, inode);
            ForgetData(inode);
            Inodes.Changed(inode);
            inode.Size = 0;
            inode.Invalidate(AttributeMask.ModifyAndSize);
            inode.HasDirtyTimes |= Inodes.TrustsOwnSize(inode);
        }
        else if (!file.Has(FopenFlags.KeepCache))
        {
            await Writeback.DropAll(task, inode);
        }

        if (truncates)
        {
            await DropPrivileges(task, inode, remembers: false);
            if (!Connection.Has(InitFlags.AtomicOTrunc))
            {
                await Resize(task, inode, null, 0, setsTimes: true);
            }
        }
    }

    private void ForgetData(Inode inode)
    {
        Writeback.DirtyBytes -= (long)inode.Pages.DirtyPages << CachePage.Shift;
        inode.Pages.Truncate(0);
    }

    /// <summary>
    /// Asks for the capabilities that a change of a file's data would clear, unless it is known to have none
    /// (<c>cap_inode_need_killpriv</c>).
    /// </summary>
    /// <param name="task">Who changes it.</param>
    /// <param name="inode">The file.</param>
    /// <param name="remembers">Whether the answer is remembered, as by a write (<c>file_remove_privs</c>) and not by a truncation.</param>
    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    private async ValueTask DropPrivileges(KernelTask task, Inode inode, bool remembers)
    {
        if (inode.HasNoPrivileges)
        {
            return;
        }

        await GetXattrSize(task, inode, "security.capability");
        inode.HasNoPrivileges = remembers && Connection.Has(InitFlags.HandleKillprivV2);
    }
}
