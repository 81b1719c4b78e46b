using Harness.FuseProtocol;
using Harness.Simulation.Scheduling;
using Mono.Unix.Native;

namespace Harness.Cluster.Net;

/// <summary>One end of a simulated connection. What it sends goes into its <see cref="SimLink"/>.</summary>
internal sealed class SimConnection : IConnection
{
    private const long BytesQueuedMax = 64 << 20;

    private readonly SimHost _host;
    private readonly SimLoop _loop;
    private readonly Queue<SimFrame> _early = new();
    private SimLink _out = null!;
    private IFrameSink? _sink;
    private string? _closeReason;
    private bool _abandoned;

    internal SimConnection(SimHost host, SimLoop loop, NodeAddress remote)
    {
        (_host, _loop, Remote) = (host, loop, remote);
        host.Add(this);
    }

    /// <inheritdoc/>
    public NodeAddress Remote { get; }

    /// <inheritdoc/>
    public bool IsOpen => _closeReason is null && !_abandoned;

    /// <inheritdoc/>
    public long FramesQueued { get; private set; }

    /// <inheritdoc/>
    public long FramesSent { get; internal set; }

    internal SimHost Host => _host;

    /// <summary>Whether nothing can come of it any more.</summary>
    internal bool IsDone => !IsOpen;

    /// <inheritdoc/>
    public void Start(IFrameSink sink)
    {
        _sink = sink;
        if (_early.Count > 0)
        {
            _loop.Post(_ => DeliverEarly(), null);
        }
    }

    /// <inheritdoc/>
    public Errno Send(in FrameHeader header, ReadOnlySpan<byte> body, in Payload payload)
    {
        if (!IsOpen)
        {
            return Errno.ENOTCONN;
        }

        if (_out.BytesQueued > 0 && _out.BytesQueued + payload.Bytes.Length > BytesQueuedMax)
        {
            return Errno.EAGAIN;
        }

        var head = new byte[FrameHeader.HeaderBytes + body.Length];
        FrameCodec.Write(header, body, payload, head);
        ChargeFor(payload.Bytes.Length);
        FramesQueued++;
        _out.Send(new SimFrame(head, payload), _loop.ChargedUntilWorldNanoseconds);
        return Errnos.Ok;
    }

    /// <summary>Sends bytes as they are, whether they are a frame or not.</summary>
    internal void SendRaw(byte[] head, byte[] payload)
    {
        if (IsOpen)
        {
            _out.Send(new SimFrame(head, new Payload(payload)), _loop.ChargedUntilWorldNanoseconds);
        }
    }

    /// <inheritdoc/>
    public void Close(string reason)
    {
        if (IsOpen)
        {
            _closeReason = reason;
            _out.Close("the peer has closed the connection");
            _loop.Post(_ => _sink?.OnClosed(reason), null);
        }
    }

    internal void Join(SimConnection other)
    {
        _out = new SimLink(this, other);
        other._out = new SimLink(other, this);
    }

    /// <summary>The process has died.</summary>
    internal void Abandon()
    {
        if (IsOpen)
        {
            _abandoned = true;
            _out.Close("the connection was reset");
        }
    }

    /// <summary>The network breaks the connection.</summary>
    internal void Reset()
    {
        Receive(new SimFrame(null, default) { CloseReason = "the connection was reset" });
        _out.Close("the connection was reset");
    }

    /// <summary>A frame has come through the network.</summary>
    internal void Receive(SimFrame frame)
    {
        if (!_loop.IsStopped && IsOpen)
        {
            _loop.Post(static state => { var (end, what) = ((SimConnection, SimFrame))state!; end.Deliver(what); }, (this, frame));
        }
    }

    private void DeliverEarly()
    {
        while (_early.TryDequeue(out SimFrame? frame))
        {
            Take(frame);
        }
    }

    private void Deliver(SimFrame frame)
    {
        if (_sink is null || _early.Count > 0)
        {
            _early.Enqueue(frame);
            return;
        }

        Take(frame);
    }

    private void Take(SimFrame frame)
    {
        if (!IsOpen)
        {
            return;
        }

        if (frame.CloseReason is string reason)
        {
            _closeReason = reason;
            _out.Close("the connection was reset");
            _sink!.OnClosed(reason);
            return;
        }

        ChargeFor(frame.Bytes.Length);
        string? wrong = FrameCodec.TryRead(frame.Head, out FrameHeader header, out int taken);
        if (wrong is not null || taken == 0)
        {
            Close(wrong ?? "a frame was cut short");
            return;
        }

        Memory<byte> target = _sink!.OnHead(header, frame.Head.AsSpan(FrameHeader.HeaderBytes));
        if (IsOpen)
        {
            frame.Bytes.AsSpan(0, Math.Min(frame.Bytes.Length, target.Length)).CopyTo(target.Span);
            _sink.OnFrame();
        }
    }

    private void ChargeFor(int bytes)
    {
        if (_loop.IsCurrent)
        {
            SimNetworkOptions options = _host.Network.Options;
            _loop.Charge(options.FrameNanoseconds + (bytes / 1024 * options.KibibyteNanoseconds));
        }
    }
}
