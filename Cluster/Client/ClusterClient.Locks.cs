using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Cluster.Client;

/// <content>Locks of fcntl(2) and flock(2).</content>
internal sealed partial class ClusterClient
{
    private ulong _lastWait;

    public async ValueTask<Result<FileLock>> Getlk(NodeId id, LkIn arg)
    {
        MetadataReply reply = await _session.Call(new MetadataRequest { TestLock = LockOf(id, arg) });
        return reply.Errno != 0
            ? (Errno)reply.Errno
            : new FileLock { Start = reply.Lock.Start, End = reply.Lock.End, Type = reply.Lock.Type, Pid = reply.Lock.Pid };
    }

    public async ValueTask<Errno> Setlk(NodeId id, LkIn arg, bool wait, CancellationToken interrupted)
    {
        _hearsCloses = true;
        FindOrAdd(id.Value).HasLocks = true;
        if (!wait)
        {
            return (Errno)(await _session.Mutate(new Command { SetLock = LockOf(id, arg) })).Errno;
        }

        ulong number = ++_lastWait;
        using CancellationTokenRegistration registration = interrupted.UnsafeRegister(_ => CancelWait(number), null);

        // A wait lasts as long as it lasts: what the session's patience ends is asked again.
        while (true)
        {
            MetadataReply reply = await _session.Call(
                new MetadataRequest { WaitLock = new WaitLock { Lock = LockOf(id, arg), Number = number } }, endless: true);
            if ((Errno)reply.Errno != Errno.EAGAIN)
            {
                return (Errno)reply.Errno;
            }
        }
    }

    private void CancelWait(ulong number) => _loop.Post(_ => _session.Call(new MetadataRequest { CancelWait = number }).Watch(), null);

    private static SetLock LockOf(NodeId id, in LkIn arg) => new()
    {
        Inode = id.Value,
        Owner = arg.Owner,
        Handle = arg.Fh,
        Flock = (arg.LkFlags & LkFlags.Flock) != 0,
        Range = new LockRange { Start = arg.Lk.Start, End = arg.Lk.End, Type = arg.Lk.Type, Pid = arg.Lk.Pid },
    };
}
