using Harness.Experiments.Plan.Values;

namespace Harness.Experiments.Plan;

/// <summary>The knobs of what the kernel may keep, and of how it treats open files.</summary>
internal static partial class Knobs
{
    private const long TimeoutMax = 365L * 24 * 3600 * DurationKind.Second;

    public static Knob EntryTimeout { get; } = Timeout(
        "entry-timeout", "entry", "1s", "how long the kernel may use a name without a LOOKUP (fuse_entry_out.entry_valid)");

    public static Knob AttrTimeout { get; } = Timeout(
        "attr-timeout", "attr", "1s", "how long the kernel may use attributes without a GETATTR (fuse_attr_out.attr_valid)");

    public static Knob NegativeTimeout { get; } = Timeout(
        "negative-timeout", "neg", "0us", "how long the kernel may take a name for absent without a LOOKUP");

    public static Knob DirectIo { get; } = Switch(
        "direct-io", false, "FOPEN_DIRECT_IO: reads and writes of open files go past the page cache, whether or not the application asks for it");

    public static Knob KeepCache { get; } = Switch(
        "keep-cache", false, "FOPEN_KEEP_CACHE: opening a file does not drop what the page cache holds of it");

    public static Knob CacheDir { get; } = Switch(
        "cache-dir", false, "FOPEN_CACHE_DIR: the kernel keeps what READDIR returned and answers the next listing itself");

    public static Knob Noflush { get; } = Switch(
        "noflush", false, "FOPEN_NOFLUSH: closing a file sends no FLUSH, and with writeback does not write dirty pages");

    public static Knob ParallelDirectWrites { get; } = Switch(
        "parallel-direct-writes", true, "FOPEN_PARALLEL_DIRECT_WRITES: direct writes to one file that do not extend it go out side by side");

    public static Knob RequestTimeout { get; } = new()
    {
        Name = "request-timeout",
        Kind = ValueKind.Duration(0, 65_535 * DurationKind.Second, DurationKind.Second),
        Unit = "nanoseconds",
        Default = _ => new ScalarValue(0, DurationKind.Format(0)),
        Label = value => $"timeout {value}",
        Effect = "after this long without an answer to a request the kernel aborts the connection (fuse_init_out.request_timeout); 0 is never",
    };

    private static Knob Timeout(string name, string label, string otherwise, string effect) => new()
    {
        Name = name,
        Kind = ValueKind.Duration(0, TimeoutMax),
        Unit = "nanoseconds",
        Default = _ => ValueKind.Duration(0, TimeoutMax).Parse(otherwise),
        Label = value => $"{label} {value}",
        Effect = effect,
    };

    private static Knob Switch(string name, bool on, string effect) => new()
    {
        Name = name,
        Kind = ValueKind.Switch,
        Unit = "",
        Default = _ => new ScalarValue(on ? 1 : 0, on ? "on" : "off"),
        Label = value => value.Number == 1 ? name : $"no {name}",
        Effect = effect,
    };
}
