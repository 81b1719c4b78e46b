using Harness.FuseProtocol;
using Harness.Transport.Simulated.Requests;
using Mono.Unix.Native;

namespace Harness.Transport.Simulated.Channels;

/// <summary>A request in the daemon's memory, from the simulated kernel to the answer.</summary>
/// <remarks>As in the real slots, the reply lies over the payload, so that a file system which relies on more is found in simulation too.</remarks>
internal sealed class SimulatedSlot : FuseRequest
{
    private readonly SimulatedReader _reader;
    private readonly byte[] _message;
    private int _bodyLength;

    public SimulatedSlot(SimulatedReader reader, int messageBytes)
    {
        _reader = reader;
        _message = new byte[messageBytes];
        ReplyBuffer = _message;
    }

    /// <summary>The kernel's side of it; null once there is nothing to answer.</summary>
    public KernelRequest? Request { get; private set; }

    /// <summary>What it was answered with.</summary>
    public Errno Error { get; private set; }

    /// <summary>Bytes of the reply buffer that the answer has.</summary>
    public int Length { get; private set; }

    /// <summary>Whether the handler is done with it.</summary>
    public bool IsAnswered { get; private set; }

    /// <summary>Whether an answer is to be sent; FORGET has none.</summary>
    public bool HasReply { get; private set; }

    public ReadOnlyMemory<byte> Answer => _message.AsMemory(0, Length);

    public void Load(KernelRequest request)
    {
        Request = request;
        IsAnswered = HasReply = false;
        Length = 0;
        _bodyLength = request.CopyBody(_message);
        Begin(in request.Header);
    }

    protected override bool TrySplit(int argsSize) => TrySplit(_message.AsMemory(0, _bodyLength), argsSize);

    protected override void Send(Errno error, int length)
    {
        HasReply = true;
        Error = error;
        Length = length;
        Recycle();
    }

    protected override void Recycle()
    {
        IsAnswered = true;
        _reader.Answered(this);
    }
}
