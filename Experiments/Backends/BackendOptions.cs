using Harness.FuseProtocol.Wire;

namespace Harness.Experiments.Backends;

/// <summary>What every backend lets the mount choose: how long the kernel may trust what it was told, and how it treats open files.</summary>
internal sealed record BackendOptions
{
    /// <summary>How long the kernel may use a name without asking again (default 1 s, as libfuse's <c>entry_timeout</c>).</summary>
    public TimeSpan EntryTimeout
    {
        get;
        init => field = NotNegative(value);
    } = TimeSpan.FromSeconds(1);

    /// <summary>How long the kernel may use attributes without asking again (default 1 s, as libfuse's <c>attr_timeout</c>).</summary>
    public TimeSpan AttributeTimeout
    {
        get;
        init => field = NotNegative(value);
    } = TimeSpan.FromSeconds(1);

    /// <summary>How long the kernel may take a name for absent (default 0: each miss is asked again, as libfuse's <c>negative_timeout</c>).</summary>
    public TimeSpan NegativeTimeout
    {
        get;
        init => field = NotNegative(value);
    } = TimeSpan.Zero;

    /// <summary>How the kernel shall treat each open file (default: several direct writers to one file at once).</summary>
    public FopenFlags OpenFlags { get; init; } = FopenFlags.ParallelDirectWrites;

    /// <summary>Owner of what the backend makes on its own account, such as the root directory (default 0).</summary>
    public uint Uid { get; init; }

    /// <summary>Group of what the backend makes on its own account (default 0).</summary>
    public uint Gid { get; init; }

    /// <summary>The reply that makes a node known under a name.</summary>
    public EntryOut Entry(ulong nodeId, ulong generation, in Attr attr) => new()
    {
        Nodeid = nodeId,
        Generation = generation,
        EntryValid = Seconds(EntryTimeout),
        EntryValidNsec = Nanoseconds(EntryTimeout),
        AttrValid = Seconds(AttributeTimeout),
        AttrValidNsec = Nanoseconds(AttributeTimeout),
        Attr = attr,
    };

    /// <summary>The reply that lets the kernel remember that a name is absent.</summary>
    public EntryOut NegativeEntry() => new()
    {
        EntryValid = Seconds(NegativeTimeout),
        EntryValidNsec = Nanoseconds(NegativeTimeout),
    };

    /// <summary>The reply that tells attributes.</summary>
    public AttrOut Attributes(in Attr attr) => new()
    {
        AttrValid = Seconds(AttributeTimeout),
        AttrValidNsec = Nanoseconds(AttributeTimeout),
        Attr = attr,
    };

    /// <summary>The reply that tells attributes as statx(2) wants them.</summary>
    public StatxOut Attributes(in Statx stat) => new()
    {
        AttrValid = Seconds(AttributeTimeout),
        AttrValidNsec = Nanoseconds(AttributeTimeout),
        Stat = stat,
    };

    /// <summary>The reply that opens a file.</summary>
    public OpenOut OpenedFile(ulong fh) => new() { Fh = fh, OpenFlags = OpenFlags };

    /// <summary>The reply that opens a directory, for which only the caching flags have a meaning.</summary>
    public OpenOut OpenedDirectory(ulong fh) => new() { Fh = fh, OpenFlags = OpenFlags & (FopenFlags.CacheDir | FopenFlags.KeepCache) };

    private static ulong Seconds(TimeSpan time) => (ulong)(time.Ticks / TimeSpan.TicksPerSecond);

    private static uint Nanoseconds(TimeSpan time) => (uint)(time.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick);

    private static TimeSpan NotNegative(TimeSpan value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
        return value;
    }
}
