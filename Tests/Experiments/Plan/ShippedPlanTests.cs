using Harness.Experiments.Plan;
using Harness.Experiments.Plan.Reading;
using Harness.Experiments.Plan.Workloads;

namespace Harness.Tests.Experiments.Plan;

public class ShippedPlanTests
{
    private readonly PlanReading shipped = PlanFile.Load(PlanTexts.Shipped());

    [Fact]
    public void ShippedPlanIsValidAndHasTheThreeOptimizations()
    {
        Assert.Empty(shipped.Errors);
        Assert.Equal(["async-direct-io", "parallel-direct-io", "writeback-cache"], shipped.Experiments.Select(experiment => experiment.Name));
        Assert.Equal(File.ReadAllText(PlanTexts.Shipped()), shipped.Text);
    }

    [Fact]
    public void EachOptimizationIsComparedOverThreeMessageSizes() => Assert.All(shipped.Experiments, experiment =>
    {
        Assert.Equal("latency=200us", experiment.Mount.ToString().Split(' ')[0]);
        Assert.Equal(Backend.Memory, experiment.Backend.Name);
        string knob = experiment.Name == "writeback-cache" ? "writeback" : "async-dio";
        Assert.Equal(
            from level in new[] { "off", "on" } from size in new[] { "128K", "256K", "1M" } select $"{knob}={level} max-write={size}",
            ExperimentPlan.Of(experiment).Configurations.Select(configuration => configuration.Name));
    });

    [Fact]
    public void WholeRunIsPlannedBelowTenMinutesAndQuickBelowTwo()
    {
        Assert.InRange(Time(shipped), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(9));
        Assert.InRange(Time(shipped.Quick()), TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(110));
    }

    [Fact]
    public void QuickRunHasBlocksEnoughForAnInterval() => Assert.All(
        shipped.Quick().Experiments,
        experiment => Assert.True(experiment.Repetitions.Minimum >= Repetitions.MinimumForInterval));

    [Fact]
    public void BufferedWritesAreNotMeasuredByThePageCacheAlone() => Assert.All(
        shipped.Experiments.Single(experiment => experiment.Name == "writeback-cache").Workloads,
        workload => Assert.Contains(workload.Settings, setting => setting.Key.Name == "fsync" && setting.Value.Number > 0));

    [Fact]
    public void EveryWorkloadBecomesAJob() => Assert.All(
        shipped.Experiments.SelectMany(experiment => experiment.Workloads.Select(workload => FioJob.Render(workload, experiment.Backend, "/mnt"))),
        job => Assert.Contains("runtime=1s\nramp_time=200ms\nfallocate=truncate\n", job, StringComparison.Ordinal));

    [Fact]
    public void TheScalingPlanIsValidSimulatedAndGoesFromOneJobTo128()
    {
        PlanReading scaling = PlanFile.Load(Path.Combine(Path.GetDirectoryName(PlanTexts.Shipped())!, "scaling.yaml"));
        Assert.Empty(scaling.Errors);
        Assert.All(scaling.Experiments, experiment => Assert.Null(ExperimentPlan.Of(experiment).RefusedInSimulation("scaling.yaml")));
        Assert.All(scaling.Experiments, experiment => Assert.Equal(World.Simulated, experiment.World));
        Experiment queues = Assert.Single(scaling.Experiments, experiment => experiment.Name == "queues");
        Assert.Equal([1, 2, 4, 8, 16, 32, 64, 128], queues.Workloads.Select(workload => workload.Number(FioKeys.NumJobs, 0)));
    }

    private static TimeSpan Time(PlanReading reading) =>
        reading.Experiments.Aggregate(TimeSpan.Zero, (sum, experiment) => sum + new TimeEstimate().Of(ExperimentPlan.Of(experiment)));
}
