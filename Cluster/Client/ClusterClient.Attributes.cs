using System.Collections.Concurrent;
using Google.Protobuf;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;
using Attributes = Harness.Cluster.Wire.Attributes;

namespace Harness.Cluster.Client;

/// <content>Attributes, plain and extended.</content>
internal sealed partial class ClusterClient
{
    // Without the time of the change itself, which the kernel adds to every change where it keeps the times (writeback cache).
    private const SetattrValid Changes =
        SetattrValid.Mode | SetattrValid.Uid | SetattrValid.Gid | SetattrValid.Size | SetattrValid.Atime | SetattrValid.Mtime;

    /// <summary>Files that were made here and have no extended attributes, each with the session by whose lease that is so.</summary>
    private readonly ConcurrentDictionary<ulong, ulong> _withoutXattrs = new();

    /// <summary>
    /// The attributes of a directory that was made here, if they are known for certain. For any thread: the kernel asks for them before each change
    /// of a name, and is answered without a way to the loop and back.
    /// </summary>
    public bool TryGetAttributes(NodeId id, out AttrOut attributes)
    {
        attributes = default;
        if (!_knownNames.TryGetValue(id.Value, out KnownNames? names) || names.Attributes is not { } known)
        {
            return false;
        }

        long valid = _session.ValidNanosecondsOf(names.Session);
        long nanoseconds = Math.Min(valid, _options.AttributeNanosecondsMax);
        attributes = new AttrOut { AttrValid = (ulong)(nanoseconds / 1_000_000_000), AttrValidNsec = (uint)(nanoseconds % 1_000_000_000), Attr = known.Attr };
        return valid > 0;
    }

    public async ValueTask<Result<AttrOut>> Getattr(NodeId id)
    {
        Result<ClientNode> node = await Known(id.Value);
        return node.IsOk ? AttrOf(node.Value) : node.Error;
    }

    public async ValueTask<Result<StatxOut>> Statx(NodeId id)
    {
        Result<ClientNode> node = await Known(id.Value);
        if (!node.IsOk)
        {
            return node.Error;
        }

        AttrOut attributes = AttrOf(node.Value);
        Statx stat = node.Value.Attributes.ToStatx();
        stat.Blocks = attributes.Attr.Blocks;
        return new StatxOut { AttrValid = attributes.AttrValid, AttrValidNsec = attributes.AttrValidNsec, Stat = stat };
    }

    public async ValueTask<Result<AttrOut>> Setattr(RequestContext context, NodeId id, SetattrIn arg)
    {
        if (!_nodes.TryGetValue(id.Value, out ClientNode? node) || node.Attributes.Mode == 0)
        {
            Result<ClientNode> known = await Known(id.Value);
            if (!known.IsOk)
            {
                return known.Error;
            }

            node = known.Value;
        }

        if ((arg.Valid & SetattrValid.Size) != 0)
        {
            Errno error = await Truncate(context, node, arg);
            return error == Errnos.Ok ? AttrOf(node) : error;
        }

        // What the file's only user changes may wait with what he writes. Access control lists are the server's affair.
        bool mayWait = node.Lease == LeaseMode.Write && !node.IsBeingRecalled && _session.ValidNanoseconds > 0 && _options.WriteBehind &&
            !node.Attributes.Xattrs && node.Attributes.IsFile() && (arg.Valid & Changes) != 0;
        if (mayWait)
        {
            SetHere(context, node, arg);
            return AttrOf(node);
        }

        await Flush(node);
        MetadataReply reply = await _session.Mutate(new Command { SetAttributes = ChangeOf(context, node.Attributes, arg) });
        if (reply.Errno != 0)
        {
            return (Errno)reply.Errno;
        }

        node.NeedsMetadataSync = true;
        return AttrOf(Note(reply.Attributes, reply.Lease));
    }

    public async ValueTask<Result<int>> Readlink(NodeId id, Memory<byte> buffer)
    {
        MetadataReply reply = await _session.Call(new MetadataRequest { ReadLink = id.Value });
        return reply.Errno != 0 ? (Errno)reply.Errno : Copy(reply.Value.Span, buffer, mustFit: false);
    }

    public async ValueTask<Errno> Setxattr(NodeId id, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> value, SetxattrIn arg)
    {
        var set = new SetXattr
        {
            Inode = id.Value,
            Name = ByteString.CopyFrom(name.Span),
            Value = ByteString.CopyFrom(value.Span),
            Flags = arg.Flags,
            ClearSetGid = (arg.SetxattrFlags & SetxattrExtFlags.AclKillSgid) != 0,
        };
        return await ChangeXattr(id, new Command { SetXattr = set });
    }

    public ValueTask<Errno> Removexattr(NodeId id, ReadOnlyMemory<byte> name) =>
        ChangeXattr(id, new Command { RemoveXattr = new RemoveXattr { Inode = id.Value, Name = ByteString.CopyFrom(name.Span) } });

    /// <summary>
    /// Whether a file that was made here has certainly no extended attributes. For any thread: the kernel asks for <c>security.capability</c> before
    /// each write (mm/filemap.c and fs/inode.c, <c>file_remove_privs</c>), and is answered without a way to the loop and back.
    /// </summary>
    /// <param name="id">The file.</param>
    /// <param name="name">What is asked for.</param>
    /// <param name="error">Then the answer: ENODATA, or why there can be no such attribute.</param>
    public bool TryFindNoXattr(NodeId id, ReadOnlySpan<byte> name, out Errno error)
    {
        error = Errno.ENODATA;
        if (!_withoutXattrs.TryGetValue(id.Value, out ulong session) || _session.ValidNanosecondsOf(session) == 0)
        {
            return false;
        }

        Errno check = Metadata.MetadataState.CheckXattrName(FilePermissions.S_IFREG, name);
        error = check == Errnos.Ok ? Errno.ENODATA : check;
        return true;
    }

    public async ValueTask<Result<int>> Getxattr(NodeId id, ReadOnlyMemory<byte> name, Memory<byte> buffer)
    {
        await FlushKnown(id);
        MetadataReply reply = await _session.Call(
            new MetadataRequest { GetXattr = new GetXattr { Inode = id.Value, Name = ByteString.CopyFrom(name.Span) } });
        return reply.Errno != 0 ? (Errno)reply.Errno : Copy(reply.Value.Span, buffer, mustFit: true);
    }

    /// <summary>Lists the names. Those of <c>trusted.</c> exist for root only (xattr(7)).</summary>
    public async ValueTask<Result<int>> Listxattr(RequestContext context, NodeId id, Memory<byte> buffer)
    {
        bool isPrivileged = IsPrivileged(context);
        await FlushKnown(id);
        MetadataReply reply = await _session.Call(new MetadataRequest { ListXattrs = id.Value });
        if (reply.Errno != 0)
        {
            return (Errno)reply.Errno;
        }

        ReadOnlySpan<byte> rest = reply.Value.Span;
        byte[] shown = new byte[rest.Length];
        int length = 0;
        while (!rest.IsEmpty)
        {
            ReadOnlySpan<byte> name = rest[..(rest.IndexOf((byte)0) + 1)];
            rest = rest[name.Length..];
            if (isPrivileged || !name.StartsWith("trusted."u8))
            {
                name.CopyTo(shown.AsSpan(length));
                length += name.Length;
            }
        }

        return Copy(shown.AsSpan(0, length), buffer, mustFit: true);
    }

    private async ValueTask<Errno> ChangeXattr(NodeId id, Command command)
    {
        _withoutXattrs.TryRemove(id.Value, out _);
        await FlushKnown(id);
        MetadataReply reply = await _session.Mutate(command);
        if (reply.Errno == 0)
        {
            Note(reply.Attributes, reply.Lease).NeedsMetadataSync = true;
        }

        return (Errno)reply.Errno;
    }

    /// <summary>What was written here has an effect on extended attributes: the server is to know of it.</summary>
    private ValueTask FlushKnown(NodeId id) => _nodes.TryGetValue(id.Value, out ClientNode? node) ? Flush(node) : default;

    /// <summary>A node whose attributes are true now.</summary>
    private async ValueTask<Result<ClientNode>> Known(ulong inode)
    {
        if (_nodes.TryGetValue(inode, out ClientNode? node) && node.Lease != LeaseMode.None && !node.IsStale && _session.ValidNanoseconds > 0)
        {
            return node;
        }

        MetadataReply reply = await _session.Call(new MetadataRequest { GetAttributes = inode });
        if (reply.Errno != 0)
        {
            return (Errno)reply.Errno;
        }

        // Without a lease they were true when the server answered, and may have changed since.
        node = Note(reply.Attributes, reply.Lease);
        node.IsStale = reply.Lease == LeaseMode.None;
        return node;
    }

    /// <summary>Changes attributes of a file that this client alone uses.</summary>
    private void SetHere(RequestContext context, ClientNode node, in SetattrIn arg)
    {
        Attributes all = node.Attributes;
        DirtyAttributes dirty = DirtyAttributes.Ctime;
        long now = Now;
        bool ownerChanges = (arg.Valid & (SetattrValid.Uid | SetattrValid.Gid)) != 0;
        if (ownerChanges)
        {
            all.Mode = ClearSetIds(all, IsMember(context, all));
            all.Uid = (arg.Valid & SetattrValid.Uid) != 0 ? arg.Uid : all.Uid;
            all.Gid = (arg.Valid & SetattrValid.Gid) != 0 ? arg.Gid : all.Gid;
            dirty |= DirtyAttributes.Owner | DirtyAttributes.Mode;
        }

        if ((arg.Valid & SetattrValid.Mode) != 0)
        {
            all.Mode = (all.Mode & (uint)FilePermissions.S_IFMT) | (arg.Mode & (uint)FilePermissions.ALLPERMS);
            dirty |= DirtyAttributes.Mode;
        }

        if ((arg.Valid & SetattrValid.Atime) != 0)
        {
            all.Atime = (arg.Valid & SetattrValid.AtimeNow) != 0 ? now : AttributesExtensions.FromWire(arg.Atime, arg.Atimensec);
            dirty |= DirtyAttributes.Atime;
        }

        if ((arg.Valid & SetattrValid.Mtime) != 0)
        {
            all.Mtime = (arg.Valid & SetattrValid.MtimeNow) != 0 ? now : AttributesExtensions.FromWire(arg.Mtime, arg.Mtimensec);
            dirty |= DirtyAttributes.Mtime;
        }

        all.Ctime = (arg.Valid & SetattrValid.Ctime) != 0 ? AttributesExtensions.FromWire(arg.Ctime, arg.Ctimensec) : now;
        MarkDirty(node, dirty);
    }

    private SetAttributes ChangeOf(RequestContext context, Attributes attributes, in SetattrIn arg)
    {
        var change = new SetAttributes { Inode = attributes.Inode, ByMember = IsMember(context, attributes) };
        long now = Now;
        bool ownerChanges = (arg.Valid & (SetattrValid.Uid | SetattrValid.Gid)) != 0;

        // What is left of a chown(2) that changes neither id, or of a fallocate or buffered write whose caller must not keep set-id bits:
        // fs/fuse/dir.c (fuse_setattr) takes the mode out, since HANDLE_KILLPRIV_V2 makes it the file system's affair.
        bool nothing = (arg.Valid & Changes) == 0;
        change.ClearSetIds = ownerChanges || nothing || (arg.Valid & SetattrValid.KillSuidgid) != 0;
        change.ClearCapability = ownerChanges || nothing || (arg.Valid & SetattrValid.Size) != 0;
        if ((arg.Valid & SetattrValid.Mode) != 0)
        {
            change.Mode = arg.Mode;
        }

        if ((arg.Valid & SetattrValid.Uid) != 0)
        {
            change.Uid = arg.Uid;
        }

        if ((arg.Valid & SetattrValid.Gid) != 0)
        {
            change.Gid = arg.Gid;
        }

        if ((arg.Valid & SetattrValid.Size) != 0)
        {
            change.Size = arg.Size;
        }

        if ((arg.Valid & SetattrValid.Atime) != 0)
        {
            change.Atime = (arg.Valid & SetattrValid.AtimeNow) != 0 ? now : AttributesExtensions.FromWire(arg.Atime, arg.Atimensec);
        }

        if ((arg.Valid & SetattrValid.Mtime) != 0)
        {
            change.Mtime = (arg.Valid & SetattrValid.MtimeNow) != 0 ? now : AttributesExtensions.FromWire(arg.Mtime, arg.Mtimensec);
        }

        if ((arg.Valid & SetattrValid.Ctime) != 0)
        {
            change.Ctime = AttributesExtensions.FromWire(arg.Ctime, arg.Ctimensec);
        }

        return change;
    }

    private static bool IsPrivileged(RequestContext context) => context.Uid is 0 or Protocol.InvalidUidGid;

    private static bool IsMember(RequestContext context, Attributes attributes) => IsPrivileged(context) || context.Gid == attributes.Gid;

    private static uint ClearSetIds(Attributes attributes, bool byMember)
    {
        var inode = new Metadata.Inode { Mode = (FilePermissions)attributes.Mode };
        inode.ClearSetIds(byMember);
        return (uint)inode.Mode;
    }

    private static Result<int> Copy(ReadOnlySpan<byte> value, Memory<byte> buffer, bool mustFit)
    {
        if (mustFit && !buffer.IsEmpty && value.Length > buffer.Length)
        {
            return Errno.ERANGE;
        }

        int copied = Math.Min(value.Length, buffer.Length);
        value[..copied].CopyTo(buffer.Span);
        return mustFit ? value.Length : copied;
    }
}
