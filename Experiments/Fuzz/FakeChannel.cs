using System.Runtime.InteropServices;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;

namespace Harness.Experiments.Fuzz;

/// <summary>A channel without a kernel: it hands messages to a session, in slots that it uses again once they are answered.</summary>
internal sealed class FakeChannel : IDisposable
{
    private readonly IRequestHandler _handler;
    private readonly RequestShape _shape;
    private readonly int _dataBytes;
    private readonly List<FakeRequest> _slots = [];

    /// <summary>A channel without slots yet.</summary>
    /// <param name="handler">Who gets the messages.</param>
    /// <param name="shape">How the slots are laid out.</param>
    /// <param name="dataBytes">Largest data of a message, and of a reply.</param>
    public FakeChannel(IRequestHandler handler, RequestShape shape, int dataBytes = 1 << 16)
    {
        _handler = handler;
        _shape = shape;
        _dataBytes = dataBytes;
    }

    /// <summary>What INIT agreed on, as far as the kernel's side lays out messages by it.</summary>
    public InitFlags Agreed { get; set; }

    /// <summary>Every slot there is.</summary>
    public IReadOnlyList<FakeRequest> Slots => _slots;

    /// <summary>Hands out one message in a slot that is free.</summary>
    /// <returns>The slot, which keeps the answer until a further message comes; null if the bytes are no message.</returns>
    public FakeRequest? TryDeliver(ReadOnlySpan<byte> message)
    {
        FakeRequest slot = Take();
        return TryDeliver(message, slot) ? slot : null;
    }

    /// <summary>Hands out one message in this slot.</summary>
    public bool TryDeliver(ReadOnlySpan<byte> message, FakeRequest slot)
    {
        if (!MemoryMarshal.TryRead(message, out InHeader header))
        {
            return false;
        }

        int argsSize = OpcodeTable.IsKnown(header.Opcode) ? OpcodeTable.ArgsSize(header.Opcode, Agreed) : 0;
        if (!slot.TryReceive(message, argsSize))
        {
            return false;
        }

        _handler.Handle(slot);
        return true;
    }

    /// <summary>Hands out one message that is one.</summary>
    public FakeRequest Deliver(ReadOnlySpan<byte> message) =>
        TryDeliver(message) ?? throw new ArgumentException("these bytes are no message", nameof(message));

    /// <summary>A slot that is free.</summary>
    public FakeRequest Take() => _slots.Find(slot => slot.IsFree) ?? Add();

    /// <summary>Makes a further slot.</summary>
    public FakeRequest Add()
    {
        var slot = FakeRequest.Create(_shape, _dataBytes);
        _slots.Add(slot);
        return slot;
    }

    /// <inheritdoc/>
    public void Dispose() => _slots.ForEach(slot => slot.Dispose());
}
