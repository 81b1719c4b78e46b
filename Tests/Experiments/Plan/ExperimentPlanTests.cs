using Harness.Experiments.Plan;

namespace Harness.Tests.Experiments.Plan;

public class ExperimentPlanTests
{
    private const string Grid = "factors: {async-dio: [off, on], max-write: [128K, 256K, 1M], threads: 1}";

    [Fact]
    public void FullFactorialHasEveryCombinationTheBaselineFirst() => AssertConfigurations(
        Grid + "\nbaseline: {max-write: 256K}",
        [
            "async-dio=off max-write=256K threads=1",
            "async-dio=off max-write=128K threads=1",
            "async-dio=off max-write=1M threads=1",
            "async-dio=on max-write=128K threads=1",
            "async-dio=on max-write=256K threads=1",
            "async-dio=on max-write=1M threads=1",
        ]);

    [Fact]
    public void LadderAddsOneOptimizationAfterAnother() => AssertConfigurations(
        Grid + "\ndesign: ladder",
        [
            "async-dio=off max-write=128K threads=1",
            "async-dio=on max-write=128K threads=1",
            "async-dio=on max-write=256K threads=1",
            "async-dio=on max-write=1M threads=1",
        ]);

    [Fact]
    public void OneAtATimeLeavesAllOthersAtTheBaseline() => AssertConfigurations(
        Grid + "\ndesign: one-at-a-time\nbaseline: {async-dio: on}",
        [
            "async-dio=on max-write=128K threads=1",
            "async-dio=off max-write=128K threads=1",
            "async-dio=on max-write=256K threads=1",
            "async-dio=on max-write=1M threads=1",
        ]);

    [Fact]
    public void NothingThatVariesIsOneConfiguration() => AssertConfigurations("latency: 1us", ["default"]);

    [Fact]
    public void LabelIsTheNameInShort() => Assert.Equal(
        ["sync 128K 1 thr", "async 128K 1 thr", "async 256K 1 thr", "async 1M 1 thr"],
        Plan(Grid + "\ndesign: ladder").Configurations.Select(configuration => configuration.Label));

    [Fact]
    public void MountGetsFixedKnobsAndLevels() => Assert.Equal(
        "--backend memory --latency 200us --threads 4 --no-async-dio --max-write 128K",
        string.Join(' ', Plan("latency: 200us\nmount: {threads: 4}\nfactors: {async-dio: off, max-write: 128K}") is var plan
            ? plan.Baseline.MountArguments(plan.Experiment.Backend)
            : []));

    [Fact]
    public void RandomSubsetDependsOnTheSeedAlone()
    {
        string[][] samples =
        [
            .. Enumerable.Range(1, 20).Select(seed => Names(Plan($"{Grid}\ndesign: {{random-subset: 3}}\nseed: {seed}")).ToArray()),
        ];
        Assert.Equal(samples[0], Names(Plan(Grid + "\ndesign: {random-subset: 3}\nseed: 1")));
        Assert.All(samples, sample => Assert.Equal("async-dio=off max-write=128K threads=1", sample[0]));
        Assert.Equal(6, samples.SelectMany(sample => sample).Distinct().Count());
    }

    [Fact]
    public void BlocksAreAddedForAsLongAsTheCallerWantsThem()
    {
        ExperimentPlan plan = Plan("until: {confidence-width: 5%, max-repetitions: 6}\nfactors: {threads: [1, 2]}");
        var asked = new List<int>();
        int taken = 0;
        foreach (Trial trial in plan.Trials(blocks =>
        {
            Assert.Equal(blocks * plan.CellCount, taken);
            asked.Add(blocks);
            return blocks < 5;
        }))
        {
            taken++;
            Assert.InRange(trial.Block, 0, 4);
        }

        Assert.Equal([3, 4, 5], asked);
        Assert.Equal(10, taken);
        Assert.Equal((6, 12), (plan.TrialsMinimum, plan.TrialsMaximum));
        Assert.Equal(12, plan.Trials(_ => true).Count());
    }

    [Fact]
    public void FixedRepetitionsAskNobody() =>
        Assert.Equal(4, Plan("repetitions: 4").Trials(_ => throw new InvalidOperationException("asked")).Count());

    [Fact]
    public void EstimateLearnsTheOverheadOfTrials()
    {
        ExperimentPlan plan = Plan("repetitions: 10\nruntime: 1s\nramp_time: 500ms");
        var estimate = new TimeEstimate();
        Assert.Equal(TimeSpan.FromSeconds(21), estimate.Of(plan));

        Trial[] trials = [.. plan.Trials(_ => false)];
        estimate.Add(trials[0], TimeSpan.FromSeconds(1.7));
        estimate.Add(trials[1], TimeSpan.FromSeconds(1.9));
        Assert.Equal(TimeSpan.FromSeconds(0.3), estimate.Overhead);
        Assert.Equal(TimeSpan.FromSeconds(8 * 1.8), estimate.Of(trials.Skip(2)));

        estimate.Add(trials[2], TimeSpan.FromSeconds(0.1));
        Assert.Equal(TimeSpan.FromSeconds(0.2), estimate.Overhead);
    }

    private static ExperimentPlan Plan(string lines) => ExperimentPlan.Of(PlanTexts.Read(PlanTexts.Experiment(lines)));

    private static IEnumerable<string> Names(ExperimentPlan plan) => plan.Configurations.Select(configuration => configuration.Name);

    private static void AssertConfigurations(string lines, string[] names) => Assert.Equal(names, Names(Plan(lines)));
}
