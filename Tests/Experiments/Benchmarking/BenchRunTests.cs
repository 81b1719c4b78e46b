using Harness.Experiments.Benchmarking;
using Harness.Experiments.Plan.Workloads;
using Harness.Experiments.Running;
using Harness.Results.Records;
using Harness.Results.Statistics;
using Harness.Runtime;
using Harness.Tests.Mounts;
using Harness.Tests.Results;
using Harness.Transport.Mounting;

namespace Harness.Tests.Experiments.Benchmarking;

/// <summary>The benchmark itself, on real mounts.</summary>
public sealed class BenchRunTests : IDisposable
{
    private const int Blocks = 4;

    /// <summary>
    /// By its own definition a 95 % interval misses the truth in one of twenty runs, whatever the noise; so one miss says nothing. Runs are
    /// independent, and a benchmark that is not biased misses five times in a row with a chance of 3·10⁻⁷, while one that favours a side
    /// misses every time once the bias is wider than the interval.
    /// </summary>
    private const int RunsMax = 5;

    private static readonly Workload s_job = BenchJobs.All(TimeSpan.FromMilliseconds(100))[0];
    private static readonly Placement s_placement = Placement.Pinned(Shape.DevFuse1, Topology.Current);
    private static readonly HarnessContender s_ours = new(Shape.DevFuse1, s_placement);

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [RealMountFact("fio", "taskset")]
    public async Task AMountIsAsFastAsItselfAndSlowerWithALatency()
    {
        var same = new Match("itself", s_ours, new Variant("again", []));
        var slow = new Match("slower", s_ours, new Variant("slow", ["--latency", "10ms"]));
        var intervals = new List<Interval>();
        do
        {
            BenchComparison comparison = await Measure([same, slow], seed: intervals.Count);
            // A thousand times as long a way as a request's own, which no noise hides.
            Assert.True(comparison.Groups[1].Ratio > 1, $"with a latency: {comparison.Groups[1].RatioText}");
            intervals.Add(comparison.Groups[0].Interval!.Value);
        }
        while (!intervals[^1].Contains(1) && intervals.Count < RunsMax);

        Assert.True(intervals[^1].Contains(1), $"against itself: {string.Join("; ", intervals)}");
    }

    [RealMountFact("fio", "taskset")]
    public async Task AnInterruptedRunLeavesNothingMounted()
    {
        var watched = new Variant("watched", []);
        using var interruption = new CancellationTokenSource();
        var progress = new Progress { OnStarted = done => interruption.CancelAfter(done == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.Zero) };
        Workload endless = BenchJobs.All(TimeSpan.FromMinutes(1))[0];
        Workload[] jobs = [s_job, endless];
        BenchTrial[] trials = [.. jobs.Select(job => new BenchTrial(0, watched, job))];
        using ResultsFile results = Open();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new BenchRun(trials, Run(), results).Run(progress, interruption.Token));
        Assert.Single(results.Trials);
        Assert.All(watched.MountPoints, mountPoint => Assert.Null(MountTable.Find(mountPoint)));
        Assert.All(watched.MountPoints, mountPoint => Assert.False(Directory.Exists(mountPoint)));
    }

    [RealMountFact("fio", "taskset")]
    public async Task ASideThatFailsIsRecordedAndTheOtherGoesOn()
    {
        var match = new Match("failing", s_ours, new CommandContender("sh -c 'echo broken >&2; exit 1' {}", Shape.DevFuse1, s_placement));
        using ResultsFile results = Open();
        BenchTrial[] trials = [.. BenchTrial.Plan([match], [s_job], 1, seed: 1)];
        await new BenchRun(trials, Run(), results).Run(new Progress(), CancellationToken.None);
        Assert.Equal("broken", results.Trials.Single(trial => trial.IsBaseline).Error);
        TrialRecord ours = results.Trials.Single(trial => !trial.IsBaseline);
        Assert.True(ours.Measured!.Iops > 0, ours.Error);
        Assert.Equal(
            $"server=harness shape=dev-fuse-1 placement=pinned daemon_cpus={s_placement.Daemon} application_cpus={s_placement.OneJob}",
            string.Join(' ', ours.Factors.Select(factor => $"{factor.Name}={factor.Value}")));
    }

    private async Task<BenchComparison> Measure(IReadOnlyList<Match> matches, int seed)
    {
        using ResultsFile results = Open();
        BenchTrial[] trials = [.. BenchTrial.Plan(matches, [s_job], Blocks, seed)];
        await new BenchRun(trials, Run(), results).Run(new Progress(), CancellationToken.None);
        Assert.All(results.Trials, trial => Assert.Null(trial.Error));
        return BenchComparison.Of(matches, [s_job], results.Trials, seed);
    }

    private RunDirectory Run() => RunDirectory.Create(_directory["runs"], "test", DateTimeOffset.UnixEpoch);

    private ResultsFile Open() => ResultsFile.Open(_directory[$"{Guid.CreateVersion7()}.csv"], BenchRun.FactorNames);

    /// <summary>Our own mount under another name, perhaps with further arguments. Remembers where it was mounted.</summary>
    private sealed record Variant(string Name, IReadOnlyList<string> Arguments) : Contender(Name, Shape.DevFuse1, s_placement)
    {
        public List<string> MountPoints { get; } = [];

        public override bool IsHarness => true;

        public override IReadOnlyList<string> CommandLine(string mountPoint)
        {
            MountPoints.Add(mountPoint);
            return DaemonProcess.HarnessMount(["--backend", "null", .. Shape.Harness(pinned: true).MountArguments(), .. Arguments], mountPoint);
        }
    }

    private sealed class Progress : IRunProgress
    {
        public Action<int> OnStarted { get; init; } = _ => { };

        public void Started(string trial, int done, int total, TimeSpan left) => OnStarted(done);

        public void Finished(TrialRecord record)
        {
        }
    }
}
