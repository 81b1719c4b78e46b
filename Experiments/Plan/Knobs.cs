using Harness.Experiments.Plan.Values;
using Harness.Transport.Simulated;

namespace Harness.Experiments.Plan;

/// <summary>The table of knobs. A new knob is one row here and one option of <c>harness mount</c>.</summary>
internal static partial class Knobs
{
    private const long PageBytes = 4096;

    // fs/fuse/sysctl.c bounds max_pages_limit by what fits into the 16 bits of fuse_init_out.max_pages.
    private const long MaxPagesMax = 65_535;

    /// <summary>The one of the following that is fastest on this machine.</summary>
    public const string Auto = "auto";

    /// <summary>One <c>/dev/fuse</c> descriptor, read by all threads.</summary>
    public const string DevFuse = "dev-fuse";

    /// <summary>A cloned descriptor for each thread.</summary>
    public const string Clone = "clone";

    /// <summary>FUSE over io_uring.</summary>
    public const string IoUring = "io-uring";

    /// <summary>The channels a mount can use.</summary>
    public static IReadOnlyList<string> Channels { get; } = [Auto, DevFuse, Clone, IoUring];

    /// <summary>The ways into the kernel that no released kernel has: what-if questions for a simulated world.</summary>
    public static IReadOnlyList<string> SimulatedChannels { get; } = [.. SimulatedMountOptions.QueueDesignNames.Except(Channels)];

    /// <summary>Where a channel's threads may run, in the order of <see cref="Runtime.Affinity"/>.</summary>
    public static IReadOnlyList<string> Affinities { get; } = ["none", "cpu", "numa", Auto];

    public static Knob Channel { get; } = new()
    {
        Name = "channel",
        Kind = ValueKind.Choice([.. Channels, .. SimulatedChannels]),
        Unit = "",
        Default = _ => new ScalarValue(0, Channels[0]),
        Label = value => value.Text,
        Effect = "how requests travel between kernel and daemon: auto, io-uring where the machine has it and no latency is added, else dev-fuse; "
            + "dev-fuse, one descriptor that all threads read; clone, a descriptor for each "
            + "thread with a processing queue of its own; io-uring, a queue for each CPU (Linux 6.14, enable_uring); "
            + "and in simulation global-lock, node-lock, cpu-lock-free and zero-copy",
    };

    public static Knob Affinity { get; } = new()
    {
        Name = "affinity",
        Kind = ValueKind.Choice([.. Affinities]),
        Unit = "",
        Default = _ => new ScalarValue((int)Runtime.Affinity.Auto, Auto),
        Label = value => $"aff {value}",
        Effect = "where the threads that take requests run: anywhere, on one CPU each, or on the CPUs of one NUMA node; their buffers lie on that node; auto, "
            + "on a ring's own CPU while applications wait for each request and anywhere while they do not, and anywhere on the other channels",
    };

    public static Knob QueueDepth { get; } = new()
    {
        Name = "queue-depth",
        Kind = ValueKind.Integer(1, 1024),
        Unit = "requests",
        Default = _ => new ScalarValue(8, "8"),
        Label = value => $"qd {value}",
        Effect = "entries of each io-uring queue, hence requests of one CPU that the daemon can hold; each takes memory for the largest message",
    };

    public static Knob Threads { get; } = new()
    {
        Name = "threads",
        Kind = ValueKind.Integer(1, 256),
        Unit = "threads",
        Default = _ => new ScalarValue(2, "2"),
        Label = value => $"{value} thr",
        Effect = "threads of the daemon that read requests from the channel; the kernel wakes one of them for each request",
    };

    public static Knob Spin { get; } = new()
    {
        Name = "spin",
        Kind = ValueKind.Duration(0, 10 * DurationKind.Second / 1000),
        Unit = "nanoseconds",
        Default = _ => new ScalarValue(50_000, DurationKind.Format(50_000)),
        Label = value => $"spin {value}",
        Effect = "nothing to the kernel: how long a thread that has nothing to do asks for requests before it sleeps, if that has paid lately; 0 turns it off",
    };

    /// <summary>Message size; the mount asks for as many <c>max_pages</c> as hold it, see <see cref="MaxPages"/>.</summary>
    public static Knob MaxWrite { get; } = new()
    {
        Name = "max-write",
        Kind = ValueKind.Size(PageBytes, MaxPagesMax * PageBytes, PageBytes),
        Unit = "bytes",
        // 256 pages of 4 KiB: the default of /proc/sys/fs/fuse/max_pages_limit, hence the most that needs no root.
        Default = _ => new ScalarValue(1 << 20, "1M"),
        Label = value => value.Text,
        Effect = "the most data in one READ or WRITE message (fuse_init_out.max_write and max_pages); above 1M the run raises "
            + "/proc/sys/fs/fuse/max_pages_limit, which needs root",
    };

    public static Knob AsyncDio { get; } = new()
    {
        Name = "async-dio",
        Kind = ValueKind.Switch,
        Unit = "",
        Default = _ => new ScalarValue(1, "on"),
        Label = value => value.Number == 1 ? "async" : "sync",
        Effect = "FUSE_ASYNC_DIO: the messages of direct I/O go out without waiting for each other, from one large call and from aio alike",
    };

    public static Knob Writeback { get; } = new()
    {
        Name = "writeback",
        Kind = ValueKind.Switch,
        Unit = "",
        Default = _ => new ScalarValue(0, "off"),
        Label = value => value.Number == 1 ? "writeback" : "through",
        Effect = "FUSE_WRITEBACK_CACHE: buffered writes end in the page cache, which sends them later, merged; off, each write is a "
            + "message",
    };

    public static Knob KernelPassthrough { get; } = new()
    {
        Name = "kernel-passthrough",
        Kind = ValueKind.Switch,
        Unit = "",
        Default = _ => new ScalarValue(0, "off"),
        Label = value => value.Number == 1 ? "kernel-pass" : "messages",
        Effect = "FUSE_PASSTHROUGH: the kernel reads and writes the files of backend passthrough itself, without a message (Linux 6.9, root; not "
            + "with writeback)",
    };

    public static Knob MaxBackground { get; } = new()
    {
        Name = "max-background",
        Kind = ValueKind.Integer(1, 65_535),
        Unit = "requests",
        // Twice what a deep aio queue usually holds. The kernel's own 12 (FUSE_DEFAULT_MAX_BACKGROUND in fs/fuse/inode.c) dates from disks: libaio at
        // depth 32 with 100 µs a request gets 74 K IOPS from it, and 103 K from 32.
        Default = _ => new ScalarValue(64, "64"),
        Label = value => $"bg {value}",
        Effect = "asynchronous requests (readahead, writeback, aio) that the daemon may hold at once; more wait in the kernel",
    };

    public static Knob CongestionThreshold { get; } = new()
    {
        Name = "congestion-threshold",
        Kind = ValueKind.Integer(1, 65_535),
        Unit = "requests",
        // The kernel's own ratio, FUSE_DEFAULT_CONGESTION_THRESHOLD in fs/fuse/inode.c.
        Default = settings => ThreeQuarters(settings[MaxBackground].Number),
        Label = value => $"cong {value}",
        Effect = "from this many background requests on, readahead and unforced writeback hold back; three quarters of max-background "
            + "unless set",
    };

    public static Knob MaxReadahead { get; } = new()
    {
        Name = "max-readahead",
        // The kernel offers its own readahead (VM_READAHEAD_PAGES, 128 KiB) at INIT and takes the smaller of the two
        // (process_init_reply in fs/fuse/inode.c); more than that is written to the mount's read_ahead_kb afterwards.
        Kind = ValueKind.Size(0, MaxPagesMax * PageBytes, PageBytes),
        Unit = "bytes",
        Default = _ => new ScalarValue(128 << 10, "128K"),
        Label = value => $"ra {value}",
        Effect = "how far the kernel reads ahead of a sequential buffered reader (fuse_init_out.max_readahead); above 128K also the "
            + "read_ahead_kb of the mount, which needs root",
    };

    public static Knob Latency { get; } = new()
    {
        Name = "latency",
        Kind = ValueKind.Duration(0, 60 * DurationKind.Second),
        Unit = "nanoseconds",
        Default = _ => new ScalarValue(0, DurationKind.Format(0)),
        Label = value => value.Text,
        Effect = "nothing to the kernel: the backend answers each request that much later, as a remote store would",
    };

    /// <summary>The <c>max_pages</c> that a message size needs (fuse_init_out.max_pages), in pages of 4 KiB.</summary>
    public static int MaxPages(KnobSettings settings) => (int)(settings[MaxWrite].Number / PageBytes);

    private static ScalarValue ThreeQuarters(long requests)
    {
        long threshold = Math.Max(1, requests * 3 / 4);
        return CongestionThreshold.Kind.Parse($"{threshold}");
    }
}
