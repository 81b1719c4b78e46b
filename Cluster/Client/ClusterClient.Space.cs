using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Cluster.Client;

/// <content>Sizes, holes and copies.</content>
internal sealed partial class ClusterClient
{
    /// <summary>The most that one COPY_FILE_RANGE copies, in bytes, so that none holds its request for long; the caller asks again.</summary>
    private const ulong CopyBytesMax = 32 << 20;

    private const int CopyPieceBytes = 1 << 20;
    private const uint SeekData = 3;
    private const uint SeekHole = 4;
    private const ulong PageBytes = 4096;

    private const ulong FileBytesMax = Metadata.MetadataLimits.FileBytesMax;

    /// <summary>Sets a file's size. What lies behind the new end in its last chunk is zeroed first, so that nobody ever reads it again.</summary>
    private async ValueTask<Errno> Truncate(RequestContext context, ClientNode node, SetattrIn arg)
    {
        Errno error = await Use(node, LeaseMode.Write);
        if (error != Errnos.Ok)
        {
            return error;
        }

        error = CheckFile(node, arg.Size);
        if (error == Errnos.Ok)
        {
            await Flush(node);
            error = arg.Size < node.Attributes.Size ? await ZeroToChunkEnd(node, arg.Size) : Errnos.Ok;
        }

        if (error == Errnos.Ok)
        {
            MetadataReply reply = await _session.Mutate(new Command { SetAttributes = ChangeOf(context, node.Attributes, arg) });
            error = (Errno)reply.Errno;
            if (error == Errnos.Ok)
            {
                ForgetChunks(node, (arg.Size + _session.ChunkBytes - 1) / _session.ChunkBytes, ulong.MaxValue);
                node.Attributes = reply.Attributes;
                node.NeedsMetadataSync = true;
            }
        }

        Done(node);
        return error;
    }

    public async ValueTask<Errno> Fallocate(NodeId id, FallocateIn arg)
    {
        const FallocateMode Known = FallocateMode.KeepSize | FallocateMode.PunchHole | FallocateMode.ZeroRange;
        bool punch = (arg.Mode & FallocateMode.PunchHole) != 0;
        bool zero = (arg.Mode & FallocateMode.ZeroRange) != 0;
        if ((arg.Mode & ~Known) != 0 || (punch && (zero || (arg.Mode & FallocateMode.KeepSize) == 0)))
        {
            return Errnos.NotSupported;
        }

        if (arg.Length == 0 || arg.Offset + arg.Length > FileBytesMax || arg.Offset + arg.Length < arg.Offset)
        {
            return arg.Length == 0 ? Errno.EINVAL : Errno.EFBIG;
        }

        ClientNode node = FindOrAdd(id.Value);
        Errno error = await Use(node, LeaseMode.Write);
        if (error != Errnos.Ok)
        {
            return error;
        }

        error = CheckFile(node, arg.Offset + arg.Length);
        if (error == Errnos.Ok)
        {
            await Flush(node);
            error = punch ? await Punch(node, arg.Offset, arg.Length) : await Reserve(node, arg, zero);
        }

        Done(node);
        return error;
    }

    public async ValueTask<Result<ulong>> Lseek(NodeId id, LseekIn arg)
    {
        // With the writeback cache only the kernel knows which data there are, and asks all the same: told of a hole where it has dirty pages,
        // cp(1) would copy nothing. ENOSYS makes it take the whole file for data.
        if (_writebackCache)
        {
            return Errno.ENOSYS;
        }

        ClientNode node = FindOrAdd(id.Value);
        Errno error = await Use(node, LeaseMode.Read);
        if (error != Errnos.Ok)
        {
            return error;
        }

        await Flush(node);
        Result<ulong> found = arg.Whence is SeekData or SeekHole ? await Seek(node, arg.Offset, arg.Whence == SeekData) : Errno.EINVAL;
        Done(node);
        return found;
    }

    public async ValueTask<Result<ulong>> CopyFileRange(RequestContext context, NodeId id, CopyFileRangeIn arg)
    {
        (ClientNode source, ClientNode target) = (FindOrAdd(id.Value), FindOrAdd(arg.NodeidOut));
        ulong length = Math.Min(arg.Len, CopyBytesMax);
        bool overlaps = arg.OffIn < arg.OffOut + length && arg.OffOut < arg.OffIn + length;
        if (arg.Flags != 0 || (source == target && overlaps))
        {
            return Errno.EINVAL;
        }

        // Where source and target are one file, the copy must not go on into what it has just written.
        Result<ClientNode> known = await Known(id.Value);
        if (!known.IsOk)
        {
            return known.Error;
        }

        ulong size = source.Attributes.Size;
        length = arg.OffIn < size ? Math.Min(length, size - arg.OffIn) : 0;
        byte[] buffer = new byte[(int)Math.Min(length, CopyPieceBytes)];
        ulong done = 0;
        while (done < length)
        {
            Memory<byte> piece = buffer.AsMemory(0, (int)Math.Min((ulong)buffer.Length, length - done));
            Result<int> read = await Read(id, new ReadIn { Offset = arg.OffIn + done }, piece);
            Result<int> written = read.IsOk && read.Value > 0
                ? await Write(context, new NodeId(arg.NodeidOut), new WriteIn { Offset = arg.OffOut + done }, piece[..read.Value])
                : read;
            if (!written.IsOk || written.Value == 0)
            {
                return done > 0 || written.IsOk ? done : written.Error;
            }

            done += (ulong)written.Value;
        }

        return done;
    }

    public async ValueTask<Result<Kstatfs>> Statfs()
    {
        MetadataReply reply = await _session.Call(new MetadataRequest { Statfs = new Empty() });
        return reply.Errno != 0
            ? (Errno)reply.Errno
            : new Kstatfs
            {
                Bsize = (uint)PageBytes,
                Frsize = (uint)PageBytes,
                Blocks = reply.Space.Bytes / PageBytes,
                Bfree = reply.Space.FreeBytes / PageBytes,
                Bavail = reply.Space.FreeBytes / PageBytes,
                Files = reply.Space.Inodes,
                Ffree = reply.Space.FreeInodes,
                Namelen = Metadata.MetadataLimits.NameBytesMax,
            };
    }

    private static Errno CheckFile(ClientNode node, ulong size) =>
        node.Attributes.IsFile() ? size > FileBytesMax ? Errno.EFBIG : Errnos.Ok : node.Attributes.IsDirectory() ? Errno.EISDIR : Errno.EINVAL;

    private async ValueTask<Errno> ZeroToChunkEnd(ClientNode node, ulong offset)
    {
        ulong within = offset % _session.ChunkBytes;
        ulong end = Math.Min(node.Attributes.Size, offset - within + _session.ChunkBytes);
        return within == 0 || end <= offset ? Errnos.Ok : await ZeroData(node, offset, end - offset);
    }

    /// <summary>Whole chunks go, what is left at the edges is zeroed.</summary>
    private async ValueTask<Errno> Punch(ClientNode node, ulong offset, ulong length)
    {
        ulong chunk = _session.ChunkBytes;
        ulong end = offset + length;
        ulong first = (offset + chunk - 1) / chunk;
        ulong behind = end >= node.Attributes.Size ? (end + chunk - 1) / chunk : end / chunk;
        Errno error = Errnos.Ok;
        if (first >= behind)
        {
            error = await ZeroData(node, offset, length);
        }
        else
        {
            error = offset < first * chunk ? await ZeroData(node, offset, (first * chunk) - offset) : Errnos.Ok;
            if (error == Errnos.Ok && end > behind * chunk)
            {
                error = await ZeroData(node, behind * chunk, end - (behind * chunk));
            }
        }

        if (error != Errnos.Ok)
        {
            return error;
        }

        // Also where no whole chunk goes: the command notes the time of the change.
        var drop = new DropChunks { Inode = node.Inode, First = ulong.MaxValue, Last = ulong.MaxValue };
        if (first < behind)
        {
            (drop.First, drop.Last) = (first, behind - 1);
        }

        MetadataReply reply = await _session.Mutate(new Command { DropChunks = drop });
        if (reply.Errno == 0)
        {
            ForgetChunks(node, drop.First, drop.Last);
            node.Attributes = reply.Attributes;
            node.NeedsMetadataSync = true;
        }

        return (Errno)reply.Errno;
    }

    /// <summary>Makes chunks for a range, zeroed if asked for, and lets the file end behind it unless it shall keep its size.</summary>
    private async ValueTask<Errno> Reserve(ClientNode node, FallocateIn arg, bool zero)
    {
        ulong end = arg.Offset + arg.Length;
        if (zero)
        {
            Errno zeroed = await ZeroData(node, arg.Offset, arg.Length);
            if (zeroed != Errnos.Ok)
            {
                return zeroed;
            }
        }

        ulong last = (end - 1) / _session.ChunkBytes;
        MetadataReply space = await _session.Call(new MetadataRequest { Statfs = new Empty() });
        if (space.Errno != 0 || arg.Length > space.Space.FreeBytes)
        {
            return space.Errno != 0 ? (Errno)space.Errno : Errno.ENOSPC;
        }

        for (ulong index = arg.Offset / _session.ChunkBytes; index <= last; index++)
        {
            Result<ChunkLocation?> location = await LocationOf(node, index, allocate: true);
            if (!location.IsOk)
            {
                return location.Error;
            }
        }

        DirtyAttributes grown = DirtyAttributes.None;
        if ((arg.Mode & FallocateMode.KeepSize) == 0 && end > node.Attributes.Size)
        {
            node.Attributes.Size = end;
            grown = DirtyAttributes.Size;
        }

        node.Attributes.Mtime = Now;
        node.Attributes.Ctime = node.Attributes.Mtime;
        MarkDirty(node, grown | DirtyAttributes.Mtime | DirtyAttributes.Ctime);
        await Flush(node);
        return TakeError(node);
    }

    private async ValueTask<Result<ulong>> Seek(ClientNode node, ulong offset, bool data)
    {
        ulong size = node.Attributes.Size;
        if (!node.Attributes.IsFile() || offset >= size)
        {
            return node.Attributes.IsFile() ? Errno.ENXIO : Errno.EINVAL;
        }

        ulong chunk = _session.ChunkBytes;
        ulong index = offset / chunk;
        var locate = new Locate { Inode = node.Inode, First = index, Last = (size - 1) / chunk };
        MetadataReply reply = await _session.Call(new MetadataRequest { Locate = locate });
        if (reply.Errno != 0)
        {
            return (Errno)reply.Errno;
        }

        _data.Learn(reply.Servers);
        ulong at = offset;
        foreach (ChunkLocation location in reply.Chunks)
        {
            ulong start = location.Index * chunk;
            if (start > at)
            {
                // A hole lies before this chunk.
                if (!data)
                {
                    return at;
                }

                at = start;
            }

            Result<long> within = await _data.Seek(location, (long)(at - start), data, (long)chunk);
            if (!within.IsOk || within.Value < (long)chunk)
            {
                ulong found = start + (ulong)within.Value;
                return within.IsOk ? found < size ? found : data ? Errno.ENXIO : size : within.Error;
            }

            at = start + chunk;
        }

        return data ? Errno.ENXIO : Math.Min(at, size);
    }

    private static void ForgetChunks(ClientNode node, ulong first, ulong last)
    {
        foreach (ulong index in node.Chunks.Keys.Where(index => index >= first && index <= last).ToArray())
        {
            node.Chunks.Remove(index);
        }

        node.Unsynced.RemoveWhere(index => index >= first && index <= last);
    }
}
