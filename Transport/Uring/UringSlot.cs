using System.Runtime.CompilerServices;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Runtime.Native;
using Mono.Unix.Native;
using Iovec = Harness.Runtime.Native.Iovec;

namespace Harness.Transport.Uring;

/// <summary>One entry of a FUSE queue: the header and payload buffers that kernel and daemon share, and the request in them.</summary>
/// <remarks>Owned by its <see cref="UringQueue"/> for the queue's life. Kernel and daemon own the buffers in turn.</remarks>
internal sealed unsafe class UringSlot : FuseRequest, IDisposable
{
    private readonly UringQueue _queue;
    private readonly NativeBuffer _headerBuffer;
    private readonly UringPayloads _payloads;
    private readonly Memory<byte> _payload;
    private readonly UringReqHeader* _header;
    private readonly Iovec* _iovecs;

    /// <summary>An entry with its payload buffer of the queue's, and its header on a NUMA node if one is named.</summary>
    public UringSlot(UringQueue queue, int index, UringPayloads payloads, int? node)
    {
        _queue = queue;
        Index = index;
        // One page for the header and, behind it, the two iovecs that announce both buffers to the kernel.
        _headerBuffer = new NativeBuffer(SessionOptions.PageSize);
        _payloads = payloads;
        _payload = payloads.MemoryOf(index);
        _ = node is int number && _headerBuffer.TryPlace(number);
        _header = (UringReqHeader*)_headerBuffer.Pointer;
        _iovecs = (Iovec*)(_headerBuffer.Pointer + (SessionOptions.PageSize / 2));
        _iovecs[0] = new Iovec { Base = _header, Length = UringReqHeader.Size };
        _iovecs[1] = new Iovec { Base = payloads.PointerTo(index), Length = (nuint)_payload.Length };
        ReplyBuffer = _payload;
    }

    /// <summary>The slot's place in its queue, which completions carry as user data.</summary>
    public int Index { get; }

    /// <summary>Whether somebody has the request and has not answered it: set by the queue's thread, cleared by the answer.</summary>
    public bool IsOut { get; set; }

    /// <summary>Names the request to the kernel in the commit.</summary>
    public ulong CommitId { get; private set; }

    /// <summary>What REGISTER sends: two iovecs, the header's and the payload's.</summary>
    public Iovec* Iovecs => _iovecs;

    /// <summary>Takes the message that the kernel has put into the buffers.</summary>
    /// <returns>False if it is none; the caller then commits an error.</returns>
    public bool Accept()
    {
        // Both are read before a reply can overwrite the header.
        CommitId = _header->RingEntInOut.CommitId;
        InHeader header = *(InHeader*)_header;
        Begin(in header);
        return _header->RingEntInOut.PayloadSz <= (uint)_payload.Length;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ((IDisposable)_headerBuffer).Dispose();
        _payloads.Release(Index);
    }

    /// <inheritdoc/>
    protected override bool TrySplit(int argsSize)
    {
        int payload = (int)_header->RingEntInOut.PayloadSz;
        if (argsSize > Unsafe.SizeOf<UringOpaque>() || !TrySplit(_payload[..payload], 0))
        {
            return false;
        }

        Args = _headerBuffer.Memory.Slice(Unsafe.SizeOf<UringOpaque>(), argsSize);
        return true;
    }

    /// <inheritdoc/>
    protected override void Send(Errno error, int length)
    {
        *(OutHeader*)_header = new OutHeader { Len = (uint)(OutHeader.Size + length), Error = -(int)error, Unique = Header.Unique };
        _header->RingEntInOut.PayloadSz = (uint)length;
        _queue.Commit(this);
    }

    /// <inheritdoc/>
    /// <remarks>A ring has no way to fetch without committing: what takes no reply comes by the device. A stray one is committed empty.</remarks>
    protected override void Recycle() => Send(Errnos.Ok, 0);
}
