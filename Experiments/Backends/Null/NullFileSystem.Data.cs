using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Null;

/// <content>The data: zeros out, nothing in.</content>
internal sealed partial class NullFileSystem
{
    private const uint SeekData = 3;
    private const uint SeekHole = 4;

    /// <inheritdoc/>
    public ValueTask<Result<OpenOut>> Open(RequestContext context, NodeId node, OpenIn arg) =>
        IsFile(node) ? new(_options.OpenedFile(0)) : new(Errno.EISDIR);

    /// <summary>Fills the reply with zeros, really, since a reader must not see what the buffer held before.</summary>
    public ValueTask<Result<int>> Read(RequestContext context, NodeId node, ReadIn arg, Memory<byte> buffer)
    {
        if (!IsFile(node))
        {
            return new(Errno.EISDIR);
        }

        int length = Clip(arg.Offset, buffer.Length);
        buffer.Span[..length].Clear();
        return new(length);
    }

    /// <inheritdoc/>
    public ValueTask<Result<int>> Write(RequestContext context, NodeId node, WriteIn arg, ReadOnlyMemory<byte> data)
    {
        if (!IsFile(node))
        {
            return new(Errno.EISDIR);
        }

        int length = Clip(arg.Offset, data.Length);
        return length == 0 && data.Length > 0 ? new(Errno.EFBIG) : new(length);
    }

    /// <inheritdoc/>
    public ValueTask<Errno> Flush(RequestContext context, NodeId node, FlushIn arg) => new(Errnos.Ok);

    /// <inheritdoc/>
    public ValueTask<Errno> Fsync(RequestContext context, NodeId node, FsyncIn arg) => new(Errnos.Ok);

    /// <inheritdoc/>
    public ValueTask<Errno> Fallocate(RequestContext context, NodeId node, FallocateIn arg) =>
        new(IsFile(node) ? Errnos.Ok : Errno.ENODEV);

    /// <inheritdoc/>
    public ValueTask<Result<ulong>> Lseek(RequestContext context, NodeId node, LseekIn arg)
    {
        if (arg.Offset >= FileBytes)
        {
            return new(Errno.ENXIO);
        }

        return arg.Whence switch
        {
            SeekData => new(arg.Offset),
            SeekHole => new(FileBytes),
            _ => new(Errno.EINVAL),
        };
    }

    private static int Clip(ulong offset, int length) => offset >= FileBytes ? 0 : (int)Math.Min((ulong)length, FileBytes - offset);
}
