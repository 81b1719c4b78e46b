using Harness.FuseProtocol;
using Harness.Runtime;
using Mono.Unix.Native;

namespace Harness.Cluster.Client;

/// <summary>Makes the kernel drop what it has cached, without the client's loop waiting for it.</summary>
/// <remarks>
/// The kernel may need answers of the client before it can drop a page (fs/fuse/inode.c, <c>fuse_reverse_inval_inode</c>, waits for locked
/// pages), so the notification is sent from a loop of its own. Names are dropped all at once by raising the epoch: dropping a single name takes
/// its directory's lock, which a request of this client may hold while it waits for the very client that waits for this notification.
/// </remarks>
internal sealed class KernelCache(ILoop loop, ILoop kernelLoop)
{
    private FuseNotifier? _notifier;

    /// <summary>From now on there is a kernel.</summary>
    public void Attach(FuseNotifier notifier) => _notifier = notifier;

    /// <summary>Drops a node's attributes.</summary>
    public Task DropAttributes(ulong inode) => Send(notifier => notifier.InvalAttributes(new NodeId(inode)));

    /// <summary>Drops a node's attributes and data; what is dirty is written first.</summary>
    public Task DropData(ulong inode) => Send(notifier => notifier.InvalInode(new NodeId(inode), 0, 0));

    /// <summary>Makes every name be looked up again before its next use.</summary>
    public Task DropNames() => Send(static notifier => notifier.IncEpoch());

    /// <summary>Drops one name; for kernels that know no epochs.</summary>
    public Task DropName(ulong directory, byte[] name) => Send(notifier =>
    {
        Errno error = notifier.IncEpoch();
        return error == Errno.ENOSYS ? notifier.InvalEntry(new NodeId(directory), name) : error;
    });

    /// <summary>Drops an inode that nobody uses, so that its next lookup brings its size (writeback cache).</summary>
    public Task Prune(ulong inode) => Send(notifier => notifier.Prune([new NodeId(inode)]));

    private Task Send(Func<FuseNotifier, Errno> notify)
    {
        if (_notifier is not { } notifier)
        {
            return Task.CompletedTask;
        }

        var done = new TaskCompletionSource();
        kernelLoop.Post(_ =>
        {
            // ENOENT, that the kernel does not know the node or has dropped it, is as good as success; and nobody is left to ask after ENODEV.
            notify(notifier);
            loop.Post(static state => ((TaskCompletionSource)state!).SetResult(), done);
        }, null);
        return done.Task;
    }
}
