namespace Harness.Tests.Experiments.Plan;

public class WorkloadErrorTests
{
    [Theory]
    [InlineData("rw: read\niodept: 3", "8:9: unknown key 'iodept' in a workload; did you mean 'iodepth'?")]
    [InlineData("rw: read\nfilename: /etc/passwd", "8:9: 'filename' cannot be set in a workload: the runner places the files, one per job, in the mount under test")]
    [InlineData("rw: read\nexec_prerun: reboot", "8:9: 'exec_prerun' cannot be set in a workload: a plan starts no programs")]
    [InlineData("rw: read\nblocksize: 4k", "8:9: 'blocksize' cannot be set in a workload: write bs")]
    [InlineData("rw: trim", "7:13: rw: 'trim' is unknown; allowed: one of read, write, randread, randwrite, rw, readwrite, randrw")]
    [InlineData("rw: read\nbs: 4k,", "8:13: bs: '' does not begin with a number; allowed: a size from 1 to 1G, with K, M, G or T, such as 128K; or several with commas, for reads,writes")]
    [InlineData("rw: read\nthinktime: 5", "8:20: thinktime: '5' has no unit; allowed: a duration from 0us to 3600s with its unit (ns, us, ms or s) in multiples of 1us, such as 200us")]
    [InlineData("rw: read\nrandom_distribution: zipf;1", "8:30: random_distribution: 'zipf;1' contains ';'; allowed: letters, digits and : . , /, such as zipf:1.2")]
    [InlineData("rw: read\nrandom_distribution: \"zipf\\nexec_prerun=reboot\"", "8:30: random_distribution: 'zipf\\u000aexec_prerun=reboot' contains '\\u000a'; allowed: letters, digits and : . , /, such as zipf:1.2")]
    [InlineData("bs: 4k", "5:9: a workload needs the key 'rw'")]
    public void OptionThatIsNotFiosOrNotTheWorkloadsIsRefused(string lines, string error) => AssertError(lines, error);

    [Theory]
    [InlineData("rw: read\niodepth: 32", "8:9: iodepth 32 needs an asynchronous ioengine, and psync (fio's default) has one request at a time; allowed: libaio, io_uring, posixaio")]
    [InlineData("rw: read\nioengine: sync\niodepth: 32", "9:9: iodepth 32 needs an asynchronous ioengine, and sync has one request at a time; allowed: libaio, io_uring, posixaio")]
    [InlineData("rw: read\nioengine: libaio\niodepth: 32", "9:9: iodepth 32 with libaio needs direct: on, since buffered libaio has one request at a time")]
    [InlineData("rw: read\nrwmixread: 70", "8:9: rwmixread has no effect with rw: read; allowed: rw: rw, readwrite or randrw")]
    [InlineData("rw: read\nsqthread_poll: on", "8:9: sqthread_poll is an option of ioengine io_uring, and this workload has psync")]
    [InlineData("rw: read\nbs: 2M", "6:9: size 1M holds no block of bs 2M; make size larger or bs smaller")]
    [InlineData("rw: read\nbs: 1M\nnrfiles: 2", "6:9: size 1M in 2 files holds no block of bs 1M; make size larger or bs smaller")]
    [InlineData("rw: randread\nverify: crc32c", "8:9: verify has nothing to compare with rw: randread, which writes nothing; allowed: a workload that writes")]
    [InlineData("rw: write\nverify: pattern", "8:9: verify: pattern and verify_pattern need each other")]
    [InlineData("rw: write\nverify: crc32c\ntime_based: 1", "9:9: verify reads back what was written, and time_based would cut that off; leave time_based out")]
    [InlineData("rw: write\nverify: crc32c\nruntime: 1s", "9:9: with verify a workload ends when it has moved its size; leave runtime out")]
    [InlineData("rw: write\ntime_based: 0\nramp_time: 1s", "9:9: with time_based: off a workload ends when it has moved its size; leave ramp_time out")]
    public void OptionsThatContradictEachOtherAreRefused(string lines, string error) => AssertError(lines, error);

    [Theory]
    [InlineData("rw: write\nnumjobs: 17", "8:9: backend null has 16 files, one per job; allowed: numjobs up to 16")]
    [InlineData("rw: write\nnrfiles: 2", "8:9: backend null has one file per job; leave nrfiles out")]
    [InlineData("rw: write\nverify: crc32c", "8:9: backend null forgets what is written, so that nothing can be verified; use backend memory")]
    public void WorkloadThatTheNullBackendCannotServeIsRefused(string lines, string error)
    {
        AssertError(lines, error, "null");
        Assert.Empty(PlanTexts.Errors(PlanTexts.Workload(lines)));
    }

    [Fact]
    public void SectionNameThatFioKeepsForItselfIsRefused() => Assert.Equal(
        ["plan.yaml:5:15: name: fio keeps the name 'global' for itself; choose another"],
        PlanTexts.Errors(PlanTexts.Workload("rw: read").Replace("name: w", "name: global")));

    private static void AssertError(string lines, string error, string backend = "memory") =>
        Assert.Equal([$"plan.yaml:{error}"], PlanTexts.Errors(PlanTexts.Workload(lines, backend)));
}
