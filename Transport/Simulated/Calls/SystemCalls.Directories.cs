using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Files;
using Harness.Transport.Simulated.Names;
using Harness.Transport.Simulated.Requests;
using Mono.Unix.Native;

namespace Harness.Transport.Simulated.Calls;

/// <summary>Listing directories: getdents64(2), by READDIR or READDIRPLUS (fs/fuse/readdir.c).</summary>
public sealed partial class SystemCalls
{
    private const int PageBytes = 4096;

    /// <summary>getdents64(2) with room for so many bytes.</summary>
    /// <returns>Bytes of the caller's buffer that were filled; 0 at the end.</returns>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> ListDirectory(KernelTask task, int descriptor, int count)
    {
        Enter(task);
        if (task.Files.Find(descriptor) is not { } file)
        {
            return Errno.EBADF;
        }

        Inode directory = file.Inode;
        if (!directory.IsDirectory)
        {
            return Errno.ENOTDIR;
        }

        if (file.Has(FopenFlags.CacheDir))
        {
            throw new NotSupportedException("FOPEN_CACHE_DIR is not modelled.");
        }

        await directory.Lock.AcquireShared(task.Thread);
        bool plus = UsesPlus(directory, file.Position);
        KernelRequest request = Connection.Rent(plus ? Opcode.Readdirplus : Opcode.Readdir, directory.NodeId);
        int room = Math.Clamp(count, PageBytes, Connection.MaxPages * PageBytes);
        request.Add(new ReadIn { Fh = file.Fh, Offset = (ulong)file.Position, Size = (uint)room, Flags = (uint)file.Flags });
        ulong version = Inodes.Version;
        Errno error = await Connection.Send(task, request);
        long filled = 0;
        if (error == Errnos.Ok)
        {
            byte[] entries = request.Out.ToArray();
            filled = await Emit(task, file, entries, plus, count, version);
        }

        Connection.Return(request);
        directory.Invalidate(AttributeMask.Atime);
        await directory.Lock.ReleaseShared(task.Thread);
        return error == Errnos.Ok ? filled : error;
    }

    /// <summary>Whether to look up what is listed: at the start, and later while that proves useful (<c>fuse_use_readdirplus</c>).</summary>
    private bool UsesPlus(Inode directory, long position)
    {
        if (!Connection.Has(InitFlags.DoReaddirplus) || !Connection.Has(InitFlags.ReaddirplusAuto))
        {
            return Connection.Has(InitFlags.DoReaddirplus);
        }

        bool isAdvised = directory.AdviseReaddirplus;
        directory.AdviseReaddirplus = false;
        return isAdvised || position == 0;
    }

    /// <summary>Passes names to the caller while its buffer has room, and puts what was looked up into the caches.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<long> Emit(KernelTask task, OpenFile file, byte[] entries, bool plus, int count, ulong version)
    {
        const int entrySize = 128;
        const int direntSize = 24;
        const int callerHeader = 19;
        long filled = 0;
        bool isFull = false;
        int at = 0;
        int skip = plus ? entrySize : 0;
        while (at + skip + direntSize <= entries.Length)
        {
            EntryOut entry = plus ? MemoryMarshal.Read<EntryOut>(entries.AsSpan(at)) : default;
            FuseProtocol.Wire.Dirent dirent = MemoryMarshal.Read<FuseProtocol.Wire.Dirent>(entries.AsSpan(at + skip));
            int length = (int)dirent.Namelen;
            string name = Encoding.UTF8.GetString(entries, at + skip + direntSize, length);
            at += Protocol.Align(skip + direntSize + length);
            int size = Protocol.Align(callerHeader + length + 1);
            isFull |= filled + size > count;
            if (!isFull)
            {
                filled += size;
                file.Position = (long)dirent.Off;
            }
            else if (!plus)
            {
                break;
            }

            if (plus && entry.Nodeid != 0 && name is not ("." or ".."))
            {
                await Linked(task, file.Inode, name, entry, version);
            }
        }

        return filled;
    }

    /// <summary>A name of a listing that was looked up on the way (<c>fuse_direntplus_link</c>).</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    private async ValueTask Linked(KernelTask task, Inode directory, string name, EntryOut entry, ulong version)
    {
        if (DentryOf(Inodes.Root, directory) is not { } parent)
        {
            return;
        }

        long validUntil = Inodes.Deadline(entry.EntryValid, entry.EntryValidNsec);
        if (parent.Find(name) is { Inode: { } known } there && known.NodeId == entry.Nodeid)
        {
            known.Lookups++;
            Inodes.Adopt(known, in entry.Attr, Inodes.Deadline(entry.AttrValid, entry.AttrValidNsec), version);
            there.ValidUntil = validUntil;
            return;
        }

        Inode inode = Inodes.Get(in entry, version);
        Dentry made = await Inodes.Attach(task.Thread, parent, name, inode, validUntil);
        made.IsFromListing = Connection.Has(InitFlags.ReaddirplusAuto);
    }

    private static Dentry? DentryOf(Dentry from, Inode directory)
    {
        if (from.Inode == directory)
        {
            return from;
        }

        foreach (Dentry child in from.Children)
        {
            if (child.Inode is { IsDirectory: true } && DentryOf(child, directory) is { } found)
            {
                return found;
            }
        }

        return null;
    }
}
