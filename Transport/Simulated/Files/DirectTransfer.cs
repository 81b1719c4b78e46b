using Harness.FuseProtocol;
using Harness.Simulation.Machines;
using Mono.Unix.Native;

namespace Harness.Transport.Simulated.Files;

/// <summary>One direct read or write: the messages it was split into, and how it ends (<c>struct fuse_io_priv</c>).</summary>
/// <remarks>Rented from <see cref="DirectIo"/>, which takes it back when the last message has ended.</remarks>
internal sealed class DirectTransfer
{
    public KernelTask Task { get; private set; } = null!;

    public OpenFile File { get; private set; } = null!;

    public bool IsWrite { get; private set; }

    public long Offset { get; private set; }

    /// <summary>Whether messages go out without waiting for each other.</summary>
    public bool IsParallel { get; set; }

    /// <summary>Messages under way, and one more while they are being sent.</summary>
    public int Pending { get; set; }

    /// <summary>Bytes asked for in messages that were sent.</summary>
    public int Size { get; set; }

    /// <summary>Where the shortest contiguous stretch from the start ends; −1 while no message came up short.</summary>
    public long ShortAt { get; set; }

    public Errno Error { get; set; }

    /// <summary>Who waits for the whole; null for asynchronous I/O.</summary>
    public SimThread? Waiter { get; set; }

    /// <summary>For asynchronous I/O: where its result goes.</summary>
    public AioCompletion? Completion { get; set; }

    public Result<int> Result => Error != Errnos.Ok ? Error : ShortAt < 0 ? Size : IsWrite ? Errno.EIO : (int)ShortAt;

    public void Begin(KernelTask task, OpenFile file, long offset, bool isWrite)
    {
        (Task, File, Offset, IsWrite) = (task, file, offset, isWrite);
        IsParallel = false;
        Pending = 1;
        Size = 0;
        ShortAt = -1;
        Error = Errnos.Ok;
        Waiter = null;
        Completion = null;
    }

    public override string ToString() => IsWrite ? "its direct write" : "its direct read";
}
