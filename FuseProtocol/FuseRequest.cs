using System.Runtime.CompilerServices;
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
/// <see cref="Complete"/> has been called; whoever received the request must not touch it after that. The reply buffer may lie over all of
/// the message but its header, as it does over the payload on io_uring and over payload and long arguments on the device: what must
/// outlive the first byte of the reply is copied out before.
/// </remarks>
public abstract class FuseRequest
{
    private const int Free = 0;
    private const int Pending = 1;

    private InHeader _header;
    private int _state;
    private InterruptSource? _interrupt;
    private ulong _interruptedUnique;
    private IRequestJournal? _journal;
    private int _entry;

    /// <summary>The message's header.</summary>
    public ref readonly InHeader Header => ref _header;

    /// <summary>The fixed arguments of the opcode, once the session has split them off; valid until the reply is begun.</summary>
    public Memory<byte> Args { get; protected set; }

    /// <summary>What follows the fixed arguments: names, or the data of a write.</summary>
    public Memory<byte> Payload { get; protected set; }

    /// <summary>The extensions at the end of the message (security contexts, supplementary groups); usually empty.</summary>
    public Memory<byte> Extensions { get; protected set; }

    /// <summary>Where the payload of the reply goes, header excluded: as long as the largest message of the session.</summary>
    public Memory<byte> ReplyBuffer { get; protected set; }

    /// <summary>
    /// Cancelled when the caller was interrupted by a signal. A request that can wait long should watch it and answer EINTR; an
    /// <see cref="OperationCanceledException"/> that follows from it is answered so too.
    /// </summary>
    public CancellationToken Interrupted
    {
        get
        {
            InterruptSource source = Volatile.Read(ref _interrupt) ?? MakeSource();
            // The fence orders publishing the source before looking for an interrupt that came earlier; TryInterrupt does the reverse.
            Interlocked.MemoryBarrier();
            if (Volatile.Read(ref _interruptedUnique) == source.Unique)
            {
                source.Cancel();
            }

            return source.Token;
        }
    }

    /// <summary>Whether an INTERRUPT for the request in this slot has come.</summary>
    internal bool IsInterrupted => Volatile.Read(ref _interruptedUnique) == Number;

    /// <summary>Whether the request has an entry in a journal.</summary>
    internal bool IsJournaled => _journal is not null;

    /// <summary>Whether a process before this one began the request and ended without an answer.</summary>
    internal bool MayHaveRun { get; private set; }

    /// <summary>What the file system has noted in the request's entry; 0 for nothing, or where there is none.</summary>
    internal ulong Note
    {
        get => _journal?.Note(_entry) ?? 0;
        set
        {
            if (_journal is not null)
            {
                Volatile.Write(ref _journal.Note(_entry), value);
            }
        }
    }

    /// <summary>Who is told of the request's answer; set by the session.</summary>
    internal IFuseObserver? Observer { get; set; }

    /// <summary>What counts and times the slot's requests, if anything does; set by the session.</summary>
    internal SlotMeter? Meter { get; set; }

    /// <summary>The session that knows this slot, so that interrupts find the request in it.</summary>
    internal object? Registered { get; set; }

    /// <summary>What the dispatcher waits with for a file system that does not answer at once; kept for the slot's next request.</summary>
    internal PendingReply? PendingReplies { get; set; }

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
        Answer(Errnos.Ok, Unsafe.SizeOf<T>());
    }

    /// <summary>Tells the slot's meter that from here on time is the file system's, not the session's.</summary>
    public void BeginService() => Meter?.Dispatched();

    /// <summary>Ends a request that takes no reply (FORGET, BATCH_FORGET, NOTIFY_REPLY, and INTERRUPT when it was delivered).</summary>
    public void Complete()
    {
        End();
        _ = Meter?.Answered(in _header, Errnos.Ok, 0);
        Recycle();
    }

    /// <summary>Has the answer recorded before it is sent.</summary>
    /// <param name="journal">Where.</param>
    /// <param name="entry">The request's entry.</param>
    /// <param name="mayHaveRun">Whether a process before this one made the entry.</param>
    internal void Enter(IRequestJournal journal, int entry, bool mayHaveRun)
    {
        _journal = journal;
        _entry = entry;
        MayHaveRun = mayHaveRun;
    }

    /// <summary>Splits the message behind its header into <see cref="Args"/>, <see cref="Payload"/> and <see cref="Extensions"/>.</summary>
    /// <param name="argsSize">Size of the opcode's fixed arguments in this session.</param>
    /// <returns>False if the message is too short for its opcode or its extensions.</returns>
    protected internal abstract bool TrySplit(int argsSize);

    /// <summary>Tells the request with this <paramref name="unique"/>, if it is in this slot, that its caller no longer waits.</summary>
    /// <returns>False if another request, or none, is here.</returns>
    internal bool TryInterrupt(ulong unique)
    {
        unique &= ~Protocol.UniqueResend;
        if (Volatile.Read(ref _state) != Pending || Number != unique)
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

    /// <summary>Ends the request with this <paramref name="unique"/> with an error, if it is still here and unanswered.</summary>
    internal void TryFail(ulong unique, Errno error)
    {
        if (_header.Unique != unique || !TryEnd())
        {
            return;
        }

        if (OpcodeTable.TakesReply(_header.Opcode))
        {
            SendObserved(error, 0);
        }
        else
        {
            _ = Meter?.Answered(in _header, error, 0);
            Recycle();
        }
    }

    /// <summary>Puts a message into the slot. The channel calls it before it hands the request out.</summary>
    protected void Begin(in InHeader header)
    {
        _header = header;
        Args = default;
        Payload = default;
        Extensions = default;
        _interruptedUnique = 0;
        _journal = null;
        MayHaveRun = false;
        Volatile.Write(ref _state, Pending);
        Meter?.Received(in _header);
    }

    /// <summary>Splits a message that came in one piece.</summary>
    /// <param name="body">What follows the header.</param>
    /// <param name="size">Bytes of arguments to take from the front; the extensions are taken from the back.</param>
    protected bool TrySplit(Memory<byte> body, int size)
    {
        int extensions = ExtensionsLength;
        if (body.Length < size + extensions)
        {
            return false;
        }

        Args = body[..size];
        Payload = body[size..(body.Length - extensions)];
        Extensions = body[(body.Length - extensions)..];
        return true;
    }

    /// <summary>Splits a message that came in two pieces, as an entry of a ring does.</summary>
    /// <param name="opHeader">Room for the arguments of any opcode.</param>
    /// <param name="payload">As much of the payload as the entry says there is.</param>
    /// <param name="size">Bytes of arguments.</param>
    protected bool TrySplit(Memory<byte> opHeader, Memory<byte> payload, int size)
    {
        if (OpcodeTable.ArgsLeadPayload(_header.Opcode))
        {
            return TrySplit(payload, size);
        }

        int extensions = ExtensionsLength;
        if (opHeader.Length < size || payload.Length < extensions)
        {
            return false;
        }

        Args = opHeader[..size];
        Payload = payload[..(payload.Length - extensions)];
        Extensions = payload[(payload.Length - extensions)..];
        return true;
    }

    /// <summary>Sends the answer to the kernel and then makes the slot free for the next message. Must not throw.</summary>
    /// <param name="error">0 or an errno, not negated.</param>
    /// <param name="length">Bytes of <see cref="ReplyBuffer"/> to send; 0 with an error.</param>
    protected abstract void Send(Errno error, int length);

    /// <summary>Makes the slot free for the next message without sending anything. Must not throw.</summary>
    protected abstract void Recycle();

    private int ExtensionsLength => _header.TotalExtlen * 8;

    /// <summary>The request's number whether or not it was sent again, as interrupts name it.</summary>
    private ulong Number => _header.Unique & ~Protocol.UniqueResend;

    private void Answer(Errno error, int length)
    {
        End();
        SendObserved(error, length);
    }

    private void SendObserved(Errno error, int length)
    {
        SlotMeter? meter = Meter;
        long ticket = meter?.Answered(in _header, error, length) ?? 0;
        try
        {
            Observer?.Replied(this, error, ReplyBuffer.Span[..length]);
        }
        finally
        {
            // Whatever becomes of its observer, the request is answered. With the answer the slot may go to another request.
            (IRequestJournal? journal, int entry) = (_journal, _entry);
            journal?.Record(entry, error, ReplyBuffer.Span[..length]);
            Send(error, length);
            journal?.End(entry);
            if (ticket != 0)
            {
                meter!.Sent(ticket);
            }
        }
    }

    private void End()
    {
        if (!TryEnd())
        {
            throw new InvalidOperationException($"Request {_header.Unique} ({_header.Opcode}) was answered twice.");
        }
    }

    private bool TryEnd()
    {
        if (Interlocked.Exchange(ref _state, Free) != Pending)
        {
            return false;
        }

        _interrupt = null;
        return true;
    }

    private InterruptSource MakeSource()
    {
        var made = new InterruptSource(Number);
        return Interlocked.CompareExchange(ref _interrupt, made, null) ?? made;
    }

    private sealed class InterruptSource(ulong unique) : CancellationTokenSource
    {
        public ulong Unique { get; } = unique;
    }
}
