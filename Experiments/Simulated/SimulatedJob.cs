using Harness.Experiments.Plan.Values;
using Harness.Experiments.Plan.Workloads;

namespace Harness.Experiments.Simulated;

/// <summary>A workload as simulated applications run it: fio's options of the same names, as far as they are modelled.</summary>
internal sealed record SimulatedJob
{
    private const long DefaultBlockBytes = 4096;

    // What these change is nothing that the simulated kernel or its time knows.
    private static readonly HashSet<string> s_ignored =
    [
        "zero_buffers", "refill_buffers", "scramble_buffers", "buffer_pattern", "buffer_compress_percentage", "buffer_compress_chunk",
        "dedupe_percentage", "randrepeat", "allrandrepeat", "randseed", "norandommap", "random_generator", "fallocate", "thread", "mem",
        "create_serialize", "create_fsync", "create_on_open", "invalidate", "loops", "userspace_reap",
    ];

    private static readonly HashSet<string> s_modelled =
    [
        "rw", "bs", "size", "ioengine", "iodepth", "numjobs", "direct", "fsync", "fdatasync", "end_fsync", "rate_iops", "thinktime",
        "rwmixread", "rwmixwrite",
    ];

    private static readonly string[] s_synchronous = ["sync", "psync", "vsync", "pvsync", "pvsync2"];

    private static readonly string[] s_asynchronous = ["libaio", "io_uring"];

    /// <summary>How many jobs run side by side, each with a file of its own.</summary>
    public required int Jobs { get; init; }

    /// <summary>Bytes of one read or write.</summary>
    public required int BlockBytes { get; init; }

    /// <summary>Bytes of each file.</summary>
    public required long FileBytes { get; init; }

    /// <summary>Reads and writes that a job keeps in flight; 1 with a synchronous engine.</summary>
    public required int Depth { get; init; }

    /// <summary>Whether a job submits and collects instead of waiting for each.</summary>
    public required bool IsAsync { get; init; }

    /// <summary>Whether files are opened O_DIRECT.</summary>
    public required bool IsDirect { get; init; }

    /// <summary>Whether places are drawn at random instead of one after another.</summary>
    public required bool IsRandom { get; init; }

    /// <summary>The share of reads, in percent.</summary>
    public required int ReadPercent { get; init; }

    /// <summary>After how many writes a job syncs; 0 for never.</summary>
    public required int SyncEvery { get; init; }

    /// <summary>Whether that is fdatasync(2).</summary>
    public required bool SyncsDataOnly { get; init; }

    /// <summary>Whether each job syncs at its end.</summary>
    public required bool SyncsAtEnd { get; init; }

    /// <summary>The least time between the starts of two operations of a job, in nanoseconds.</summary>
    public required long PaceNanos { get; init; }

    /// <summary>What a job waits after each operation, in nanoseconds.</summary>
    public required long ThinkNanos { get; init; }

    /// <summary>Which option of a workload is not modelled, as a sentence; null if all are.</summary>
    public static string? Unmodelled(Workload workload)
    {
        foreach (FioSetting setting in workload.Settings)
        {
            string name = setting.Key.Name;
            if (!s_modelled.Contains(name) && !s_ignored.Contains(name))
            {
                return $"{workload.Name}: {name} is not modelled by simulated applications; modelled: {string.Join(", ", s_modelled.Order())}";
            }

            bool isSplit = setting.Value.Text.Contains(',', StringComparison.Ordinal);
            bool isForeignEngine = name == "ioengine" && !s_synchronous.Concat(s_asynchronous).Contains(setting.Value.Text);
            if (isSplit || isForeignEngine)
            {
                return $"{workload.Name}: {name}={setting.Value.Text} is not modelled by simulated applications";
            }
        }

        return workload.Timing is null
            ? $"{workload.Name}: time_based: off is not modelled by simulated applications, which run for a time; leave it out, and write a runtime"
            : null;
    }

    /// <summary>Reads a workload of which <see cref="Unmodelled"/> says nothing.</summary>
    public static SimulatedJob Of(Workload workload)
    {
        string engine = workload.Find(FioKeys.IoEngine)?.Text ?? "psync";
        string mode = workload.Find(FioKeys.Rw)?.Text ?? "read";
        long rate = Number(workload, "rate_iops");
        long dataSync = Number(workload, "fdatasync");
        bool isAsync = s_asynchronous.Contains(engine);
        return new SimulatedJob
        {
            Jobs = (int)workload.Number(FioKeys.NumJobs, 1),
            BlockBytes = (int)workload.Number(FioKeys.Bs, DefaultBlockBytes),
            FileBytes = workload.Number(FioKeys.Size, DefaultBlockBytes),
            Depth = isAsync ? (int)workload.Number(FioKeys.IoDepth, 1) : 1,
            IsAsync = isAsync,
            IsDirect = workload.Number(FioKeys.Direct, 0) == 1,
            IsRandom = mode.StartsWith("rand", StringComparison.Ordinal),
            ReadPercent = !workload.Writes ? 100 : !workload.Reads ? 0 : ReadShare(workload),
            SyncEvery = (int)Math.Max(Number(workload, "fsync"), dataSync),
            SyncsDataOnly = dataSync > 0,
            SyncsAtEnd = Number(workload, "end_fsync") == 1,
            PaceNanos = rate > 0 ? DurationKind.Second / rate : 0,
            ThinkNanos = Number(workload, "thinktime"),
        };
    }

    private static int ReadShare(Workload workload) => workload.Find(FioKeys.RwMixWrite) is { } writes
        ? 100 - (int)writes.Number
        : (int)workload.Number(FioKeys.RwMixRead, 50);

    private static long Number(Workload workload, string name) =>
        workload.Settings.FirstOrDefault(setting => setting.Key.Name == name) is { Key: not null } found ? found.Value.Number : 0;
}
