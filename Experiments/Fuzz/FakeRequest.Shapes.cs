using System.Runtime.InteropServices;
using Harness.FuseProtocol.Wire;
using Harness.Runtime.Native;

namespace Harness.Experiments.Fuzz;

/// <summary>
/// One buffer for both ways, as Transport's DevFuseSlot has it: the message begins 80 bytes before the reply's payload, so that the data of
/// a WRITE and of a READ lie on the same page.
/// </summary>
internal sealed class FakeDeviceRequest : FakeRequest
{
    private const int HeadBytes = 80;

    private readonly GuardedBuffer _buffer;
    private Memory<byte> _message;

    public FakeDeviceRequest(int dataBytes)
    {
        _buffer = new GuardedBuffer(HeadBytes + dataBytes);
        ReplyBuffer = _buffer.Memory[HeadBytes..];
    }

    /// <inheritdoc/>
    public override bool IsIntact => _buffer.IsIntact;

    /// <inheritdoc/>
    public override bool HoldsInput(ReadOnlyMemory<byte> memory) => IsWithin(memory, _message);

    /// <inheritdoc/>
    public override void Dispose() => ((IDisposable)_buffer).Dispose();

    /// <inheritdoc/>
    protected override bool TryPlace(ReadOnlySpan<byte> message, int argsSize)
    {
        if (message.Length > _buffer.Memory.Length)
        {
            return false;
        }

        _message = _buffer.Memory[..message.Length];
        message.CopyTo(_message.Span);
        return true;
    }

    /// <inheritdoc/>
    protected override bool TrySplit(int argsSize) => TrySplit(_message[InHeader.Size..], argsSize);
}

/// <summary>An entry of a ring (<c>struct fuse_uring_req_header</c>), whose reply goes over its payload.</summary>
internal sealed class FakeRingRequest : FakeRequest
{
    private const int OpHeaderOffset = 128;
    private const int OpHeaderBytes = 128;

    private readonly GuardedBuffer _header = new(UringReqHeader.Size);
    private readonly GuardedBuffer _payload;
    private int _payloadBytes;

    public FakeRingRequest(int dataBytes)
    {
        _payload = new GuardedBuffer(dataBytes);
        ReplyBuffer = _payload.Memory;
    }

    /// <inheritdoc/>
    public override bool IsIntact => _header.IsIntact && _payload.IsIntact;

    private Memory<byte> OpHeader => _header.Memory.Slice(OpHeaderOffset, OpHeaderBytes);

    /// <inheritdoc/>
    public override bool HoldsInput(ReadOnlyMemory<byte> memory) => IsWithin(memory, _payload.Memory[.._payloadBytes]);

    /// <inheritdoc/>
    public override void Dispose()
    {
        ((IDisposable)_header).Dispose();
        ((IDisposable)_payload).Dispose();
    }

    /// <inheritdoc/>
    protected override bool TryPlace(ReadOnlySpan<byte> message, int argsSize)
    {
        ReadOnlySpan<byte> body = message[InHeader.Size..];
        int opHeaderBytes = HasOpHeader(message) ? argsSize : 0;
        if (body.Length < opHeaderBytes || body.Length - opHeaderBytes > _payload.Memory.Length)
        {
            // Arguments that are too short cannot come by a ring, where there is always room for those of any opcode.
            return false;
        }

        ReadOnlySpan<byte> payload = body[opHeaderBytes..];

        // What an earlier message left behind the arguments stays there on a real ring.
        message[..InHeader.Size].CopyTo(_header.Memory.Span);
        body[..opHeaderBytes].CopyTo(OpHeader.Span);
        payload.CopyTo(_payload.Memory.Span);
        _payloadBytes = payload.Length;
        return true;
    }

    /// <inheritdoc/>
    protected override bool TrySplit(int argsSize) => TrySplit(OpHeader, _payload.Memory[.._payloadBytes], argsSize);

    // The kernel gives NOTIFY_REPLY and REMOVEMAPPING an empty first argument (fs/fuse/dev.c, fuse_retrieve; fs/fuse/dax.c).
    private static bool HasOpHeader(ReadOnlySpan<byte> message) =>
        MemoryMarshal.Read<InHeader>(message).Opcode is not (Opcode.NotifyReply or Opcode.Removemapping);
}

/// <summary>A message in one piece at the very end of accessible memory, so that reading past it ends the process.</summary>
internal sealed class FakeApartRequest : FakeRequest
{
    private const int HeadBytes = 512;

    private readonly GuardedBuffer _input;
    private readonly GuardedBuffer _reply;
    private Memory<byte> _message;

    public FakeApartRequest(int dataBytes)
    {
        _input = new GuardedBuffer(HeadBytes + dataBytes);
        _reply = new GuardedBuffer(dataBytes);
        ReplyBuffer = _reply.Memory;
    }

    /// <inheritdoc/>
    public override bool IsIntact =>
        _input.IsIntact && _reply.IsIntact &&
        !_input.Memory.Span[..^_message.Length].ContainsAnyExcept(GuardedBuffer.Canary);

    /// <inheritdoc/>
    public override bool HoldsInput(ReadOnlyMemory<byte> memory) => IsWithin(memory, _message);

    /// <inheritdoc/>
    public override void Dispose()
    {
        ((IDisposable)_input).Dispose();
        ((IDisposable)_reply).Dispose();
    }

    /// <inheritdoc/>
    protected override bool TryPlace(ReadOnlySpan<byte> message, int argsSize)
    {
        if (message.Length > _input.Memory.Length)
        {
            return false;
        }

        _input.Memory.Span[..^message.Length].Fill(GuardedBuffer.Canary);
        _message = _input.Memory[^message.Length..];
        message.CopyTo(_message.Span);
        return true;
    }

    /// <inheritdoc/>
    protected override bool TrySplit(int argsSize) => TrySplit(_message[InHeader.Size..], argsSize);
}
