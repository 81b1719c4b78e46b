using Harness.FuseProtocol;
using Harness.Runtime.Native;
using Microsoft.Win32.SafeHandles;
using Mono.Unix.Native;

namespace Harness.Transport;

/// <summary>One thread that reads messages from one device fd, and the slots it reads them into.</summary>
/// <remarks>Keeps the fd open until the last request that it handed out has come back, so that no late answer goes to another file.</remarks>
internal sealed unsafe class DevFuseReader : IDisposable
{
    private readonly SafeFileHandle _device;
    private readonly SafeFileHandle? _polled;
    private readonly int _fd;
    private readonly int _polledFd;
    private readonly ReaderPlacement _placement;
    private readonly DevFuseOptions _options;
    private readonly Stack<DevFuseSlot> _free = new();
    private int _slots;
    private int _threadId;
    private DevFuseSlot? _handling;
    private AdaptiveSpin _spin;
    private bool _disposed;

    /// <summary>A reader that does not run yet.</summary>
    /// <param name="device">The fd, which a clone has for itself and which otherwise all readers share. Borrowed.</param>
    /// <param name="polled">A clone of it whose reads do not wait, by which the thread spins; null if it does not. Borrowed.</param>
    /// <param name="turn">Says which of the threads that share the clone spins.</param>
    /// <param name="placement">Where the thread runs and its buffers lie.</param>
    /// <param name="options">What its slots are like, and how many there may be.</param>
    public DevFuseReader(
        SafeFileHandle device, SafeFileHandle? polled, SpinTurn turn, ReaderPlacement placement, DevFuseOptions options)
    {
        _device = device;
        _fd = Borrow(device);
        _polled = polled;
        _polledFd = polled is null ? -1 : Borrow(polled);
        _spin = new AdaptiveSpin(polled is null ? TimeSpan.Zero : options.Spin, turn, onlyIdle: true);
        _placement = placement;
        _options = options;
    }

    /// <summary>Replies that the kernel did not take, for another reason than that nobody waits for them any more.</summary>
    public long RepliesFailed { get; private set; }

    /// <summary>Reads and hands out messages on the calling thread until the kernel closes the connection.</summary>
    public void Run(IRequestHandler handler, CancellationToken cancellationToken)
    {
        _threadId = Environment.CurrentManagedThreadId;
        _placement.Apply();
        DevFuseSlot slot = Take();
        while (!cancellationToken.IsCancellationRequested)
        {
            Errno error = Receive(slot);
            if (error == Errnos.Ok)
            {
                _handling = slot;
                handler.Handle(slot);
                _handling = null;
                if (!slot.TakeBack())
                {
                    slot = Take();
                }
            }
            else if (error is Errno.ENODEV or Errno.ECONNABORTED)
            {
                break;
            }
            else if (error is not (Errno.EINTR or Errno.EAGAIN or Errno.ENOENT))
            {
                // ENOENT: the request was taken back between its announcement and its reading (fs/fuse/dev.c, fuse_dev_do_read).
                throw new FuseTransportException($"Reading /dev/fuse failed: {error}.");
            }
        }

        GiveBack(slot);
    }

    /// <summary>Whether the calling thread is this reader's and has just handed out this slot.</summary>
    public bool IsHandling(DevFuseSlot slot) => _threadId == Environment.CurrentManagedThreadId && ReferenceEquals(_handling, slot);

    /// <summary>Sends a reply, header included, on the fd by which its request came. Called from any thread.</summary>
    public void Write(int fd, byte* reply, int length)
    {
        if (Libc.Write(fd, reply, (nuint)length) < 0 && Libc.LastErrno is not (Errno.ENOENT or Errno.ENODEV))
        {
            RepliesFailed++;
        }
    }

    /// <summary>Takes a slot that was answered after its reader had let it go. Called from any thread.</summary>
    public void GiveBack(DevFuseSlot slot)
    {
        lock (_free)
        {
            _free.Push(slot);
            if (_disposed)
            {
                Drain();
            }
            else
            {
                Monitor.Pulse(_free);
            }
        }
    }

    /// <summary>Unmaps the free slots; those still out follow when they come back.</summary>
    public void Dispose()
    {
        lock (_free)
        {
            if (!_disposed)
            {
                _disposed = true;
                Drain();
            }
        }
    }

    /// <summary>Frees what has come back, and lets go of the fd with the last of it.</summary>
    private void Drain()
    {
        while (_free.TryPop(out DevFuseSlot? slot))
        {
            slot.Dispose();
            _slots--;
        }

        if (_slots == 0)
        {
            _device.DangerousRelease();
            _polled?.DangerousRelease();
        }
    }

    private static int Borrow(SafeFileHandle handle)
    {
        bool added = false;
        handle.DangerousAddRef(ref added);
        return (int)handle.DangerousGetHandle();
    }

    /// <summary>Waits for the next message: awake for a while where that pays, and then asleep.</summary>
    private Errno Receive(DevFuseSlot slot)
    {
        if (!_spin.TryBegin())
        {
            return slot.Receive(_fd);
        }

        Errno error;
        do
        {
            error = slot.Receive(_polledFd);
        }
        while (error == Errno.EAGAIN && _spin.Continue());
        _spin.End(foundWork: error != Errno.EAGAIN);
        return error == Errno.EAGAIN ? slot.Receive(_fd) : error;
    }

    private DevFuseSlot Take()
    {
        lock (_free)
        {
            while (_free.Count == 0 && _slots == _options.SlotsMax)
            {
                // So many requests wait for the file system that the rest may as well wait in the kernel's queue.
                Monitor.Wait(_free);
            }

            if (_free.TryPop(out DevFuseSlot? slot))
            {
                return slot;
            }

            _slots++;
        }

        return new DevFuseSlot(this, _options, _placement.Node);
    }
}
