using System.Collections.Frozen;
using Harness.Experiments.Plan.Values;

namespace Harness.Experiments.Plan.Workloads;

/// <summary>
/// The table of fio's options: what a workload may set, and what belongs to the runner and why. Names, meanings and ranges are
/// those of fio's manual (fio(1), version 3.33), without what FUSE does not offer, as trims and polling.
/// </summary>
internal static class FioKeys
{
    private const string Places = "the runner places the files, one per job, in the mount under test";
    private const string Reports = "the runner chooses what fio reports";
    private const string Alone = "each workload runs alone";
    private const string Programs = "a plan starts no programs";
    private const string Fuse = "FUSE has no such thing";

    private static readonly ValueKind Count = ValueKind.Integer(0, int.MaxValue);
    private static readonly ValueKind AtLeastOne = ValueKind.Integer(1, int.MaxValue);
    private static readonly ValueKind Depth = ValueKind.Integer(1, 65_536);
    private static readonly ValueKind Percentage = ValueKind.Integer(0, 100);
    private static readonly ValueKind Bytes = ValueKind.Size(0, 1L << 50);
    private static readonly ValueKind BlockBytes = ValueKind.Size(1, 1L << 30);
    private static readonly ValueKind Wait = ValueKind.Duration(0, 3600 * DurationKind.Second, DurationKind.Microsecond);
    private static readonly ValueKind Distribution = ValueKind.Text(":.,/", "zipf:1.2");
    private static readonly ValueKind Split = ValueKind.Text("/:,", "4k/60:64k/40");
    private static readonly ValueKind Cpus = ValueKind.Text(",-", "0-3,8");
    private static readonly ValueKind Pattern = ValueKind.Text("", "0xdeadbeef");

    public static FioKey Rw { get; } = new("rw", ValueKind.Choice("read", "write", "randread", "randwrite", "rw", "readwrite", "randrw"));

    public static FioKey Bs { get; } = new("bs", ValueKind.PerDirection(BlockBytes));

    public static FioKey Size { get; } = new("size", ValueKind.Size(1, 1L << 50));

    public static FioKey IoEngine { get; } = new(
        "ioengine",
        ValueKind.Choice("sync", "psync", "vsync", "pvsync", "pvsync2", "libaio", "io_uring", "posixaio", "mmap"));

    public static FioKey IoDepth { get; } = new("iodepth", Depth);

    public static FioKey NumJobs { get; } = new("numjobs", ValueKind.Integer(1, 1024));

    public static FioKey NrFiles { get; } = new("nrfiles", ValueKind.Integer(1, 65_536));

    public static FioKey Direct { get; } = new("direct", ValueKind.Switch);

    public static FioKey Verify { get; } = new("verify", ValueKind.Choice(
        "md5", "crc64", "crc32", "crc32c", "crc32c-intel", "crc16", "crc7", "sha1", "sha256", "sha512",
        "sha3-224", "sha3-256", "sha3-384", "sha3-512", "xxhash", "pattern"));

    public static FioKey VerifyPattern { get; } = new("verify_pattern", Pattern);

    public static FioKey RwMixRead { get; } = new("rwmixread", Percentage);

    public static FioKey RwMixWrite { get; } = new("rwmixwrite", Percentage);

    public static FioKey Fallocate { get; } = new("fallocate", ValueKind.Choice("none", "native", "posix", "keep", "truncate"));

    /// <summary>All keys a workload may set besides <c>name</c> and those of <see cref="Timing"/>.</summary>
    public static IReadOnlyList<FioKey> All { get; } =
    [
        Rw, Bs, Size, IoEngine, IoDepth, NumJobs, NrFiles, Direct,

        // Blocks and their places.
        new("ba", BlockBytes),
        new("bsrange", ValueKind.Text("-,", "4k-64k")),
        new("bssplit", Split),
        new("bs_unaligned", ValueKind.Switch),
        new("io_size", Bytes),
        new("filesize", Bytes),
        new("file_append", ValueKind.Switch),
        new("offset", Bytes),
        new("offset_increment", Bytes),
        new("number_ios", AtLeastOne),
        new("loops", AtLeastOne),
        new("openfiles", AtLeastOne),
        new("file_service_type", ValueKind.Text(":.", "roundrobin")),
        RwMixRead,
        RwMixWrite,
        new("percentage_random", ValueKind.PerDirection(Percentage)),
        new("random_distribution", Distribution),
        new("random_generator", ValueKind.Choice("tausworthe", "lfsr", "tausworthe64")),
        new("randrepeat", ValueKind.Switch),
        new("allrandrepeat", ValueKind.Switch),
        new("randseed", Count),
        new("norandommap", ValueKind.Switch),

        // What reaches the disk, and when.
        new("fsync", Count),
        new("fdatasync", Count),
        new("end_fsync", ValueKind.Switch),
        new("fsync_on_close", ValueKind.Switch),
        new("sync", ValueKind.Choice("none", "0", "sync", "1", "dsync")),
        new("overwrite", ValueKind.Switch),
        Fallocate,
        new("fadvise_hint", ValueKind.Choice("0", "1", "random", "sequential")),
        new("invalidate", ValueKind.Switch),
        new("pre_read", ValueKind.Switch),
        new("create_serialize", ValueKind.Switch),
        new("create_fsync", ValueKind.Switch),
        new("create_on_open", ValueKind.Switch),

        // How fast.
        new("rate", ValueKind.PerDirection(Bytes)),
        new("rate_min", ValueKind.PerDirection(Bytes)),
        new("rate_iops", ValueKind.PerDirection(Count)),
        new("rate_iops_min", ValueKind.PerDirection(Count)),
        new("rate_process", ValueKind.Choice("linear", "poisson")),
        new("rate_ignore_thinktime", ValueKind.Switch),
        new("thinktime", Wait),
        new("thinktime_spin", Wait),
        new("thinktime_blocks", AtLeastOne),
        new("startdelay", Wait),
        new("latency_target", Wait),
        new("latency_window", Wait),
        new("latency_percentile", ValueKind.Text(".", "99.0")),

        // How the engine queues.
        new("iodepth_batch", Depth),
        new("iodepth_batch_complete_min", ValueKind.Integer(0, 65_536)),
        new("iodepth_batch_complete_max", Depth),
        new("iodepth_low", Depth),
        new("io_submit_mode", ValueKind.Choice("inline", "offload")),
        new("serialize_overlap", ValueKind.Switch),
        new("fixedbufs", ValueKind.Switch, "io_uring"),
        new("registerfiles", ValueKind.Switch, "io_uring"),
        new("nonvectored", ValueKind.Switch, "io_uring"),
        new("force_async", Count, "io_uring"),
        new("sqthread_poll", ValueKind.Switch, "io_uring"),
        new("sqthread_poll_cpu", Count, "io_uring"),
        new("userspace_reap", ValueKind.Switch, "libaio"),

        // What the data holds.
        new("zero_buffers", ValueKind.Switch),
        new("refill_buffers", ValueKind.Switch),
        new("scramble_buffers", ValueKind.Switch),
        new("buffer_pattern", Pattern),
        new("buffer_compress_percentage", Percentage),
        new("buffer_compress_chunk", BlockBytes),
        new("dedupe_percentage", Percentage),
        Verify,
        new("do_verify", ValueKind.Switch),
        new("verify_interval", ValueKind.Size(80, 1L << 30)),
        VerifyPattern,
        new("verify_fatal", ValueKind.Switch),
        new("verify_backlog", AtLeastOne),
        new("verify_async", AtLeastOne),

        // Where it runs.
        new("thread", ValueKind.Switch),
        new("mem", ValueKind.Choice("malloc", "shm", "mmap", "mmapshared")),
        new("cpus_allowed", Cpus),
        new("cpus_allowed_policy", ValueKind.Choice("shared", "split")),
        new("numa_cpu_nodes", Cpus),
        new("numa_mem_policy", ValueKind.Text(":,-", "bind:0")),
        new("nice", ValueKind.Integer(0, 19)),
    ];

    private static readonly FrozenDictionary<string, FioKey> ByName = All.ToFrozenDictionary(key => key.Name);

    /// <summary>fio's options that a workload must not set, each with the reason: "'filename' cannot be set in a workload: …".</summary>
    public static FrozenDictionary<string, string> Refused { get; } = new Dictionary<string, string>
    {
        ["filename"] = Places,
        ["filename_format"] = Places,
        ["unique_filename"] = Places,
        ["directory"] = Places,
        ["opendir"] = Places,
        ["lockfile"] = Places,
        ["unlink"] = Places,
        ["unlink_each_loop"] = Places,
        ["group_reporting"] = Reports,
        ["percentile_list"] = Reports,
        ["clat_percentiles"] = Reports,
        ["lat_percentiles"] = Reports,
        ["slat_percentiles"] = Reports,
        ["write_bw_log"] = Reports,
        ["write_lat_log"] = Reports,
        ["write_iops_log"] = Reports,
        ["write_hist_log"] = Reports,
        ["unified_rw_reporting"] = Reports,
        ["gtod_reduce"] = Reports,
        ["kb_base"] = "K is 1024 in a plan",
        ["unit_base"] = Reports,
        ["stonewall"] = Alone,
        ["wait_for"] = Alone,
        ["new_group"] = Alone,
        ["exitall"] = Alone,
        ["exec_prerun"] = Programs,
        ["exec_postrun"] = Programs,
        ["hipri"] = Fuse,
        ["nowait"] = Fuse,
        ["max_latency"] = "a slow request is a result and no error",
        ["readwrite"] = "write rw",
        ["blocksize"] = "write bs",
        ["buffered"] = "write direct: off",
        ["timeout"] = "write runtime",
    }.ToFrozenDictionary();

    public static FioKey? Find(string name) => ByName.GetValueOrDefault(name);
}
