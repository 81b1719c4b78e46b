using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Memory;

/// <content>Locks of fcntl(2) and flock(2), and the two occasions on which they end by themselves.</content>
internal sealed partial class MemoryFileSystem
{
    /// <inheritdoc/>
    public ValueTask<Result<FileLock>> Getlk(RequestContext context, NodeId node, LkIn arg) =>
        Find(node) is { } inode ? new(_locks.Test(inode, in arg)) : new(Errno.ESTALE);

    /// <inheritdoc/>
    public ValueTask<Errno> Setlk(RequestContext context, NodeId node, LkIn arg, bool wait) =>
        Find(node) is { } inode
            ? _locks.Set(inode, in arg, wait, wait ? context.Interrupted : CancellationToken.None)
            : new(Errno.ESTALE);

    /// <summary>A close(2): the closing process loses all its fcntl(2) locks on the file, as POSIX wants it.</summary>
    public ValueTask<Errno> Flush(RequestContext context, NodeId node, FlushIn arg) => Unlock(node, arg.LockOwner, LkFlags.None);

    /// <summary>The last close(2) of an open file, which had a flock(2) if the kernel says so.</summary>
    public ValueTask<Errno> Release(RequestContext context, NodeId node, ReleaseIn arg) =>
        (arg.ReleaseFlags & ReleaseFlags.FlockUnlock) != 0 ? Unlock(node, arg.LockOwner, LkFlags.Flock) : new(Errnos.Ok);

    private ValueTask<Errno> Unlock(NodeId node, ulong owner, LkFlags kind)
    {
        if (Find(node) is { } inode)
        {
            _locks.Release(inode, owner, kind);
        }

        return new(Errnos.Ok);
    }
}
