using System.Runtime.CompilerServices;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Files;
using Harness.Transport.Simulated.Requests;
using Mono.Unix.Native;

namespace Harness.Transport.Simulated.Names;

/// <summary>Attributes: known, or asked for by GETATTR; changed by SETATTR (fs/fuse/dir.c).</summary>
internal sealed class AttributeCache(FuseConnection connection, InodeTable inodes)
{
    /// <summary>Sees to it that the attributes of <paramref name="mask"/> are known (<c>fuse_update_attributes</c>).</summary>
    /// <param name="task">Who asks.</param>
    /// <param name="inode">Whose attributes.</param>
    /// <param name="file">The open file that the question goes through, if any.</param>
    /// <param name="mask">Which attributes.</param>
    public ValueTask<Errno> Update(KernelTask task, Inode inode, OpenFile? file, AttributeMask mask)
    {
        AttributeMask own = inodes.TrustsOwnSize(inode)
            ? AttributeMask.Size | AttributeMask.Mtime | AttributeMask.Ctime
            : AttributeMask.None;
        bool isKnown = (mask & inode.Invalid & ~own) == 0 && inode.ValidUntil >= connection.Now;
        return isKnown ? new ValueTask<Errno>(Errnos.Ok) : Get(task, inode, file);
    }

    /// <summary>Sends GETATTR.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Errno> Get(KernelTask task, Inode inode, OpenFile? file)
    {
        ulong version = inodes.Version;
        KernelRequest request = connection.Rent(Opcode.Getattr, inode.NodeId);
        bool byFile = file is not null && inode.IsRegular;
        request.Add(new GetattrIn { GetattrFlags = byFile ? GetattrFlags.Fh : GetattrFlags.None, Fh = byFile ? file!.Fh : 0 });
        Errno error = await connection.Send(task, request);
        if (error == Errnos.Ok)
        {
            AttrOut answer = request.Read<AttrOut>();
            inodes.Adopt(inode, in answer.Attr, inodes.Deadline(answer.AttrValid, answer.AttrValidNsec), version);
        }

        connection.Return(request);
        return error;
    }

    /// <summary>Checks whether the caller may do something with a node; asks for what the check needs (<c>fuse_permission</c>).</summary>
    /// <param name="task">Who wants to.</param>
    /// <param name="inode">What with.</param>
    /// <param name="isAccessCall">Whether access(2) asks, which the daemon answers where the kernel does not check itself.</param>
    /// <param name="accessMask">What access(2) asks for.</param>
    public ValueTask<Errno> Check(KernelTask task, Inode inode, bool isAccessCall = false, uint accessMask = 0)
    {
        bool kernelChecks = connection.Options.DefaultPermissions || connection.Has(InitFlags.PosixAcl);
        if (kernelChecks)
        {
            return inode.IsStale(AttributeMask.Permission, connection.Now) ? Get(task, inode, null) : new ValueTask<Errno>(Errnos.Ok);
        }

        return isAccessCall ? Access(task, inode, accessMask) : new ValueTask<Errno>(Errnos.Ok);
    }

    /// <summary>Sends SETATTR and adopts the answer (<c>fuse_do_setattr</c>).</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Errno> Set(KernelTask task, Inode inode, SetattrIn arg)
    {
        bool isTruncation = (arg.Valid & SetattrValid.Size) != 0;
        inode.IsSizeUnstable |= isTruncation;
        KernelRequest request = connection.Rent(Opcode.Setattr, inode.NodeId);
        request.Add(in arg);
        Errno error = await connection.Send(task, request);
        inode.IsSizeUnstable &= !isTruncation;
        if (error == Errnos.Ok)
        {
            AttrOut answer = request.Read<AttrOut>();
            long oldSize = inode.Size;
            bool takesSize = isTruncation || !inodes.TrustsOwnSize(inode);
            inode.Attr = answer.Attr;
            inode.HasNoPrivileges = false;
            inode.Invalid = AttributeMask.None;
            inode.ValidUntil = inodes.Deadline(answer.AttrValid, answer.AttrValidNsec);
            inodes.Changed(inode);
            if (takesSize && inode.IsRegular)
            {
                inode.Size = (long)answer.Attr.Size;
                DropAround(inode, oldSize);
            }
        }

        connection.Return(request);
        return error;
    }

    /// <summary>Tells the daemon the times that the kernel's own clock has set (<c>fuse_flush_times</c>).</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Errno> FlushTimes(KernelTask task, Inode inode)
    {
        if (!inode.HasDirtyTimes)
        {
            return Errnos.Ok;
        }

        inode.HasDirtyTimes = false;
        OpenFile? writer = inode.Writers.Count > 0 ? inode.Writers[0] : null;
        KernelRequest request = connection.Rent(Opcode.Setattr, inode.NodeId);
        (ulong seconds, uint nanos) = WallClock();
        request.Add(new SetattrIn
        {
            Valid = SetattrValid.Mtime | SetattrValid.Ctime | (writer is null ? SetattrValid.None : SetattrValid.Fh),
            Fh = writer?.Fh ?? 0,
            Mtime = seconds,
            Mtimensec = nanos,
            Ctime = seconds,
            Ctimensec = nanos,
        });
        Errno error = await connection.Send(task, request);
        connection.Return(request);
        return error;
    }

    /// <summary>The kernel's clock, as attributes hold it.</summary>
    public (ulong Seconds, uint Nanoseconds) WallClock()
    {
        TimeSpan since = connection.Machine.Scheduler.Main.Time.GetUtcNow() - DateTimeOffset.UnixEpoch;
        return ((ulong)(since.Ticks / TimeSpan.TicksPerSecond), (uint)(since.Ticks % TimeSpan.TicksPerSecond * 100));
    }

    private static void DropAround(Inode inode, long oldSize)
    {
        if (oldSize != inode.Size)
        {
            inode.Pages.Truncate(inode.Size);
            inode.Pages.DropClean();
        }
    }

    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<Errno> Access(KernelTask task, Inode inode, uint mask)
    {
        KernelRequest request = connection.Rent(Opcode.Access, inode.NodeId);
        request.Add(new AccessIn { Mask = mask });
        Errno error = await connection.Send(task, request);
        connection.Return(request);
        return error == Errno.ENOSYS ? Errnos.Ok : error;
    }
}
