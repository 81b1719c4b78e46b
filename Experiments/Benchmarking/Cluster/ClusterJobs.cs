using Harness.Results.Analysis;

namespace Harness.Experiments.Benchmarking.Cluster;

/// <summary>The jobs, the same for every directory.</summary>
internal static class ClusterJobs
{
    private const long FullBytes = 1L << 30;
    private const long QuickBytes = 256L << 20;
    private const int FullFiles = 5000;
    private const int QuickFiles = 500;

    /// <summary>The jobs, in the order of tables.</summary>
    /// <param name="runtime">The measured time of each job of fio that has no end of its own.</param>
    /// <param name="quick">Whether a rough figure is enough.</param>
    /// <param name="archive">What tar(1) unpacks.</param>
    /// <param name="repository">What git(1) clones.</param>
    public static IReadOnlyList<ClusterJob> All(TimeSpan runtime, bool quick, string archive, string repository)
    {
        long bytes = quick ? QuickBytes : FullBytes;
        return
        [
            new FioClusterJob("write-1m", Metric.Throughput, runtime, $"--rw=write --bs=1M --direct=1 --size={bytes}", ownFile: true),
            Direct("read-1m", Metric.Throughput, "--rw=read --bs=1M"),
            Direct("randwrite-4k", Metric.Iops, "--rw=randwrite --bs=4K"),
            Direct("randread-4k", Metric.Iops, "--rw=randread --bs=4K"),
            Direct("randread-4k-4jobs", Metric.Iops, "--rw=randread --bs=4K --numjobs=4"),
            Direct("randwrite-4k-qd32", Metric.Iops, "--rw=randwrite --bs=4K --ioengine=libaio --iodepth=32"),
            Direct("randread-4k-qd32", Metric.Iops, "--rw=randread --bs=4K --ioengine=libaio --iodepth=32"),
            new FioClusterJob("randwrite-4k-fsync", Metric.Iops, runtime, "--rw=randwrite --bs=4K --fsync=1"),
            new FioClusterJob("write-4k-buffered", Metric.Throughput, null, $"--rw=write --bs=4K --end_fsync=1 --size={bytes / 8}", ownFile: true),
            new SmallFilesJob(quick ? QuickFiles : FullFiles),
            new ProgramJob("tar-x", "tar", ["-xf", archive, "-C", ProgramJob.Target]),
            new ProgramJob("git-clone", "git", ["-c", "advice.detachedHead=false", "clone", "--quiet", "--no-hardlinks", repository, ProgramJob.Target]),
        ];

        FioClusterJob Direct(string name, Metric metric, string options) => new(name, metric, runtime, $"{options} --direct=1");
    }
}
