using System.Runtime.InteropServices;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.FuseProtocol;

/// <summary>Tells the kernel what it did not ask: that something has changed, or is wanted back (<c>enum fuse_notify_code</c>).</summary>
/// <remarks>
/// Thread-safe. A notification may wait for locks of inodes and pages that a request in flight holds, so it must not be sent by a handler
/// that this request, or the last reader of the device, waits for. Every method answers 0 or an errno: ENOSYS if this kernel does not have
/// the notification or nobody carries it, EINVAL or ENAMETOOLONG for arguments that it would refuse, ENOENT if it does not know the node
/// or name, which is common and no failure.
/// </remarks>
public sealed class FuseNotifier
{
    /// <summary>Largest number that a retrieve notification can have.</summary>
    public const ulong RetrieveNumberMax = (Protocol.UniqueRetrieve >> 1) - 1;

    private readonly NegotiatedInit _init;
    private readonly INotificationSink? _sink;
    private readonly IFuseObserver? _observer;

    /// <summary>A notifier for one connection.</summary>
    /// <param name="init">What was agreed, which decides what the kernel understands.</param>
    /// <param name="sink">What carries the messages; without one, every notification is answered ENOSYS.</param>
    /// <param name="observer">Who is told of them.</param>
    public FuseNotifier(NegotiatedInit init, INotificationSink? sink, IFuseObserver? observer = null)
    {
        _init = init;
        _sink = sink;
        _observer = observer;
    }

    /// <summary>A file whose POLL asked for it has events (FUSE_NOTIFY_POLL, 7.11).</summary>
    /// <param name="kh">As the request gave it.</param>
    public Errno Poll(ulong kh) => Send(NotifyCode.Poll, new NotifyPollWakeupOut { Kh = kh });

    /// <summary>Drops a node's cached attributes (FUSE_NOTIFY_INVAL_INODE without a range).</summary>
    public Errno InvalAttributes(NodeId node) => Send(NotifyCode.InvalInode, new NotifyInvalInodeOut { Ino = node.Value, Off = -1 });

    /// <summary>Drops a node's cached attributes, and its cached data in a range; what is dirty there is written first (7.12).</summary>
    /// <param name="node">The node.</param>
    /// <param name="offset">Where the range begins, in bytes.</param>
    /// <param name="length">Bytes; 0 for everything behind <paramref name="offset"/>.</param>
    public Errno InvalInode(NodeId node, long offset, long length) => offset < 0 || length < 0
        ? Errno.EINVAL
        : Send(NotifyCode.InvalInode, new NotifyInvalInodeOut { Ino = node.Value, Off = offset, Len = length });

    /// <summary>Drops a cached name, or expires it so that the next use looks it up (FUSE_NOTIFY_INVAL_ENTRY, 7.12; expiry 7.38).</summary>
    public Errno InvalEntry(NodeId parent, ReadOnlySpan<byte> name, InvalEntryFlags flags = InvalEntryFlags.None)
    {
        // An older kernel takes the flag for padding and drops the name.
        if ((flags & InvalEntryFlags.ExpireOnly) != 0 && (_init.Offered & InitFlags.HasExpireOnly) == 0)
        {
            return Errno.ENOSYS;
        }

        return SendName(
            NotifyCode.InvalEntry, new NotifyInvalEntryOut { Parent = parent.Value, Namelen = (uint)name.Length, Flags = flags }, name);
    }

    /// <summary>A name is gone, and with it this child: applications that watch it are told (FUSE_NOTIFY_DELETE, 7.18).</summary>
    public Errno Delete(NodeId parent, NodeId child, ReadOnlySpan<byte> name) => SendName(
        NotifyCode.Delete, new NotifyDeleteOut { Parent = parent.Value, Child = child.Value, Namelen = (uint)name.Length }, name);

    /// <summary>Puts data into the kernel's cache of a file, whose size grows with them (FUSE_NOTIFY_STORE, 7.15).</summary>
    public Errno Store(NodeId node, ulong offset, ReadOnlySpan<byte> data) => offset > long.MaxValue - (ulong)data.Length
        ? Errno.EINVAL
        : Send(NotifyCode.Store, new NotifyStoreOut { Nodeid = node.Value, Offset = offset, Size = (uint)data.Length }, data);

    /// <summary>
    /// Asks for what the kernel has cached of a file (FUSE_NOTIFY_RETRIEVE, 7.15). It answers by <see cref="IFileSystem.Retrieved"/>, with
    /// as much as lies there without a gap.
    /// </summary>
    /// <param name="number">Comes back with the answer, maybe before this returns; up to <see cref="RetrieveNumberMax"/>.</param>
    /// <param name="node">The file.</param>
    /// <param name="offset">Where to begin, in bytes.</param>
    /// <param name="size">Bytes; more than <see cref="NegotiatedInit.MaxWrite"/> is EINVAL, since the kernel would cut it.</param>
    public Errno Retrieve(ulong number, NodeId node, ulong offset, uint size)
    {
        if (number > RetrieveNumberMax || size > (uint)_init.MaxWrite || offset > long.MaxValue)
        {
            return Errno.EINVAL;
        }

        ulong unique = Protocol.UniqueRetrieve | (number << 1);
        return Send(
            NotifyCode.Retrieve, new NotifyRetrieveOut { NotifyUnique = unique, Nodeid = node.Value, Offset = offset, Size = size });
    }

    /// <summary>
    /// Asks for every request that was read and not answered to be sent again, with bit 63 of its unique set (FUSE_NOTIFY_RESEND, 7.40).
    /// Requests in a ring are not.
    /// </summary>
    public Errno Resend() => (_init.Offered & InitFlags.HasResend) == 0 ? Errno.ENOSYS : Send(NotifyCode.Resend, default, default);

    /// <summary>Makes every cached name be looked up again before its next use (FUSE_NOTIFY_INC_EPOCH, 7.44).</summary>
    public Errno IncEpoch() => _init.Minor < 44 ? Errno.ENOSYS : Send(NotifyCode.IncEpoch, default, default);

    /// <summary>Drops cached inodes that nobody uses, so that their next lookup starts afresh (FUSE_NOTIFY_PRUNE, 7.45).</summary>
    public Errno Prune(ReadOnlySpan<NodeId> nodes) => _init.Minor < 45
        ? Errno.ENOSYS
        : Send(NotifyCode.Prune, new NotifyPruneOut { Count = (uint)nodes.Length }, MemoryMarshal.AsBytes(nodes));

    /// <summary>The number under which data were asked for, out of the header that brings them.</summary>
    internal static ulong RetrieveNumber(ulong unique) => (unique & ~Protocol.UniqueRetrieve) >> 1;

    private Errno SendName<T>(NotifyCode code, in T body, ReadOnlySpan<byte> name)
        where T : unmanaged
    {
        if (name.Length > Protocol.NameMax)
        {
            return Errno.ENAMETOOLONG;
        }

        if (name.IsEmpty || name.Contains((byte)0) || name.Contains((byte)'/'))
        {
            return Errno.EINVAL;
        }

        // The kernel wants the name's NUL too (fs/fuse/dev.c, fuse_notify_inval_entry).
        Span<byte> terminated = stackalloc byte[name.Length + 1];
        name.CopyTo(terminated);
        terminated[^1] = 0;
        return Send(code, in body, terminated);
    }

    private Errno Send<T>(NotifyCode code, in T body, ReadOnlySpan<byte> data = default)
        where T : unmanaged => Send(code, MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in body)), data);

    private Errno Send(NotifyCode code, ReadOnlySpan<byte> body, ReadOnlySpan<byte> data)
    {
        Errno error = _sink?.Send(code, body, data) ?? Errno.ENOSYS;
        _observer?.Notified(code, error, body, data);
        return error;
    }
}
