using Harness.Experiments.Plan;

namespace Harness.Tests.Experiments.Plan;

public class ExperimentPlanPropertyTests
{
    [Fact]
    public void EveryBlockHasEachCellExactlyOnce() => PlanGenerators.Check(experiment =>
    {
        var plan = ExperimentPlan.Of(experiment);
        HashSet<(Configuration, string)> cells =
            [.. from configuration in plan.Configurations from workload in experiment.Workloads select (configuration, workload.Name)];
        Trial[] trials = [.. plan.Trials(_ => true)];
        Assert.Equal(plan.TrialsMaximum, trials.Length);
        Trial[][] blocks = [.. trials.Chunk(plan.CellCount)];
        Assert.Equal(experiment.Repetitions.Maximum, blocks.Length);
        for (int block = 0; block < blocks.Length; block++)
        {
            Assert.All(blocks[block], trial => Assert.Equal(block, trial.Block));
            Assert.Equal(cells, [.. blocks[block].Select(trial => (trial.Configuration, trial.Workload.Name))]);
        }
    });

    [Fact]
    public void SameExperimentGivesTheSameOrder() => PlanGenerators.Check(experiment =>
        Assert.Equal(Keys(ExperimentPlan.Of(experiment)), Keys(ExperimentPlan.Of(experiment))));

    [Fact]
    public void ResumedTrialsAreTheMissingOnesInTheirOrder() => PlanGenerators.Check(experiment =>
    {
        var plan = ExperimentPlan.Of(experiment);
        TrialKey[] all = [.. Keys(plan)];
        var random = new Random(experiment.Seed);
        HashSet<TrialKey> completed = [.. all.Where(_ => random.Next(2) == 0), new TrialKey(99, "no such", "w0")];
        Assert.Equal(all.Where(key => !completed.Contains(key)), plan.Resume(completed, _ => true).Select(trial => trial.Key));

        int prefix = random.Next(all.Length + 1);
        Assert.Equal(all[prefix..], plan.Resume(all[..prefix].ToHashSet(), _ => true).Select(trial => trial.Key));
    });

    [Fact]
    public void ConfigurationsHaveUniqueNamesAndLabelsAndAreAsManyAsTheDesignSays() => PlanGenerators.Check(experiment =>
    {
        IReadOnlyList<Configuration> configurations = ExperimentPlan.Of(experiment).Configurations;
        Assert.Equal(configurations.Count, configurations.Select(configuration => configuration.Name).Distinct().Count());
        Assert.Equal(configurations.Count, configurations.Select(configuration => configuration.Label).Distinct().Count());
        Assert.Equal(experiment.Design.Count(experiment.Factors), configurations.Count);
    });

    [Fact]
    public void BaselineComesFirst() => PlanGenerators.Check(experiment =>
    {
        var plan = ExperimentPlan.Of(experiment);
        Assert.All(experiment.Factors, factor => Assert.Equal(factor.Levels[factor.BaselineLevel], plan.Baseline.Settings[factor.Knob]));
    });

    [Fact]
    public void LadderChangesOneFactorPerStepAndOneAtATimeOneFromTheBaseline() => PlanGenerators.Check(experiment =>
    {
        int[][] ladder = [.. new Ladder().Points(experiment.Factors, new Random(0))];
        int[][] alone = [.. new OneAtATime().Points(experiment.Factors, new Random(0))];
        Assert.All(ladder.Skip(1).Zip(ladder), step => Assert.Equal(1, Distance(step.First, step.Second)));
        Assert.All(alone.Skip(1), point => Assert.Equal(1, Distance(point, alone[0])));
    });

    [Fact]
    public void OrderOfCellsIsMixedWithinAndDiffersBetweenBlocks()
    {
        ExperimentPlan plan = ExperimentPlan.Of(PlanTexts.Read(PlanTexts.Experiment("repetitions: 200\nfactors: {threads: [1, 2, 3, 4]}")));
        // Over 200 blocks of four cells each cell comes first about 50 times; fewer than 20 has odds below one in a million.
        var first = plan.Trials(_ => false).Chunk(plan.CellCount).CountBy(block => block[0].Configuration.Name).ToDictionary();
        Assert.Equal(4, first.Count);
        Assert.All(first.Values, count => Assert.InRange(count, 20, 80));
    }

    private static IEnumerable<TrialKey> Keys(ExperimentPlan plan) => plan.Trials(_ => true).Select(trial => trial.Key);

    private static int Distance(int[] left, int[] right) => left.Zip(right).Count(pair => pair.First != pair.Second);
}
