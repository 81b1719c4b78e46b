using Harness.Experiments.Benchmarking;
using Harness.Experiments.Plan;
using Harness.Experiments.Plan.Workloads;
using Harness.Runtime;

namespace Harness.Tests.Experiments.Benchmarking;

/// <summary>Which trials run, and in which order.</summary>
public sealed class BenchTrialTests
{
    private const int Blocks = 3;

    private static readonly IReadOnlyList<Workload> s_jobs = BenchJobs.All(TimeSpan.FromSeconds(1));
    private static readonly IReadOnlyList<Match> s_matches = Match.Standard(Topology.Current);

    [Fact]
    public void ABlockMeasuresEachContenderOnceOnEachJob()
    {
        BenchTrial[] trials = [.. Plan(seed: 1)];
        string[] contenders = [.. s_matches.SelectMany(match => new[] { match.Ours.Name, match.Peer.Name }).Distinct()];
        // Four channels of ours pinned and four not, three of libfuse's, the floor's eight, and both sides' defaults.
        Assert.Equal(21, contenders.Length);
        Assert.Equal(Blocks * contenders.Length * s_jobs.Count, trials.Length);
        Assert.Equal(trials.Length, trials.Select(trial => (trial.Block, trial.Contender.Name, trial.Job.Name)).Distinct().Count());
        Assert.Equal(trials.Select(trial => trial.Block).Order(), trials.Select(trial => trial.Block));
    }

    [Fact]
    public void TheContendersOfAJobRunOneAfterAnother()
    {
        // A job's name starts as many runs of equal names as there are blocks; equal neighbours across a block's border make one run less.
        string[] names = [.. Plan(seed: 1).Select(trial => trial.Job.Name)];
        int runs = 1 + names.Zip(names.Skip(1), (a, b) => a != b ? 1 : 0).Sum();
        Assert.InRange(runs, (Blocks * s_jobs.Count) - (Blocks - 1), Blocks * s_jobs.Count);
    }

    [Fact]
    public void TheOrderIsRandomAndTheSeedsOwn()
    {
        string[] first = Order(1);
        Assert.Equal(first, Order(1));
        Assert.NotEqual(first, Order(2));
        int block = first.Length / Blocks;
        Assert.NotEqual(first[..block], first[block..(2 * block)]);
    }

    [Fact]
    public void TheJobsAreThoseThatPublishedFiguresUse()
    {
        Assert.Equal(
            [
                "randread-4k", "randwrite-4k", "randread-4k-4jobs", "randwrite-4k-4jobs", "randread-4k-qd32", "randwrite-4k-qd32", "read-1m",
                "write-1m",
            ],
            s_jobs.Select(job => job.Name));
        Assert.All(s_jobs, job => Assert.Equal(1, job.Number(FioKeys.Direct, 0)));
        string text = FioJob.Render(s_jobs[4], new Backend(Backend.Null, null), "/mnt/x");
        Assert.Contains("filename_format=zero.$jobnum\n", text, StringComparison.Ordinal);
        Assert.Contains("ioengine=libaio\niodepth=32\n", text, StringComparison.Ordinal);
        Assert.Contains("norandommap=1\n", text, StringComparison.Ordinal);
        Assert.Contains("runtime=1s\nramp_time=500ms\n", text, StringComparison.Ordinal);
    }

    private static IEnumerable<BenchTrial> Plan(int seed) => BenchTrial.Plan(s_matches, s_jobs, Blocks, seed);

    private static string[] Order(int seed) => [.. Plan(seed).Select(trial => $"{trial.Job.Name} {trial.Contender.Name}")];
}
