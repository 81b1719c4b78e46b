using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.FuseProtocol;

/// <summary>
/// A file system as the kernel sees it: nodes and open files by number, one method per opcode. What a file system does not implement answers
/// ENOSYS, which the kernel remembers and mostly has a default for.
/// </summary>
/// <remarks>
/// Methods are called from any thread, several at once. They never throw for what an application can cause: failures are <see cref="Errno"/>
/// values. Memory that is passed in is valid until the returned task has completed; names come without NUL. A successful reply that carries
/// an <see cref="EntryOut"/> raises that node's lookup count by one, until <see cref="Forget"/> lowers it.
/// </remarks>
public partial interface IFileSystem
{
    /// <summary>The INIT flags that this file system can serve and wants, besides those that belong to channel and message size.</summary>
    InitFlags Capabilities => InitFlags.None;

    /// <summary>What brings the answers that it does not give at once, if threads that carry requests may look after it; null if not.</summary>
    IAnswerSource? Answers => null;

    /// <summary>Called once, before <see cref="Start"/>, with the way to tell the kernel what it did not ask.</summary>
    /// <param name="notifier">To be kept by a file system that needs it, and used only once <see cref="Start"/> has returned.</param>
    void Attach(FuseNotifier notifier)
    {
    }

    /// <summary>Gives the file system what only its mount has. Called once, before <see cref="Start"/>, where there is a kernel.</summary>
    /// <param name="files">For file systems that want PASSTHROUGH.</param>
    void Attach(IBackingFiles files)
    {
    }

    /// <summary>INIT has been agreed on and is about to be answered; requests may come once this returns.</summary>
    /// <param name="init">What was agreed.</param>
    void Start(NegotiatedInit init)
    {
    }

    /// <summary>The file system was unmounted (DESTROY).</summary>
    void Stop()
    {
    }

    /// <summary>Cached data that a retrieve notification asked for (NOTIFY_REPLY).</summary>
    /// <param name="number">The number that <see cref="FuseNotifier.Retrieve"/> was given.</param>
    /// <param name="node">The file.</param>
    /// <param name="offset">Where the data lie, in bytes.</param>
    /// <param name="data">Valid until the method returns.</param>
    void Retrieved(ulong number, NodeId node, ulong offset, ReadOnlyMemory<byte> data)
    {
    }

    /// <summary>Finds a name in a directory. A success with node id 0 is a negative answer that the kernel caches for its EntryValid.</summary>
    ValueTask<Result<EntryOut>> Lookup(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name) => Unserved<EntryOut>();

    /// <summary>Lowers a node's lookup count; at 0 its number may be dropped (FORGET and BATCH_FORGET).</summary>
    void Forget(NodeId node, ulong lookups)
    {
    }

    /// <summary>Reads attributes, by open file where <paramref name="arg"/> says so.</summary>
    ValueTask<Result<AttrOut>> Getattr(RequestContext context, NodeId node, GetattrIn arg) => Unserved<AttrOut>();

    /// <summary>Reads attributes as statx(2) wants them.</summary>
    ValueTask<Result<StatxOut>> Statx(RequestContext context, NodeId node, StatxIn arg) => Unserved<StatxOut>();

    /// <summary>Changes the attributes that <c>arg.Valid</c> names (chmod, chown, truncate, utimens).</summary>
    ValueTask<Result<AttrOut>> Setattr(RequestContext context, NodeId node, SetattrIn arg) => Unserved<AttrOut>();

    /// <summary>Reads where a symbolic link points, without NUL.</summary>
    /// <returns>Bytes written to <paramref name="buffer"/>.</returns>
    ValueTask<Result<int>> Readlink(RequestContext context, NodeId node, Memory<byte> buffer) => Unserved<int>();

    /// <summary>Checks access(2), where the mount has no <c>default_permissions</c>.</summary>
    ValueTask<Errno> Access(RequestContext context, NodeId node, uint mask) => Unserved();

    /// <summary>Makes a symbolic link.</summary>
    ValueTask<Result<EntryOut>> Symlink(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> target) =>
        Unserved<EntryOut>();

    /// <summary>Makes a file, device, pipe or socket.</summary>
    ValueTask<Result<EntryOut>> Mknod(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, MknodIn arg) => Unserved<EntryOut>();

    /// <summary>Makes a directory.</summary>
    ValueTask<Result<EntryOut>> Mkdir(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, MkdirIn arg) => Unserved<EntryOut>();

    /// <summary>Removes a name that is no directory.</summary>
    ValueTask<Errno> Unlink(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name) => Unserved();

    /// <summary>Removes an empty directory.</summary>
    ValueTask<Errno> Rmdir(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name) => Unserved();

    /// <summary>Renames, replaces or exchanges (RENAME and RENAME2).</summary>
    ValueTask<Errno> Rename(
        RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, NodeId newParent, ReadOnlyMemory<byte> newName, RenameFlags flags) =>
        Unserved();

    /// <summary>Gives a node another name.</summary>
    ValueTask<Result<EntryOut>> Link(RequestContext context, NodeId node, NodeId newParent, ReadOnlyMemory<byte> newName) =>
        Unserved<EntryOut>();

    /// <summary>Totals for statfs(2).</summary>
    ValueTask<Result<Kstatfs>> Statfs(RequestContext context, NodeId node) => Unserved<Kstatfs>();

    /// <summary>Writes everything to stable storage (syncfs(2)).</summary>
    ValueTask<Errno> Syncfs(RequestContext context, NodeId node) => Unserved();

    /// <summary>Sets an extended attribute; <c>arg.Flags</c> are XATTR_CREATE and XATTR_REPLACE.</summary>
    ValueTask<Errno> Setxattr(
        RequestContext context, NodeId node, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> value, SetxattrIn arg) => Unserved();

    /// <summary>Reads an extended attribute.</summary>
    /// <param name="context">Who asks.</param>
    /// <param name="node">Whose attribute.</param>
    /// <param name="name">Which attribute.</param>
    /// <param name="buffer">Where the value goes; empty when only its size is asked for.</param>
    /// <returns>The value's size; ERANGE if it does not fit into a buffer that is not empty, ENODATA if there is none.</returns>
    ValueTask<Result<int>> Getxattr(RequestContext context, NodeId node, ReadOnlyMemory<byte> name, Memory<byte> buffer) => Unserved<int>();

    /// <summary>Lists extended attributes, each name ended by NUL; sizes as for <see cref="Getxattr"/>.</summary>
    ValueTask<Result<int>> Listxattr(RequestContext context, NodeId node, Memory<byte> buffer) => Unserved<int>();

    /// <summary>Removes an extended attribute.</summary>
    ValueTask<Errno> Removexattr(RequestContext context, NodeId node, ReadOnlyMemory<byte> name) => Unserved();

    private static ValueTask<Result<T>> Unserved<T>() => new(Errno.ENOSYS);

    private static ValueTask<Errno> Unserved() => new(Errno.ENOSYS);
}
