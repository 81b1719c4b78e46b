using Harness.FuseProtocol.Wire;

namespace Harness.FuseProtocol;

/// <summary>What this side asks for in INIT. What the kernel grants is in <see cref="NegotiatedInit"/>.</summary>
public sealed partial record SessionOptions
{
    /// <summary>Smallest message, one page: the kernel allows no smaller <see cref="MaxWrite"/>.</summary>
    public const int MaxWriteMin = 4096;

    /// <summary>Size of a page, in which <c>max_pages</c> counts.</summary>
    public const int PageSize = 4096;

    /// <summary>Most pages a message can have: <c>max_pages</c> has 16 bits, and so has <c>/proc/sys/fs/fuse/max_pages_limit</c>.</summary>
    public const int MaxPagesMax = ushort.MaxValue;

    /// <summary>Deepest stack of file systems that the kernel allows (<c>FILESYSTEM_MAX_STACK_DEPTH</c>, include/linux/fs.h).</summary>
    public const int MaxStackDepthMax = 2;

    /// <summary>Coarsest granularity of times that the kernel takes: one second, in nanoseconds.</summary>
    public const uint TimeGranMax = 1_000_000_000;

    /// <summary>
    /// Largest data of one READ or WRITE, in bytes, a multiple of a page (default 1 MiB). Sent as <c>max_write</c> and, in pages, as
    /// <c>max_pages</c>, which the kernel cuts down to <c>/proc/sys/fs/fuse/max_pages_limit</c>.
    /// </summary>
    public int MaxWrite { get; init; } = 1 << 20;

    /// <summary>Longest readahead in bytes; the kernel takes the smaller of this and its own (default: as much as a message holds).</summary>
    public int? MaxReadahead { get; init; }

    /// <summary>
    /// Requests that nobody waits for (readahead, writeback, asynchronous direct I/O) which the kernel keeps in flight at once (default 64; the
    /// kernel's own default is 12).
    /// </summary>
    public ushort MaxBackground { get; init; } = 64;

    /// <summary>Requests in flight above which the device counts as congested and readahead holds back (default: 3/4 of the above).</summary>
    public ushort? CongestionThreshold { get; init; }

    /// <summary>Granularity of times, in nanoseconds (default 1).</summary>
    public uint TimeGran { get; init; } = 1;

    /// <summary>Seconds after which the kernel aborts the connection if a request is not answered (default 0: never).</summary>
    public ushort RequestTimeoutSeconds { get; init; }

    /// <summary>How deep file systems under passthrough may be stacked (default 1; at least 1 where PASSTHROUGH is wanted).</summary>
    public uint MaxStackDepth { get; init; } = 1;

    /// <summary>
    /// Whether the mount has <c>default_permissions</c>, so that the kernel checks modes and owners itself (default yes). The session tells
    /// the kernel nothing by this; ALLOW_IDMAP depends on it.
    /// </summary>
    public bool DefaultPermissions { get; init; } = true;

    /// <summary>Flags asked for besides the file system's own.</summary>
    public InitFlags Enabled { get; init; } = Default;

    /// <summary>Flags not asked for, even if they are enabled above or the file system wants them.</summary>
    public InitFlags Disabled { get; init; }

    /// <summary>What costs nothing and helps every file system.</summary>
    public static InitFlags Default =>
        InitFlags.AsyncRead | InitFlags.AsyncDio | InitFlags.BigWrites | InitFlags.MaxPages | InitFlags.ParallelDirops | InitFlags.InitExt;

    /// <summary>The same options with one flag switched on or off; null leaves it as it is.</summary>
    public SessionOptions With(InitFlags flag, bool? on) => on switch
    {
        null => this,
        true => this with { Enabled = Enabled | flag, Disabled = Disabled & ~flag },
        false => this with { Enabled = Enabled & ~flag, Disabled = Disabled | flag },
    };
}
