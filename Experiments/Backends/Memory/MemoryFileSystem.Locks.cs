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
    public ValueTask<Errno> Flush(RequestContext context, NodeId node, FlushIn arg)
    {
        if (Find(node) is { Locks: not null } inode)
        {
            _locks.Release(inode, arg.LockOwner, LkFlags.None);
        }

        return new(Errnos.Ok);
    }

    /// <summary>The last close(2) of an open file: whatever lock was taken through it ends here at the latest.</summary>
    /// <remarks>
    /// For flock(2) the kernel says so. The locks of an open file description (F_OFD_SETLK) look like those of a process, but the kernel tells of
    /// their end in no other way (fs/fuse/file.c, <c>fuse_setlk</c>, leaves it to FLUSH, which names the process).
    /// </remarks>
    public ValueTask<Errno> Release(RequestContext context, NodeId node, ReleaseIn arg)
    {
        if (Find(node) is { Locks: not null } inode)
        {
            _locks.ReleaseTakenThrough(inode, arg.Fh);
            if ((arg.ReleaseFlags & ReleaseFlags.FlockUnlock) != 0)
            {
                _locks.Release(inode, arg.LockOwner, LkFlags.Flock);
            }
        }

        return new(Errnos.Ok);
    }
}
