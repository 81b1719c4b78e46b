using Harness.Experiments.Backends;
using Harness.Experiments.Plan;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Runtime;
using Harness.Transport.Mounting;

namespace Harness.Experiments.Mounting;

/// <summary>Everything that makes one mount: what is served, where, and with which knobs.</summary>
internal sealed record MountSpec
{
    /// <summary>What is served.</summary>
    public required Backend Backend { get; init; }

    /// <summary>The knobs that were set; the others have their defaults.</summary>
    public KnobSettings Knobs { get; init; } = KnobSettings.None;

    /// <summary>The directory to mount on.</summary>
    public required string MountPoint { get; init; }

    /// <summary>What the kernel is told before INIT.</summary>
    public MountOptions Kernel { get; init; } = new();

    /// <summary>Whether a supervisor keeps the mount through the death and the replacement of its daemon.</summary>
    public bool Keep { get; init; }

    /// <summary>Held back per request, to stand for a remote store.</summary>
    public TimeSpan Latency => Time(Plan.Knobs.Latency);

    /// <summary>Longest readahead, in bytes.</summary>
    public int MaxReadahead => (int)Knobs[Plan.Knobs.MaxReadahead].Number;

    /// <summary>The way into the kernel, by its name in the table of knobs; never <c>auto</c>.</summary>
    public string Channel => ChannelFactory.Choose(this);

    /// <summary>Where the channel's threads run.</summary>
    public Affinity Affinity => (Affinity)Knobs[Plan.Knobs.Affinity].Number;

    /// <summary>Entries of each ring.</summary>
    public int QueueDepth => (int)Knobs[Plan.Knobs.QueueDepth].Number;

    /// <summary>Threads that read requests.</summary>
    public int Threads => (int)Knobs[Plan.Knobs.Threads].Number;

    /// <summary>How long a thread asks for requests before it sleeps.</summary>
    public TimeSpan Spin => Time(Plan.Knobs.Spin);

    /// <summary>Largest data of one message, in bytes.</summary>
    public int MaxWrite => (int)Knobs[Plan.Knobs.MaxWrite].Number;

    /// <summary>How long the kernel may trust what it was told, and how it treats open files.</summary>
    public BackendOptions Options => new()
    {
        EntryTimeout = Time(Plan.Knobs.EntryTimeout),
        AttributeTimeout = Time(Plan.Knobs.AttrTimeout),
        NegativeTimeout = Time(Plan.Knobs.NegativeTimeout),
        OpenFlags = Flag(Plan.Knobs.DirectIo, FopenFlags.DirectIo) | Flag(Plan.Knobs.KeepCache, FopenFlags.KeepCache) |
            Flag(Plan.Knobs.CacheDir, FopenFlags.CacheDir) | Flag(Plan.Knobs.Noflush, FopenFlags.Noflush) |
            Flag(Plan.Knobs.ParallelDirectWrites, FopenFlags.ParallelDirectWrites),
    };

    /// <summary>Whether the kernel reads and writes the files of <c>passthrough</c> itself.</summary>
    public bool KernelPassthrough => Knobs[Plan.Knobs.KernelPassthrough].Number == 1;

    /// <summary>What INIT asks for.</summary>
    public SessionOptions Session => Plan.Knobs.InitFlagKnobs.Where(pair => Knobs.Has(pair.Value)).Aggregate(
        BasicSession, (options, pair) => options.With(pair.Key, Knobs[pair.Value].Number == 1));

    private SessionOptions BasicSession => new SessionOptions
    {
        MaxWrite = MaxWrite,
        MaxBackground = (ushort)Knobs[Plan.Knobs.MaxBackground].Number,
        CongestionThreshold = (ushort)Knobs[Plan.Knobs.CongestionThreshold].Number,
        MaxReadahead = MaxReadahead,
        DefaultPermissions = Kernel.DefaultPermissions,
        RequestTimeoutSeconds = (ushort)Time(Plan.Knobs.RequestTimeout).TotalSeconds,
    }.With(InitFlags.AsyncDio, Knobs[Plan.Knobs.AsyncDio].Number == 1).With(InitFlags.WritebackCache, Knobs[Plan.Knobs.Writeback].Number == 1)
        .With(InitFlags.OverIoUring, Channel == Plan.Knobs.IoUring);

    /// <summary>One line that says what was mounted.</summary>
    public string Describe(NegotiatedInit init)
    {
        string latency = Latency > TimeSpan.Zero ? $" + {Knobs[Plan.Knobs.Latency]}" : string.Empty;
        string queues = Channel == Plan.Knobs.IoUring
            ? $"{Topology.Current.Possible.Count} queues of {QueueDepth}"
            : $"{Threads} thread{(Threads == 1 ? string.Empty : "s")}";
        return $"mounted {Backend.MountArgument}{latency} on {MountPoint}{(Keep ? ", kept" : string.Empty)}: {Channel}, {queues}, " +
            $"FUSE {Protocol.Major}.{init.Minor}, max-write {Knobs[Plan.Knobs.MaxWrite]}, async-dio {OnOff(init.Has(InitFlags.AsyncDio))}, " +
            $"writeback {OnOff(init.Has(InitFlags.WritebackCache))}, max-background {init.MaxBackground}";
    }

    private TimeSpan Time(Knob knob) => TimeSpan.FromTicks(Knobs[knob].Number / TimeSpan.NanosecondsPerTick);

    private FopenFlags Flag(Knob knob, FopenFlags flag) => Knobs[knob].Number == 1 ? flag : FopenFlags.None;

    private static string OnOff(bool on) => on ? "on" : "off";
}
