using Harness.Cluster.Chunks;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Cluster.Client;

/// <content>Opening, reading, writing.</content>
internal sealed partial class ClusterClient
{
    /// <summary>What a closed file may keep waiting, until the flush of all that is due anyway.</summary>
    private const long LittleBytes = 64 << 10;

    private ulong _lastFh;

    public async ValueTask<Result<OpenOut>> Open(RequestContext context, NodeId id, OpenIn arg)
    {
        ClientNode node = FindOrAdd(id.Value);

        // A lease makes the server ask this client before the file loses its last name.
        Errno error = await Use(node, LeaseMode.Read);
        if (error != Errnos.Ok)
        {
            return error;
        }

        OpenOut opened = OpenNode(node);
        Done(node);
        if (!node.Attributes.IsFile())
        {
            node.Opens--;
            return node.Attributes.IsDirectory() ? Errno.EISDIR : Errno.EINVAL;
        }

        if (((OpenFlags)arg.Flags & OpenFlags.O_TRUNC) != 0)
        {
            var truncate = new SetattrIn
            {
                Valid = SetattrValid.Size | ((arg.OpenFlags & OpenInFlags.KillSuidgid) != 0 ? SetattrValid.KillSuidgid : SetattrValid.None),
            };
            error = await Truncate(context, node, truncate);
            if (error != Errnos.Ok)
            {
                CloseNode(node);
                return error;
            }
        }

        return opened;
    }

    public async ValueTask<Errno> Release(NodeId id, ReleaseIn arg)
    {
        if (!_nodes.TryGetValue(id.Value, out ClientNode? node))
        {
            return Errnos.Ok;
        }

        if (node.HasLocks)
        {
            var release = new ReleaseLocks { Inode = id.Value, Handle = arg.Fh };
            if ((arg.ReleaseFlags & ReleaseFlags.FlockUnlock) != 0)
            {
                release.FlockOwner = arg.LockOwner;
            }

            await _session.Mutate(new Command { ReleaseLocks = release });
        }

        CloseNode(node);
        return Errnos.Ok;
    }

    /// <summary>A close(2). The closing process loses all its fcntl(2) locks; what was written goes out, and is not waited for.</summary>
    public async ValueTask<Errno> Flush(NodeId id, FlushIn arg)
    {
        if (!_nodes.TryGetValue(id.Value, out ClientNode? node))
        {
            return Errnos.Ok;
        }

        if (node.HasLocks)
        {
            await _session.Mutate(new Command { ReleaseLocks = new ReleaseLocks { Inode = id.Value, PosixOwner = arg.LockOwner } });
        }

        return TakeError(node);
    }

    public async ValueTask<Errno> Fsync(NodeId id)
    {
        if (!_nodes.TryGetValue(id.Value, out ClientNode? node))
        {
            return Errnos.Ok;
        }

        if (!node.Extents.IsEmpty || node.Flushing is not null)
        {
            await Flush(node, durable: true);
            Errno failed = TakeError(node);
            return failed != Errnos.Ok ? failed : await Sync(node);
        }

        // All data are with the replicas already: these and the metadata server sync at the same time.
        Task attributes = Flush(node, durable: true).AsTask();
        Errno synced = await Sync(node);
        await attributes;
        Errno error = TakeError(node);
        return error != Errnos.Ok ? error : synced;
    }

    public async ValueTask<Errno> Syncfs()
    {
        ClientNode[] written = [.. _nodes.Values.Where(static node => node.IsDirty || node.Flushing is not null || node.Unsynced.Count > 0)];
        await Task.WhenAll(written.Select(node => Flush(node).AsTask()));
        foreach (ClientNode node in written)
        {
            await Sync(node);
        }

        foreach (ClientNode node in _forgotten.Values.ToArray())
        {
            if (await Sync(node) == Errnos.Ok && node.Error == Errnos.Ok)
            {
                Settled(node);
            }
        }

        return (Errno)(await _session.Call(new MetadataRequest { Sync = new Empty() })).Errno;
    }

    public async ValueTask<Result<int>> Read(NodeId id, ReadIn arg, Memory<byte> buffer)
    {
        ClientNode node = FindOrAdd(id.Value);
        Errno error = await Use(node, LeaseMode.Read);
        if (error != Errnos.Ok)
        {
            return error;
        }

        ulong size = node.Attributes.Size;
        int length = arg.Offset >= size ? 0 : (int)Math.Min((ulong)buffer.Length, size - arg.Offset);
        error = !node.Attributes.IsFile()
            ? node.Attributes.IsDirectory() ? Errno.EISDIR : Errno.EINVAL
            : length == 0 || node.Extents.TryRead(arg.Offset, buffer.Span[..length]) ? Errnos.Ok
            : await ReadBehindWrites(node, arg.Offset, buffer[..length]);
        Done(node);
        return error == Errnos.Ok ? length : error;
    }

    public async ValueTask<Result<int>> Write(RequestContext context, NodeId id, WriteIn arg, ReadOnlyMemory<byte> data)
    {
        if (data.IsEmpty)
        {
            return 0;
        }

        ClientNode node = FindOrAdd(id.Value);
        var flags = (OpenFlags)arg.Flags;
        bool fromCache = (arg.WriteFlags & WriteFlags.Cache) != 0;
        bool isDirect = !_options.WriteBehind || ((flags & (OpenFlags)Direct) != 0 && !fromCache);
        await WaitForRoom(data.Length);
        Errno error = await Use(node, LeaseMode.Write);
        if (error != Errnos.Ok)
        {
            return error;
        }

        // With the writeback cache only the kernel knows where the end is: what is dirty behind ours has not been sent yet.
        bool append = !fromCache && !_writebackCache && (flags & OpenFlags.O_APPEND) != 0;
        ulong offset = append ? node.Attributes.Size : arg.Offset;
        data = offset < FileBytesMax ? data[..(int)Math.Min((ulong)data.Length, FileBytesMax - offset)] : default;
        ulong end = offset + (ulong)data.Length;
        if (!node.Attributes.IsFile() || data.IsEmpty)
        {
            error = node.Attributes.IsFile() ? Errno.EFBIG : node.Attributes.IsDirectory() ? Errno.EISDIR : Errno.EINVAL;
        }
        else if (isDirect)
        {
            error = await WriteThrough(context, node, arg, offset, data);
        }
        else
        {
            error = await WriteBehind(node, offset, data);
            if (error == Errnos.Ok)
            {
                Modified(context, node, arg, end);
            }
        }

        Done(node);
        return error == Errnos.Ok ? data.Length : error;
    }

    /// <summary>O_DIRECT, as include/uapi/asm-generic/fcntl.h has it; a few architectures number it otherwise.</summary>
    private const int Direct = 0x4000;

    private async ValueTask<Errno> ReadBehindWrites(ClientNode node, ulong offset, Memory<byte> buffer)
    {
        if (node.IsWritingExtents || node.Extents.Overlaps(offset, buffer.Length))
        {
            await Flush(node);
        }

        return await ReadData(node, offset, buffer);
    }

    private async ValueTask<Errno> WriteBehind(ClientNode node, ulong offset, ReadOnlyMemory<byte> data)
    {
        long before = node.Extents.Bytes;
        while (!node.Extents.TryWrite(offset, data.Span, _options.ExtentBytesMax))
        {
            await Flush(node);
            before = node.Extents.Bytes;
        }

        _dirtyBytes += node.Extents.Bytes - before;
        if (node.Flushing is null && node.Extents.HasFull(_options.ExtentBytesMax))
        {
            FlushSoon(node).Watch();
        }

        return node.Error == Errno.ENOSPC ? TakeError(node) : Errnos.Ok;
    }

    /// <summary>Writes to all replicas before it returns; and a new end goes to the metadata server meanwhile, or it would be lost with us.</summary>
    private async ValueTask<Errno> WriteThrough(RequestContext context, ClientNode node, WriteIn arg, ulong offset, ReadOnlyMemory<byte> data)
    {
        ulong session = _session.Id;
        if (node.IsWritingExtents || !node.Extents.IsEmpty)
        {
            // What was written before, behind, must not go over this. Attributes may wait: this write changes them again.
            await Flush(node);
        }

        ulong end = offset + (ulong)data.Length;
        bool grows = end > node.Attributes.Size;
        ChunkWriteFlags flags = ((OpenFlags)arg.Flags & (OpenFlags)Direct) != 0 ? ChunkWriteFlags.Uncached : ChunkWriteFlags.None;
        Errno error = await WriteData(node, session, offset, data, flags);
        if (error != Errnos.Ok)
        {
            return error;
        }

        Modified(context, node, arg, end);
        if (grows)
        {
            await Flush(node);
        }

        return node.Error == Errnos.Ok ? Errnos.Ok : TakeError(node);
    }

    /// <summary>Notes what a write has done to attributes.</summary>
    private void Modified(RequestContext context, ClientNode node, in WriteIn arg, ulong end)
    {
        DirtyAttributes dirty = DirtyAttributes.None;
        if (end > node.Attributes.Size)
        {
            node.Attributes.Size = end;
            dirty |= DirtyAttributes.Size;
        }

        if ((arg.WriteFlags & WriteFlags.KillSuidgid) != 0)
        {
            node.Attributes.Mode = ClearSetIds(node.Attributes, IsMember(context, node.Attributes));
            dirty |= DirtyAttributes.Mode;
        }

        // With the writeback cache the kernel keeps the times of files, and sends them when it has written the data.
        if ((arg.WriteFlags & WriteFlags.Cache) == 0 || !_writebackCache)
        {
            node.Attributes.Mtime = Now;
            node.Attributes.Ctime = node.Attributes.Mtime;
            dirty |= DirtyAttributes.Mtime | DirtyAttributes.Ctime;
        }

        MarkDirty(node, dirty);
    }

    private async ValueTask<Errno> Sync(ClientNode node)
    {
        await node.SyncGate.Enter();
        Errno error = node.IsUnsynced ? await SyncAll(node) : Errnos.Ok;
        node.SyncGate.Leave();
        return error;
    }

    private async ValueTask<Errno> SyncAll(ClientNode node)
    {
        ulong[] unsynced = [.. node.Unsynced.Order()];
        node.Unsynced.Clear();
        bool metadata = node.NeedsMetadataSync;
        node.NeedsMetadataSync = false;
        Task<Errno>[] syncs = [.. unsynced.Select(index => SyncChunk(node, index))];
        MetadataReply? reply = metadata ? await _session.Call(new MetadataRequest { Sync = new Empty() }) : null;
        Errno[] errors = await Task.WhenAll(syncs);
        Errno error = errors.Append((Errno)(reply?.Errno ?? 0)).FirstOrDefault(static error => error != Errnos.Ok);
        if (error != Errnos.Ok)
        {
            node.Unsynced.UnionWith(unsynced);
            node.NeedsMetadataSync |= metadata;
        }

        return error;
    }

    private OpenOut OpenNode(ClientNode node)
    {
        node.Opens++;

        return new OpenOut { Fh = ++_lastFh, OpenFlags = _options.OpenFlags };
    }

    private void CloseNode(ClientNode node)
    {
        node.Opens = Math.Max(0, node.Opens - 1);
        if (node.Opens > 0)
        {
            return;
        }

        // What is little waits for the timer, and goes out with what other files have.
        if (node.Extents.Bytes >= LittleBytes)
        {
            FlushSoon(node).Watch();
        }

        if (node.TellWhenClosed)
        {
            node.TellWhenClosed = false;
            TellClosed(node.Inode);
        }

        DropIfUnused(node);
    }

    private static Errno TakeError(ClientNode node)
    {
        Errno error = node.Error;
        node.Error = Errnos.Ok;
        return error;
    }
}
