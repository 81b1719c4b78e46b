using Harness.Experiments.Plan;
using Harness.Experiments.Plan.Workloads;

namespace Harness.Tests.Experiments.Plan;

public class FioJobTests
{
    private static readonly Backend Memory = new(Backend.Memory, null);

    [Fact]
    public void ReadingJobIsLaidOutInLargeBlocks() => Assert.Equal(
        """
        [global]
        directory=/mnt/a b
        filename_format=$jobname.$jobnum.$filenum
        group_reporting=1
        unlink=1
        time_based=1
        runtime=250ms
        ramp_time=100ms
        fallocate=truncate

        [w]
        size=1M
        rw=randread
        bs=4K,1M
        ioengine=libaio
        iodepth=32
        direct=1

        """,
        Render("rw: randread\nbs: 4k\nioengine: libaio\niodepth: 32\ndirect: on\nruntime: 250ms\nramp_time: 100ms", Memory, "/mnt/a b"));

    [Fact]
    public void WritingJobKeepsItsBlockSizeAndItsOwnFallocate() => Assert.Equal(
        """
        [global]
        directory=/mnt
        filename_format=$jobname.$jobnum.$filenum
        group_reporting=1
        unlink=1
        time_based=1
        runtime=1s

        [w]
        size=1M
        rw=randwrite
        fsync=256
        fallocate=native
        thinktime=20us
        bs=4K

        """,
        Render("rw: randwrite\nfsync: 256\nfallocate: native\nthinktime: 20us", Memory, "/mnt"));

    [Fact]
    public void NullBackendGivesEachJobOneOfItsOwnFiles() => Assert.Equal(
        """
        [global]
        directory=/mnt
        filename_format=zero.$jobnum
        group_reporting=1
        time_based=1
        runtime=1s
        fallocate=none

        [w]
        size=1M
        rw=read
        bs=4K
        numjobs=16

        """,
        Render("rw: read\nbs: 4k\nnumjobs: 16", new Backend(Backend.Null, null), "/mnt"));

    [Fact]
    public void SizeBoundJobHasNoRuntime() =>
        Assert.DoesNotContain("time", Render("rw: write\nverify: crc32c", Memory, "/mnt"), StringComparison.Ordinal);

    [Theory]
    [InlineData("bs: 1M", "bs=1M\n")]
    [InlineData("bs: 4k,8k", "bs=4K,8K\n")]
    [InlineData("bsrange: 4k-8k", "bsrange=4k-8k\n")]
    public void LayoutOverridesNoBlockSizeThatIsLargeOrTheAuthorsOwn(string lines, string line) =>
        Assert.Contains(line, Render($"rw: read\n{lines}", Memory, "/mnt"), StringComparison.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData("/mnt;x")]
    [InlineData("/mnt#x")]
    [InlineData("/mnt:x")]
    [InlineData("/mnt${HOME}")]
    [InlineData("/mnt\nexec_prerun=reboot")]
    [InlineData(" /mnt")]
    public void DirectoryThatAJobFileWouldReadOtherwiseIsRefused(string directory) =>
        Assert.Throws<ArgumentException>(() => Render("rw: read", Memory, directory));

    [Fact]
    public void ArgumentsAskForJsonWithItsHistograms() =>
        Assert.Equal(["--output-format=json+", "--output=out.json", "--eta=never", "job.fio"], FioJob.Arguments("job.fio", "out.json"));

    [Fact]
    public void EveryNameOfTheTableIsUniqueAndNoneIsRefusedToo()
    {
        Assert.Equal(FioKeys.All.Count, FioKeys.All.Select(key => key.Name).Distinct().Count());
        Assert.DoesNotContain(FioKeys.All, key => FioKeys.Refused.ContainsKey(key.Name));
    }

    private static string Render(string lines, Backend backend, string directory) =>
        FioJob.Render(PlanTexts.Read(PlanTexts.Workload(lines, backend.Name)).Workloads[0], backend, directory);
}
