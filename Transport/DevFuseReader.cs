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
    private readonly int _fd;
    private readonly ReaderPlacement _placement;
    private readonly DevFuseOptions _options;
    private readonly Stack<DevFuseSlot> _free = new();
    private int _slots;
    private int _threadId;
    private DevFuseSlot? _handling;
    private bool _disposed;

    /// <summary>A reader that does not run yet.</summary>
    /// <param name="device">The fd, which a clone has for itself and which otherwise all readers share. Borrowed.</param>
    /// <param name="placement">Where the thread runs and its buffers lie.</param>
    /// <param name="options">What its slots are like, and how many there may be.</param>
    public DevFuseReader(SafeFileHandle device, ReaderPlacement placement, DevFuseOptions options)
    {
        bool added = false;
        device.DangerousAddRef(ref added);
        _device = device;
        _fd = (int)device.DangerousGetHandle();
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
            Errno error = slot.Receive(_fd);
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

    /// <summary>Sends a reply, header included. Called from any thread.</summary>
    public void Write(byte* reply, int length)
    {
        if (Libc.Write(_fd, reply, (nuint)length) < 0 && Libc.LastErrno is not (Errno.ENOENT or Errno.ENODEV))
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
        }
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
