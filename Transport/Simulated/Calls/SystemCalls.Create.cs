using System.Runtime.CompilerServices;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Files;
using Harness.Transport.Simulated.Names;
using Harness.Transport.Simulated.Requests;
using Mono.Unix.Native;

namespace Harness.Transport.Simulated.Calls;

/// <summary>What makes names: open(2) with O_CREAT, mkdir(2), mknod(2), symlink(2), link(2).</summary>
public sealed partial class SystemCalls
{
    private const uint RegularType = 0x8000;

    /// <summary>mkdir(2).</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> Mkdir(KernelTask task, string path, uint mode)
    {
        Enter(task);
        Result<PathEnd> end = await FindFree(task, path);
        if (!end.IsOk)
        {
            return end.Error;
        }

        KernelRequest request = Connection.Rent(Opcode.Mkdir, end.Value.Parent.Inode!.NodeId);
        request.Add(new MkdirIn { Mode = Masked(task, mode), Umask = task.Umask });
        request.AddName(end.Value.Name);
        return await SendMaking(task, end.Value, request);
    }

    /// <summary>mknod(2); a mode without a type makes a regular file.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> Mknod(KernelTask task, string path, uint mode, uint device)
    {
        const uint typeMask = 0xF000;
        Enter(task);
        Result<PathEnd> end = await FindFree(task, path);
        if (!end.IsOk)
        {
            return end.Error;
        }

        KernelRequest request = Connection.Rent(Opcode.Mknod, end.Value.Parent.Inode!.NodeId);
        mode |= (mode & typeMask) == 0 ? RegularType : 0;
        request.Add(new MknodIn { Mode = Masked(task, mode), Rdev = device, Umask = task.Umask });
        request.AddName(end.Value.Name);
        return await SendMaking(task, end.Value, request);
    }

    /// <summary>symlink(2).</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> Symlink(KernelTask task, string target, string path)
    {
        Enter(task);
        Result<PathEnd> end = await FindFree(task, path);
        if (!end.IsOk)
        {
            return end.Error;
        }

        KernelRequest request = Connection.Rent(Opcode.Symlink, end.Value.Parent.Inode!.NodeId);
        request.AddName(end.Value.Name);
        request.AddName(target);
        return await SendMaking(task, end.Value, request);
    }

    /// <summary>link(2).</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> Link(KernelTask task, string path, string newPath)
    {
        Enter(task);
        Result<Dentry> old = await Walk.Resolve(task, path, follow: false);
        if (!old.IsOk)
        {
            return old.Error;
        }

        Inode inode = old.Value.Inode!;
        Result<PathEnd> end = await FindFree(task, newPath, linked: inode);
        if (!end.IsOk)
        {
            return end.Error;
        }

        if (inode.IsDirectory)
        {
            return Errno.EPERM;
        }

        KernelRequest request = Connection.Rent(Opcode.Link, end.Value.Parent.Inode!.NodeId);
        request.Add(new LinkIn { Oldnodeid = inode.NodeId });
        request.AddName(end.Value.Name);
        Result<long> made = await SendMaking(task, end.Value, request);
        if (made.IsOk && Inodes.TrustsOwnSize(inode))
        {
            inode.HasDirtyTimes = true;
        }

        return made;
    }

    /// <summary>The mode that is sent: the daemon masks it itself if it said so (DONT_MASK).</summary>
    private uint Masked(KernelTask task, uint mode) => Connection.Has(InitFlags.DontMask) ? mode : mode & ~task.Umask;

    /// <summary>Finds where a new name goes; EEXIST if it is there already.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<Result<PathEnd>> FindFree(KernelTask task, string path, Inode? linked = null)
    {
        Result<PathEnd> end = await Walk.FindParent(task, path);
        if (!end.IsOk)
        {
            return end;
        }

        if (end.Value.Name.Length == 0)
        {
            return Errno.EEXIST;
        }

        Result<Dentry> there = await Walk.Find(task, end.Value.Parent, end.Value.Name, isExact: true);
        if (!there.IsOk)
        {
            return there.Error;
        }

        if (there.Value.Inode is not null)
        {
            return Errno.EEXIST;
        }

        Errno refused = Errnos.Ok;
        if (linked is { IsRegular: true } && Connection.Options.ProtectsHardLinks)
        {
            refused = await Attributes.Check(task, linked);
        }

        refused = refused == Errnos.Ok ? await Attributes.Check(task, end.Value.Parent.Inode!) : refused;
        return refused == Errnos.Ok ? end : refused;
    }

    /// <summary>Sends a request that makes a name, and puts what it made into the caches (<c>create_new_entry</c>).</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<Result<long>> SendMaking(KernelTask task, PathEnd end, KernelRequest request)
    {
        if (request.Header.Opcode != Opcode.Link)
        {
            AddExtensions(request);
        }

        ulong version = Inodes.Version;
        Errno error = await Connection.Send(task, request);
        EntryOut entry = request.Read<EntryOut>();
        Connection.Return(request);
        if (error == Errnos.Ok)
        {
            await Adopt(task, end, entry, version);
        }

        return Done(error);
    }

    /// <summary>Behind the names of what makes a node stand its security contexts, of which a kernel without such modules has none.</summary>
    private void AddExtensions(KernelRequest request)
    {
        if (Connection.Has(InitFlags.SecurityCtx))
        {
            const int headerSize = 8;
            request.Add(new SecctxHeader { Size = headerSize });
            request.Header.TotalExtlen = headerSize / 8;
        }
    }

    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<Dentry> Adopt(KernelTask task, PathEnd end, EntryOut entry, ulong version)
    {
        Inode inode = Inodes.Get(in entry, version);
        long validUntil = Inodes.Deadline(entry.EntryValid, entry.EntryValidNsec);
        Dentry made = await Inodes.Attach(task.Thread, end.Parent, end.Name, inode, validUntil);
        InodeTable.DirectoryChanged(end.Parent.Inode!);
        return made;
    }

    /// <summary>Finds what open(2) with O_CREAT names, or makes it.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<Result<Opened>> FindOrCreate(KernelTask task, string path, OpenFileFlags flags, uint mode)
    {
        Result<PathEnd> end = await Walk.FindParent(task, path);
        if (!end.IsOk)
        {
            return end.Error;
        }

        if (end.Value.Name.Length == 0)
        {
            return Errno.EISDIR;
        }

        Dentry parent = end.Value.Parent;
        bool isExclusive = (flags & OpenFileFlags.Exclusive) != 0;
        if (parent.Find(end.Value.Name)?.Inode is null)
        {
            Errno refused = await Attributes.Check(task, parent.Inode!);
            if (refused != Errnos.Ok)
            {
                return refused;
            }
        }

        Result<Dentry> there = await Walk.Find(task, parent, end.Value.Name, isExclusive);
        if (!there.IsOk)
        {
            return there.Error;
        }

        if (there.Value.Inode is not { } inode)
        {
            return await Create(task, end.Value, flags, mode);
        }

        if (isExclusive)
        {
            return Errno.EEXIST;
        }

        if (inode.IsSymlink)
        {
            Result<string> target = await Walk.ReadLink(task, inode);
            return target.IsOk ? await FindOrCreate(task, target.Value, flags, mode) : target.Error;
        }

        if (inode.IsDirectory)
        {
            return Errno.EISDIR;
        }

        Errno denied = await Attributes.Check(task, inode);
        return denied == Errnos.Ok ? new Opened(there.Value, null) : denied;
    }

    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<Result<Opened>> Create(KernelTask task, PathEnd end, OpenFileFlags flags, uint mode)
    {
        KernelRequest request = Connection.Rent(Opcode.Create, end.Parent.Inode!.NodeId);
        request.Add(new CreateIn { Flags = (uint)flags, Mode = Masked(task, mode | RegularType), Umask = task.Umask });
        request.AddName(end.Name);
        AddExtensions(request);
        ulong version = Inodes.Version;
        Errno error = await Connection.Send(task, request);
        CreateOut answer = request.Read<CreateOut>();
        Connection.Return(request);
        if (error != Errnos.Ok)
        {
            return error == Errno.ENOSYS
                ? throw new NotSupportedException("The daemon has no CREATE; the simulated kernel does not fall back to MKNOD and OPEN.")
                : error;
        }

        Dentry made = await Adopt(task, end, answer.Entry, version);
        made.Inode!.References++;
        await Attributes.Check(task, made.Inode);
        return new Opened(made, Made(made, flags, answer.Open));
    }

    /// <summary>What an open has found, and the open file where it has made both.</summary>
    private readonly record struct Opened(Dentry Dentry, OpenFile? Made);
}
