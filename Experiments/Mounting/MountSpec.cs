using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;

namespace Harness.Experiments.Mounting;

/// <summary>Everything that makes one mount: what is served, over which channel, with which knobs.</summary>
internal sealed record MountSpec
{
    /// <summary>What is served: <c>null</c> or <c>memory</c>.</summary>
    public string Backend { get; init; } = "memory";

    /// <summary>Held back per request, to stand for a remote store (default none).</summary>
    public TimeSpan Latency { get; init; }

    /// <summary>The way into the kernel.</summary>
    public string Channel { get; init; } = "dev-fuse";

    /// <summary>Threads that read requests.</summary>
    public int Threads { get; init; } = Math.Max(2, Environment.ProcessorCount);

    /// <summary>What INIT asks for.</summary>
    public SessionOptions Session { get; init; } = new();

    /// <summary>Where <c>rx</c>/<c>tx</c> lines go: a file, <c>-</c> for standard error, or null for nowhere.</summary>
    public string? Trace { get; init; }

    /// <summary>The directory to mount on.</summary>
    public required string MountPoint { get; init; }

    /// <summary>One line that says what was mounted.</summary>
    public string Describe(NegotiatedInit init) =>
        $"{Backend}{(Latency > TimeSpan.Zero ? $" + {Latency.TotalMicroseconds:0.###} µs" : string.Empty)} on {MountPoint}: {Channel}, " +
        $"{Threads} thread{(Threads == 1 ? string.Empty : "s")}, FUSE {Protocol.Major}.{init.Minor}, max_write {init.MaxWrite}, " +
        $"async-dio {OnOff(init.Has(InitFlags.AsyncDio))}, writeback {OnOff(init.Has(InitFlags.WritebackCache))}, " +
        $"max_background {init.MaxBackground}";

    private static string OnOff(bool on) => on ? "on" : "off";
}
