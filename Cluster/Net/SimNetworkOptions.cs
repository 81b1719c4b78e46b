namespace Harness.Cluster.Net;

/// <summary>How a simulated network behaves. The faults are off by default; a campaign changes them while the world runs.</summary>
internal sealed class SimNetworkOptions
{
    /// <summary>From one host to another. Default 20 µs, as within a rack.</summary>
    public long DelayNanoseconds { get; set; } = 20_000;

    /// <summary>At most so much more, drawn for each frame. Default 5 µs.</summary>
    public long JitterNanoseconds { get; set; } = 5_000;

    /// <summary>What a host's link carries. Default 1.25 GB/s: 10 Gbit Ethernet.</summary>
    public long BytesPerSecond { get; set; } = 1_250_000_000;

    /// <summary>CPU time that a loop spends to send or to receive one frame. Default 3 µs, near what a small message costs over loopback.</summary>
    public long FrameNanoseconds { get; set; } = 3_000;

    /// <summary>CPU time to send or receive one KiB of payload. Default 100 ns: a copy at 10 GB/s.</summary>
    public long KibibyteNanoseconds { get; set; } = 100;

    /// <summary>The chance that a frame is lost and sent again after <see cref="RetransmitNanoseconds"/>, which holds up all behind it.</summary>
    public double LossChance { get; set; }

    /// <summary>The chance that a frame arrives twice, as no TCP would let it, and as a retry over another connection does.</summary>
    public double DuplicateChance { get; set; }

    /// <summary>The chance that a frame overtakes the one before it.</summary>
    public double ReorderChance { get; set; }

    /// <summary>The chance that a connection breaks at a frame.</summary>
    public double ResetChance { get; set; }

    /// <summary>After so long a lost frame is sent again. Default 200 ms: Linux's least (tcp(7), TCP_RTO_MIN).</summary>
    public long RetransmitNanoseconds { get; set; } = 200_000_000;

    /// <summary>After so long a connect that nobody answers ends with ETIMEDOUT. Default 3 s.</summary>
    public long ConnectTimeoutNanoseconds { get; set; } = 3_000_000_000;
}
