using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Runtime.Native;
using Mono.Unix.Native;

namespace Harness.Transport;

/// <summary>A request that came from a device fd, and the buffer it lives in from read(2) to write(2).</summary>
/// <remarks>
/// One buffer serves both ways. A message is read to where the data of a WRITE (behind 80 bytes of header and arguments) begin on a page, and
/// the payload of the reply begins on that same page with its header right before it, so that each way is a single system call:
/// <code>
///            4016          4056         4080        4096
///   request   | in_header   | arguments  …           | data of a WRITE …
///   reply                                | out_header| data of a READ …
/// </code>
/// Owned by its <see cref="DevFuseReader"/>; lent to whoever handles the request, until it is answered.
/// </remarks>
internal sealed unsafe class DevFuseSlot : FuseRequest, IDisposable
{
    private const int PayloadOffset = 4096;
    private const int WriteInSize = 40;
    private const int MessageOffset = PayloadOffset - InHeader.Size - WriteInSize;
    private const int ReplyOffset = PayloadOffset - OutHeader.Size;

    // Where the slot is: with its reader, who waits for the handler to return; let go by it; or answered. Reader and answerer race from the
    // first to one of the others, and whoever comes second has the slot.
    private const int Handled = 0;
    private const int LetGo = 1;
    private const int Answered = 2;

    private readonly DevFuseReader _reader;
    private readonly NativeBuffer _buffer;
    private readonly nuint _messageMax;
    private int _fd;
    private int _place;
    private int _length;

    /// <summary>A slot for messages and replies of the size that the options name, on a NUMA node if one is named.</summary>
    public DevFuseSlot(DevFuseReader reader, DevFuseOptions options, int? node)
    {
        _reader = reader;
        // The kernel does not fill a buffer of less than FUSE_MIN_READ_BUFFER bytes, whatever the size of a message.
        int dataBytes = Math.Max(options.MessageBytes, Protocol.MinReadBuffer);
        _buffer = new NativeBuffer(PayloadOffset + dataBytes);
        _ = node is int number && _buffer.TryPlace(number);
        _ = options.ResidentBuffers && _buffer.MakeResident();
        _messageMax = (nuint)(_buffer.Length - MessageOffset);
        ReplyBuffer = _buffer.Memory[PayloadOffset..];
    }

    /// <summary>Waits for the next message on <paramref name="fd"/> and puts it here.</summary>
    /// <returns>Ok, or why there is no message; EPROTO if what came is none.</returns>
    public Errno Receive(int fd)
    {
        nint length = Libc.Read(fd, _buffer.Pointer + MessageOffset, _messageMax);
        if (length < 0)
        {
            return Libc.LastErrno;
        }

        ref InHeader header = ref *(InHeader*)(_buffer.Pointer + MessageOffset);
        if (length < InHeader.Size || header.Len != length)
        {
            return Errno.EPROTO;
        }

        _fd = fd;
        _length = (int)length;
        _place = Handled;
        Begin(in header);
        return Errnos.Ok;
    }

    /// <summary>The reader calls it when the handler has returned.</summary>
    /// <returns>Whether the request has been answered, so that the slot is the reader's again; if not, the answer will give it back.</returns>
    public bool TakeBack() => _place == Answered || Interlocked.CompareExchange(ref _place, LetGo, Handled) == Answered;

    /// <inheritdoc/>
    public void Dispose() => ((IDisposable)_buffer).Dispose();

    /// <inheritdoc/>
    protected override bool TrySplit(int argsSize) =>
        TrySplit(_buffer.Memory.Slice(MessageOffset + InHeader.Size, _length - InHeader.Size), argsSize);

    /// <inheritdoc/>
    protected override void Send(Errno error, int length)
    {
        byte* reply = _buffer.Pointer + ReplyOffset;
        *(OutHeader*)reply = new OutHeader { Len = (uint)(OutHeader.Size + length), Error = -(int)error, Unique = Header.Unique };
        _reader.Write(_fd, reply, OutHeader.Size + length);
        Recycle();
    }

    /// <inheritdoc/>
    protected override void Recycle()
    {
        if (_reader.IsHandling(this))
        {
            // The common case, an answer before the handler returns, needs no interlocked operation: one thread writes and reads.
            _place = Answered;
        }
        else if (Interlocked.Exchange(ref _place, Answered) == LetGo)
        {
            _reader.GiveBack(this);
        }
    }
}
