namespace Harness.Cluster.Net;

/// <summary>A frame under way.</summary>
internal sealed class SimFrame(byte[]? head, Payload payload)
{
    /// <summary>Header and body as they travel.</summary>
    public byte[] Head { get; } = head ?? [];

    /// <summary>What the sender's memory holds until the frame leaves.</summary>
    public Payload Payload { get; set; } = payload;

    /// <summary>The payload's bytes, from the moment the frame has left.</summary>
    public byte[] Bytes { get; set; } = [];

    /// <summary>When it arrives.</summary>
    public long Arrival { get; set; }

    /// <summary>Set on the last frame of a connection.</summary>
    public string? CloseReason { get; init; }
}

/// <summary>
/// One direction of a connection: frames leave when the sender's link is free, and arrive in order, unless the network is told to misbehave.
/// </summary>
internal sealed class SimLink(SimConnection from, SimConnection to)
{
    private readonly SimNetwork _network = from.Host.Network;
    private readonly ulong _number = from.Host.Network.NextLink();
    private readonly Queue<SimFrame> _leaving = new();
    private readonly List<SimFrame> _travelling = [];
    private bool _closed;
    private bool _pumping;
    private long _lastArrival;

    /// <summary>Payload bytes that have not left yet.</summary>
    public long BytesQueued { get; private set; }

    /// <summary>Sends a frame at the world's time <paramref name="at"/>, or when the link is free.</summary>
    public void Send(SimFrame frame, long at)
    {
        int length = frame.Head.Length + frame.Payload.Bytes.Length;
        long leaves = Math.Max(at, from.Host.LinkBusyUntil) + (length * 1_000_000_000L / _network.Options.BytesPerSecond);
        from.Host.LinkBusyUntil = leaves;
        BytesQueued += frame.Payload.Bytes.Length;
        _leaving.Enqueue(frame);
        _network.World.Schedule(leaves, SimNetwork.Event, _number, static state => ((SimLink)state!).Leave(), this);
    }

    /// <summary>What has not left is lost; what has still arrives, and then the end.</summary>
    public void Close(string reason)
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        while (_leaving.TryDequeue(out SimFrame? frame))
        {
            frame.Payload.Release();
        }

        BytesQueued = 0;
        Travel(new SimFrame(null, default) { CloseReason = reason });
    }

    private void Leave()
    {
        if (!_leaving.TryDequeue(out SimFrame? frame))
        {
            return;
        }

        // Only now are the bytes taken: who changes them before sends what he has changed them to.
        frame.Bytes = frame.Payload.Bytes.ToArray();
        BytesQueued -= frame.Bytes.Length;
        frame.Payload.Release();
        frame.Payload = default;
        from.FramesSent++;
        SimNetworkOptions options = _network.Options;
        if (_network.Random.Chance(options.ResetChance))
        {
            from.Reset();
            return;
        }

        Travel(frame);
        if (_network.Random.Chance(options.DuplicateChance))
        {
            Travel(new SimFrame(frame.Head, default) { Bytes = frame.Bytes });
        }

        if (_travelling.Count > 1 && _network.Random.Chance(options.ReorderChance))
        {
            (_travelling[^1], _travelling[^2]) = (_travelling[^2], _travelling[^1]);
        }
    }

    private void Travel(SimFrame frame)
    {
        SimNetworkOptions options = _network.Options;
        long arrival = _network.World.NowNanoseconds + _network.DrawDelay();
        if (_network.Random.Chance(options.LossChance))
        {
            arrival += options.RetransmitNanoseconds;
        }

        _lastArrival = frame.Arrival = Math.Max(_lastArrival, arrival);
        _travelling.Add(frame);
        Pump();
    }

    private void Pump()
    {
        if (!_pumping && _travelling.Count > 0)
        {
            _pumping = true;
            _network.World.Schedule(_travelling[0].Arrival, SimNetwork.Event, _number, static state => ((SimLink)state!).Arrive(), this);
        }
    }

    private void Arrive()
    {
        _pumping = false;
        if (_network.IsCut(from.Host.Name, to.Host.Name))
        {
            _travelling[0].Arrival = _network.World.NowNanoseconds + _network.Options.RetransmitNanoseconds;
        }
        else
        {
            SimFrame frame = _travelling[0];
            _travelling.RemoveAt(0);
            to.Receive(frame);
        }

        Pump();
    }
}
