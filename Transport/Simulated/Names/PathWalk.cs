using System.Runtime.CompilerServices;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Requests;
using Mono.Unix.Native;

namespace Harness.Transport.Simulated.Names;

/// <summary>A path's last name and the directory it stands in.</summary>
/// <param name="Parent">The directory.</param>
/// <param name="Name">The name; empty for the root itself.</param>
internal readonly record struct PathEnd(Dentry Parent, string Name);

/// <summary>Finds names: from the dentry cache while they are valid, by LOOKUP otherwise (fs/namei.c, fs/fuse/dir.c).</summary>
internal sealed class PathWalk(FuseConnection connection, InodeTable inodes, AttributeCache attributes)
{
    // MAXSYMLINKS, include/linux/namei.h.
    private const int LinksMax = 40;

    /// <summary>Walks to the directory that a path's last name stands in.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<PathEnd>> FindParent(KernelTask task, string path)
    {
        Dentry at = inodes.Root;
        int links = 0;
        while (true)
        {
            (string first, string rest) = SplitFirst(path);
            if (first.Length == 0)
            {
                return new PathEnd(at, "");
            }

            if (!at.Inode!.IsDirectory)
            {
                return Errno.ENOTDIR;
            }

            Errno refused = await attributes.Check(task, at.Inode);
            if (refused != Errnos.Ok)
            {
                return refused;
            }

            if (first == ".")
            {
                path = rest;
                continue;
            }

            if (rest.Length == 0)
            {
                return new PathEnd(at, first);
            }

            Result<Dentry> next = await Find(task, at, first, isExact: false);
            if (!next.IsOk)
            {
                return next.Error;
            }

            if (next.Value.Inode is not { } inode)
            {
                return Errno.ENOENT;
            }

            if (!inode.IsSymlink)
            {
                (at, path) = (next.Value, rest);
                continue;
            }

            Result<string> target = await ReadLink(task, inode);
            if (!target.IsOk)
            {
                return target.Error;
            }

            if (++links > LinksMax)
            {
                return Errno.ELOOP;
            }

            path = $"{target.Value}/{rest}";
        }
    }

    /// <summary>Walks to what a path names.</summary>
    /// <param name="task">Who walks.</param>
    /// <param name="path">Below the mount, without a leading slash.</param>
    /// <param name="follow">Whether a symbolic link at the end is followed.</param>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<Dentry>> Resolve(KernelTask task, string path, bool follow)
    {
        for (int links = 0; links <= LinksMax; links++)
        {
            Result<PathEnd> end = await FindParent(task, path);
            if (!end.IsOk)
            {
                return end.Error;
            }

            if (end.Value.Name.Length == 0)
            {
                return end.Value.Parent;
            }

            Result<Dentry> found = await Find(task, end.Value.Parent, end.Value.Name, isExact: false);
            if (!found.IsOk)
            {
                return found.Error;
            }

            if (found.Value.Inode is not { } inode)
            {
                return Errno.ENOENT;
            }

            if (!follow || !inode.IsSymlink)
            {
                return found;
            }

            Result<string> target = await ReadLink(task, inode);
            if (!target.IsOk)
            {
                return target.Error;
            }

            path = target.Value;
        }

        return Errno.ELOOP;
    }

    /// <summary>Finds one name in a directory; a name that is absent is found without an inode.</summary>
    /// <param name="task">Who looks.</param>
    /// <param name="parent">The directory.</param>
    /// <param name="name">The name.</param>
    /// <param name="isExact">
    /// Whether the daemon is asked whatever the cache says, as for names that are about to be made or renamed over (LOOKUP_EXCL,
    /// LOOKUP_RENAME_TARGET in <c>fuse_dentry_revalidate</c>).
    /// </param>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<Dentry>> Find(KernelTask task, Dentry parent, string name, bool isExact)
    {
        task.Thread.Charge(connection.Costs.PathComponent);
        if (parent.Find(name) is { } cached)
        {
            if (cached.ValidUntil >= connection.Now && !isExact)
            {
                Use(parent, cached);
                return cached;
            }

            if (cached.Inode is not null && await Revalidate(task, parent, cached))
            {
                return cached;
            }

            if (parent.Find(name) == cached)
            {
                await inodes.Drop(task.Thread, cached);
            }
        }

        return await LookUp(task, parent, name);
    }

    /// <summary>Reads where a symbolic link points.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<string>> ReadLink(KernelTask task, Inode inode)
    {
        if (inode.Target is not null)
        {
            return inode.Target;
        }

        KernelRequest request = connection.Rent(Opcode.Readlink, inode.NodeId);
        request.OutMax = 4096;
        Errno error = await connection.Send(task, request);
        string target = System.Text.Encoding.UTF8.GetString(request.Out);
        connection.Return(request);
        if (error != Errnos.Ok)
        {
            return error;
        }

        inode.Invalidate(AttributeMask.Atime);
        if (connection.Has(InitFlags.CacheSymlinks))
        {
            inode.Target = target;
        }

        return target;
    }

    /// <summary>The first name of a path and what follows it.</summary>
    private static (string First, string Behind) SplitFirst(string path)
    {
        path = path.Trim('/');
        int slash = path.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? (path, "") : (path[..slash], path[(slash + 1)..].TrimStart('/'));
    }

    private static void Use(Dentry parent, Dentry child)
    {
        if (child.IsFromListing)
        {
            child.IsFromListing = false;
            parent.Inode!.AdviseReaddirplus = true;
        }
    }

    /// <summary>Asks whether a name still means what the cache says; if not, whatever it means now is given back.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<bool> Revalidate(KernelTask task, Dentry parent, Dentry cached)
    {
        Inode inode = cached.Inode!;
        (Errno error, EntryOut entry, ulong version) = await Ask(task, parent, cached.Name);
        if (error != Errnos.Ok || entry.Nodeid == 0)
        {
            return false;
        }

        if (entry.Nodeid != inode.NodeId)
        {
            await connection.Forget(task.Thread, entry.Nodeid, 1);
            return false;
        }

        inode.Lookups++;
        inodes.Adopt(inode, in entry.Attr, inodes.Deadline(entry.AttrValid, entry.AttrValidNsec), version);
        cached.ValidUntil = inodes.Deadline(entry.EntryValid, entry.EntryValidNsec);
        return true;
    }

    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<Result<Dentry>> LookUp(KernelTask task, Dentry parent, string name)
    {
        (Errno error, EntryOut entry, ulong version) = await Ask(task, parent, name);
        if (error == Errno.ENOENT)
        {
            // Not kept: without a time for which it is valid it would be asked for again anyway.
            return new Dentry(parent, name, null);
        }

        if (error != Errnos.Ok)
        {
            return error;
        }

        Inode? inode = entry.Nodeid == 0 ? null : inodes.Get(in entry, version);
        long validUntil = inodes.Deadline(entry.EntryValid, entry.EntryValidNsec);
        Dentry made = await inodes.Attach(task.Thread, parent, name, inode, validUntil);
        parent.Inode!.AdviseReaddirplus |= inode is not null;
        return made;
    }

    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<(Errno Error, EntryOut Entry, ulong Version)> Ask(KernelTask task, Dentry parent, string name)
    {
        ulong version = inodes.Version;
        KernelRequest request = connection.Rent(Opcode.Lookup, parent.Inode!.NodeId);
        request.AddName(name);
        Errno error = await connection.Send(task, request);
        EntryOut entry = request.Read<EntryOut>();
        connection.Return(request);
        return (error, entry, version);
    }
}
