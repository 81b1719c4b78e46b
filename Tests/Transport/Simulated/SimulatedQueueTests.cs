using Harness.Experiments.Plan;
using Harness.Experiments.Plan.Reading;
using Harness.Experiments.Plan.Workloads;
using Harness.Experiments.Simulated;
using Harness.Results.Records;
using Harness.Transport.Simulated;

namespace Harness.Tests.Transport.Simulated;

/// <summary>What the queue designs come to on large machines, with the machine files as they are.</summary>
public sealed class SimulatedQueueTests
{
    private const string Large = "2x20";

    public static TheoryData<string> Designs => [.. SimulatedMountOptions.QueueDesignNames];

    [Theory]
    [MemberData(nameof(Designs))]
    public void EachDesignCarriesReadsAndWrites(string design)
    {
        TrialMeasurement measured = Run(design, jobs: 2, "rw: randrw, bs: 4k", out _);
        Assert.True(measured.ReadBytes > 0);
        Assert.True(measured.WriteBytes > 0);
    }

    [Theory]
    [MemberData(nameof(Designs))]
    public void TheSameSeedGivesTheSameRun(string design)
    {
        Run(design, jobs: 3, "rw: randread, bs: 4k", out ulong first);
        Run(design, jobs: 3, "rw: randread, bs: 4k", out ulong second);
        Assert.Equal(first, second);
    }

    [Fact]
    public void TheTraceHashIsTheSameInEveryProcess()
    {
        // Another value means that the model has changed, or that something outside of the seed decides what happens.
        Run("dev-fuse", jobs: 3, "rw: randread, bs: 4k", out ulong hash);
        Assert.Equal(PinnedHash, hash);
    }

    [Fact]
    public void AQueueForEachCpuGoesOnScaling()
    {
        // Rings count background requests under one lock of the connection (fs/fuse/dev_uring.c), which is what stops them at 40 jobs.
        double few = Run("cpu-lock-free", jobs: 8, "rw: randread, bs: 4k", out _).Iops;
        double many = Run("cpu-lock-free", jobs: 40, "rw: randread, bs: 4k", out _).Iops;
        double shared = Run("dev-fuse", jobs: 40, "rw: randread, bs: 4k", out _).Iops;
        Assert.True(many > 1.3 * few, $"8 jobs {few:N0} IOPS, 40 jobs {many:N0}");
        Assert.True(many > 1.5 * shared, $"a queue for each CPU {many:N0} IOPS, one shared {shared:N0}");
    }

    [Fact]
    public void OneSharedQueueSaturatesAndMoreThreadsOfTheDaemonMakeItWorse()
    {
        // The 3FS design notes say about 400 K, RFUSE (FAST'24) shows the same shape. The machine file knows nothing of either.
        const string workload = "rw: randread, bs: 4k";
        double few = Run("dev-fuse", jobs: 16, workload, out _, "threads: 4", "2x40").Iops;
        double many = Run("dev-fuse", jobs: 16, workload, out _, "threads: 40", "2x40").Iops;
        double moreJobs = Run("dev-fuse", jobs: 32, workload, out _, "threads: 40", "2x40").Iops;
        double rings = Run("io-uring", jobs: 32, workload, out _, "async-dio: off", "2x40").Iops;
        Assert.True(many < 0.7 * few, $"4 threads {few:N0} IOPS, 40 threads {many:N0}");
        Assert.InRange(moreJobs, 300_000, 700_000);
        Assert.True(rings > 5 * moreJobs, $"rings {rings:N0} IOPS, one shared queue {moreJobs:N0}");
    }

    [Fact]
    public void ParallelDirectIoTurnsASumOfLatenciesIntoAboutOne()
    {
        const string workload = "rw: write, bs: 1M";
        const string mount = "max-write: 128K, latency: 200us, max-background: 64";
        double oneByOne = Run("dev-fuse", jobs: 1, workload, out _, $"{mount}, async-dio: off").LatencyMicrosP50;
        double parallel = Run("dev-fuse", jobs: 1, workload, out _, $"{mount}, async-dio: on").LatencyMicrosP50;
        Assert.InRange(oneByOne, 8 * 200, 12 * 200);
        Assert.InRange(parallel, 200, 3 * 200);
    }

    [Fact]
    public void ARingHoldsAsManyRequestsAsItIsDeep()
    {
        const string mount = "latency: 100us, max-background: 64";
        double shallow = Run("io-uring", jobs: 1, "rw: randread, bs: 4k, ioengine: libaio, iodepth: 8", out _, $"{mount}, queue-depth: 1").Iops;
        double deep = Run("io-uring", jobs: 1, "rw: randread, bs: 4k, ioengine: libaio, iodepth: 8", out _, $"{mount}, queue-depth: 8").Iops;
        Assert.InRange(shallow, 5_000, 10_000);
        Assert.InRange(deep, 5 * shallow, 9 * shallow);
    }

    [Fact]
    public void ARingsThreadThatIsNotPinnedLeavesItsCpuToTheApplication()
    {
        Run("io-uring", jobs: 1, "rw: randread, bs: 4k", out ulong pinned, "affinity: cpu");
        Run("io-uring", jobs: 1, "rw: randread, bs: 4k", out ulong chosen, "affinity: auto");
        Run("io-uring", jobs: 1, "rw: randread, bs: 4k", out ulong free, "affinity: none");
        Assert.Equal(pinned, chosen);
        Assert.NotEqual(pinned, free);
    }

    [Theory]
    [InlineData("dev-fuse")]
    [InlineData("clone")]
    [InlineData("io-uring")]
    public void ADaemonSpinsAsItIsToldAndNotUnlessItIsTold(string design)
    {
        Run(design, jobs: 1, "rw: randread, bs: 4k", out ulong told, "spin: 50us");
        Run(design, jobs: 1, "rw: randread, bs: 4k", out ulong toldNotTo, "spin: 0us");
        Run(design, jobs: 1, "rw: randread, bs: 4k", out ulong leftOut, "threads: 2");
        Assert.Equal(toldNotTo, leftOut);
        Assert.NotEqual(told, leftOut);
    }

    [Fact]
    public void SpinningSparesTheDevicesReaderItsWakeUp()
    {
        // Not so a ring's thread on the application's own CPU, which is woken without an interrupt.
        double spinning = Run("dev-fuse", jobs: 1, "rw: randread, bs: 4k", out _, "threads: 1, spin: 50us").Iops;
        double sleeping = Run("dev-fuse", jobs: 1, "rw: randread, bs: 4k", out _, "threads: 1, spin: 0us").Iops;
        Assert.True(spinning > 1.1 * sleeping, $"spinning {spinning:N0} IOPS, sleeping {sleeping:N0}");
    }

    private const ulong PinnedHash = 12_205_435_759_646_733_727;

    private static TrialMeasurement Run(string design, int jobs, string workload, out ulong hash, string mount = "threads: 20", string machine = Large)
    {
        string text = $$"""
            experiments:
              - name: a
                world: simulated
                backend: memory
                mount: {channel: {{design}}, {{mount}}}
                runtime: 10ms
                workloads: [{name: w, size: 16M, direct: on, numjobs: {{jobs}}, {{workload}}}]
            """;
        PlanReading reading = PlanFile.Parse("plan.yaml", text);
        Assert.Empty(reading.Errors);
        Experiment experiment = Assert.Single(reading.Experiments);
        Workload only = Assert.Single(experiment.Workloads);
        return SimulatedTrial.Run(machine, experiment.Backend, experiment.Mount, only, seed: 1, out hash);
    }
}
