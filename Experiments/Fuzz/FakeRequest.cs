using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Experiments.Fuzz;

/// <summary>How a channel lays out a message and its reply.</summary>
internal enum RequestShape
{
    /// <summary>As a read of the device: one piece, with the reply over all of it but header and short arguments.</summary>
    Device,

    /// <summary>As an entry of a ring: header, arguments, and a payload that the reply goes over.</summary>
    Ring,

    /// <summary>One piece and the reply elsewhere, each ending where accessible memory ends.</summary>
    Apart,
}

/// <summary>A slot without a kernel: it is given messages, and keeps what it is answered.</summary>
internal abstract class FakeRequest : FuseRequest, IDisposable
{
    private bool _received;
    private int _replies;
    private int _completions;

    /// <summary>Replies to the message that is here now. More than one would be an error of the code under test.</summary>
    public int Replies => Volatile.Read(ref _replies);

    /// <summary>How often the message that is here now was ended without a reply.</summary>
    public int Completions => Volatile.Read(ref _completions);

    /// <summary>Whether the message that is here now has been answered or ended.</summary>
    public bool IsEnded => Replies + Completions > 0;

    /// <summary>Whether another message may be put here.</summary>
    public bool IsFree => !_received || IsEnded;

    /// <summary>The error of the reply.</summary>
    public Errno Error { get; private set; }

    /// <summary>Bytes of the reply's payload.</summary>
    public int ReplyLength { get; private set; }

    /// <summary>The reply as the kernel would get it, header and payload.</summary>
    public byte[] ReplyBytes
    {
        get
        {
            var header = new OutHeader { Len = (uint)(OutHeader.Size + ReplyLength), Error = -(int)Error, Unique = Header.Unique };
            return [.. MemoryMarshal.AsBytes(new ReadOnlySpan<OutHeader>(in header)), .. ReplyBuffer.Span[..ReplyLength]];
        }
    }

    /// <summary>Whether nobody wrote outside the slot's buffers.</summary>
    public abstract bool IsIntact { get; }

    /// <summary>Makes a slot.</summary>
    /// <param name="shape">Its layout.</param>
    /// <param name="dataBytes">Largest data of a message, and of a reply.</param>
    public static FakeRequest Create(RequestShape shape, int dataBytes) => shape switch
    {
        RequestShape.Device => new FakeDeviceRequest(dataBytes),
        RequestShape.Ring => new FakeRingRequest(dataBytes),
        _ => new FakeApartRequest(dataBytes),
    };

    /// <summary>Puts a message into the slot, as a channel does when the kernel has written it there.</summary>
    /// <param name="message">Header and all.</param>
    /// <param name="argsSize">Where a ring cuts the message in two: the size of its opcode's arguments.</param>
    /// <returns>False if it is none: too short or too long, or its length is not what its header says.</returns>
    public bool TryReceive(ReadOnlySpan<byte> message, int argsSize)
    {
        if (!MemoryMarshal.TryRead(message, out InHeader header) || header.Len != message.Length || !TryPlace(message, argsSize))
        {
            return false;
        }

        _received = true;
        _replies = 0;
        _completions = 0;
        Error = Errnos.Ok;
        ReplyLength = 0;
        Begin(in header);
        return true;
    }

    /// <summary>Whether memory lies within the message that is here now.</summary>
    public abstract bool HoldsInput(ReadOnlyMemory<byte> memory);

    /// <summary>Whether memory lies within the buffer for the reply.</summary>
    public bool HoldsReply(ReadOnlyMemory<byte> memory) => IsWithin(memory, ReplyBuffer);

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>Copies a message to where the kernel would put it.</summary>
    protected abstract bool TryPlace(ReadOnlySpan<byte> message, int argsSize);

    /// <summary>Whether the one lies within the other. Memory of any length lies somewhere, but none of no bytes is outside of anything.</summary>
    protected static bool IsWithin(ReadOnlyMemory<byte> inner, ReadOnlyMemory<byte> outer)
    {
        if (inner.IsEmpty)
        {
            return true;
        }

        nint offset = Unsafe.ByteOffset(ref MemoryMarshal.GetReference(outer.Span), ref MemoryMarshal.GetReference(inner.Span));
        return offset >= 0 && offset + inner.Length <= outer.Length;
    }

    /// <inheritdoc/>
    protected override void Send(Errno error, int length)
    {
        Error = error;
        ReplyLength = length;
        Interlocked.Increment(ref _replies);
    }

    /// <inheritdoc/>
    protected override void Recycle() => Interlocked.Increment(ref _completions);
}
