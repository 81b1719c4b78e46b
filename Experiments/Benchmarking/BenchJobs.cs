using Harness.Experiments.Plan.Workloads;

namespace Harness.Experiments.Benchmarking;

/// <summary>fio's jobs, the same for every contender. All are direct, and each job has a file of its own.</summary>
internal static class BenchJobs
{
    private const string Jobs = "numjobs";

    // A daemon that was just started compiles its hot path in the first half second under load, however long is measured then; that is not what is asked for.
    private static readonly TimeSpan s_ramp = TimeSpan.FromMilliseconds(500);

    /// <summary>The jobs, in the order of tables.</summary>
    /// <param name="runtime">The measured time of each, in whole microseconds.</param>
    public static IReadOnlyList<Workload> All(TimeSpan runtime) =>
    [
        Small("randread-4k", runtime, "randread", ("ioengine", "psync")),
        Small("randwrite-4k", runtime, "randwrite", ("ioengine", "psync")),
        Small("randread-4k-4jobs", runtime, "randread", ("ioengine", "psync"), (Jobs, "4")),
        Small("randwrite-4k-4jobs", runtime, "randwrite", ("ioengine", "psync"), (Jobs, "4")),
        Small("randread-4k-qd32", runtime, "randread", ("ioengine", "libaio"), ("iodepth", "32")),
        Small("randwrite-4k-qd32", runtime, "randwrite", ("ioengine", "libaio"), ("iodepth", "32")),
        Make("read-1m", runtime, ("rw", "read"), ("bs", "1M"), ("ioengine", "psync")),
        Make("write-1m", runtime, ("rw", "write"), ("bs", "1M"), ("ioengine", "psync")),
    ];

    /// <summary>What a daemon that was just started runs first, so that its hot path is compiled; not measured.</summary>
    public static Workload WarmUp(TimeSpan runtime) =>
        Small("warm-up", runtime, "randrw", ("ioengine", "psync")) with { Timing = new Timing(runtime, TimeSpan.Zero) };

    /// <summary>How many jobs a workload is.</summary>
    public static long Count(Workload workload) => workload.Number(FioKeys.NumJobs, 1);

    // Without a map of what was read already, which costs fio as much as the kernel's part of a request.
    private static Workload Small(string name, TimeSpan runtime, string mode, params (string, string)[] settings) =>
        Make(name, runtime, [("rw", mode), ("bs", "4K"), ("norandommap", "on"), .. settings]);

    private static Workload Make(string name, TimeSpan runtime, params (string Key, string Value)[] settings) => new()
    {
        Name = name,
        Settings = [.. settings.Append(("direct", "on")).Append(("size", "1T")).Select(Setting)],
        Timing = new Timing(runtime, s_ramp),
    };

    private static FioSetting Setting((string Key, string Value) setting)
    {
        FioKey key = FioKeys.Find(setting.Key) ?? throw new ArgumentException($"fio has no {setting.Key}", nameof(setting));
        return new FioSetting(key, key.Kind.Parse(setting.Value));
    }
}
