using System.Runtime.InteropServices;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.FuseProtocol;

/// <summary>
/// One message from the kernel, in a slot of the channel that received it, until it is answered: exactly once, from any thread, into the
/// slot's own reply buffer.
/// </summary>
/// <remarks>
/// Owned by its channel, which uses the slot again once <see cref="Reply(Errno)"/>, <see cref="Reply(int)"/>, <see cref="Reply{T}"/> or
/// <see cref="Complete"/> has been called; whoever received the request must not touch it after that. The reply buffer may lie over the
/// payload, as it does on io_uring: what must outlive the first byte of the reply is copied out before.
/// </remarks>
public abstract class FuseRequest
{
    private const int Free = 0;
    private const int Pending = 1;

    private InHeader _header;
    private int _state;
    private InterruptSource? _interrupt;
    private ulong _interruptedUnique;

    /// <summary>The message's header.</summary>
    public ref readonly InHeader Header => ref _header;

    /// <summary>The fixed arguments of the opcode, once the session has split them off.</summary>
    public Memory<byte> Args { get; protected set; }

    /// <summary>What follows the fixed arguments: names, or the data of a write.</summary>
    public Memory<byte> Payload { get; protected set; }

    /// <summary>The extensions at the end of the message (security contexts, supplementary groups); usually empty.</summary>
    public Memory<byte> Extensions { get; protected set; }

    /// <summary>Where the payload of the reply goes, header excluded: as long as the largest message of the session.</summary>
    public Memory<byte> ReplyBuffer { get; protected set; }

    /// <summary>Cancelled when the caller was interrupted by a signal. A request that can wait long should watch it and answer EINTR.</summary>
    public CancellationToken Interrupted
    {
        get
        {
            InterruptSource source = _interrupt ??= new InterruptSource(_header.Unique);
            // The fence orders publishing the source before looking for an interrupt that came earlier; Interrupt does the reverse.
            Interlocked.MemoryBarrier();
            if (Volatile.Read(ref _interruptedUnique) == source.Unique)
            {
                source.Cancel();
            }

            return source.Token;
        }
    }

    /// <summary>Who is told of the request's answer; set by the session.</summary>
    internal IFuseObserver? Observer { get; set; }

    /// <summary>The session that knows this slot, so that interrupts find the request in it.</summary>
    internal object? Registered { get; set; }

    /// <summary>Answers with an error, or with success and no payload.</summary>
    public void Reply(Errno error) => Answer(error, 0);

    /// <summary>Answers with success and the first <paramref name="length"/> bytes of <see cref="ReplyBuffer"/>.</summary>
    public void Reply(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)ReplyBuffer.Length, nameof(length));
        Answer(Errnos.Ok, length);
    }

    /// <summary>Answers with success and one wire struct.</summary>
    public void Reply<T>(in T value)
        where T : unmanaged
    {
        MemoryMarshal.Write(ReplyBuffer.Span, in value);
        Answer(Errnos.Ok, System.Runtime.CompilerServices.Unsafe.SizeOf<T>());
    }

    /// <summary>Ends a request that takes no reply (FORGET, BATCH_FORGET, NOTIFY_REPLY, and INTERRUPT when it was delivered).</summary>
    public void Complete()
    {
        End();
        Recycle();
    }

    /// <summary>Splits the message behind its header into <see cref="Args"/>, <see cref="Payload"/> and <see cref="Extensions"/>.</summary>
    /// <param name="argsSize">Size of the opcode's fixed arguments in this session.</param>
    /// <returns>False if the message is too short for its opcode or its extensions.</returns>
    protected internal abstract bool TrySplit(int argsSize);

    /// <summary>Tells the request with this <paramref name="unique"/>, if it is in this slot, that its caller no longer waits.</summary>
    /// <returns>False if another request, or none, is here.</returns>
    internal bool TryInterrupt(ulong unique)
    {
        if (_header.Unique != unique || Volatile.Read(ref _state) != Pending)
        {
            return false;
        }

        Volatile.Write(ref _interruptedUnique, unique);
        Interlocked.MemoryBarrier();
        InterruptSource? source = Volatile.Read(ref _interrupt);
        if (source?.Unique == unique)
        {
            source.Cancel();
        }

        return true;
    }

    /// <summary>Answers with an error if the request with this <paramref name="unique"/> is still here and unanswered.</summary>
    internal void TryReply(ulong unique, Errno error)
    {
        if (_header.Unique == unique && Interlocked.CompareExchange(ref _state, Free, Pending) == Pending)
        {
            _interrupt = null;
            Observer?.Replied(this, error, default);
            Send(error, 0);
        }
    }

    /// <summary>Puts a message into the slot. The channel calls it before it hands the request out.</summary>
    protected void Begin(in InHeader header)
    {
        _header = header;
        Volatile.Write(ref _state, Pending);
    }

    /// <summary>Takes <paramref name="size"/> bytes of arguments from the front and the extensions from the back of a body.</summary>
    protected bool TrySplit(Memory<byte> body, int size)
    {
        int extensions = _header.TotalExtlen * 8;
        if (body.Length < size + extensions)
        {
            return false;
        }

        Args = body[..size];
        Payload = body[size..(body.Length - extensions)];
        Extensions = body[(body.Length - extensions)..];
        return true;
    }

    /// <summary>Sends the answer to the kernel and then makes the slot free for the next message.</summary>
    /// <param name="error">0 or an errno, not negated.</param>
    /// <param name="length">Bytes of <see cref="ReplyBuffer"/> to send; 0 with an error.</param>
    protected abstract void Send(Errno error, int length);

    /// <summary>Makes the slot free for the next message without sending anything.</summary>
    protected abstract void Recycle();

    private void Answer(Errno error, int length)
    {
        End();
        Observer?.Replied(this, error, ReplyBuffer.Span[..length]);
        Send(error, length);
    }

    private void End()
    {
        if (Interlocked.Exchange(ref _state, Free) != Pending)
        {
            throw new InvalidOperationException($"Request {_header.Unique} ({_header.Opcode}) was answered twice.");
        }

        _interrupt = null;
    }

    private sealed class InterruptSource(ulong unique) : CancellationTokenSource
    {
        public ulong Unique { get; } = unique;
    }
}
