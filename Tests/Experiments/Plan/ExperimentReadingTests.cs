using Harness.Experiments.Plan;
using Harness.Experiments.Plan.Reading;
using Harness.Experiments.Plan.Workloads;

namespace Harness.Tests.Experiments.Plan;

public class ExperimentReadingTests
{
    [Fact]
    public void WhatThePlanLeavesOutHasItsDefault()
    {
        Experiment experiment = PlanTexts.Read(PlanTexts.Experiment(""));
        Assert.Equal(("a", "", World.Auto, 1), (experiment.Name, experiment.Description, experiment.World, experiment.Seed));
        Assert.Equal(new Backend("memory", null), experiment.Backend);
        Assert.Empty(experiment.Mount.Knobs);
        Assert.Empty(experiment.Factors);
        Assert.IsType<FullFactorial>(experiment.Design);
        Assert.Equal(Repetitions.Fixed(5), experiment.Repetitions);
        Workload workload = Assert.Single(experiment.Workloads);
        Assert.Equal(new Timing(TimeSpan.FromSeconds(1), TimeSpan.Zero), workload.Timing);
        Assert.Equal("4K", workload.Find(FioKeys.Bs)?.Text);
    }

    [Fact]
    public void EveryKeyReachesTheExperiment()
    {
        Experiment experiment = PlanTexts.Read("""
            experiments:
              - name: a
                description: why
                world: real
                backend: {passthrough: /srv/x y}
                latency: 1ms
                mount: {threads: 3}
                factors:
                  writeback: [on, off]
                  max-background: 5
                workloads:
                  - {name: w, rw: randrw, rwmixread: 70, bs: 8k, size: 1M, runtime: 2s}
                  - {name: v, rw: write, size: 1M}
                baseline: {writeback: off}
                design: {random-subset: 2}
                until: {confidence-width: 5%, max-repetitions: 7}
                seed: 42
                runtime: 250ms
                ramp_time: 50ms
                quick: {repetitions: 4, runtime: 30ms, ramp_time: 0us}
            """);
        Assert.Equal(("why", World.Real, 42), (experiment.Description, experiment.World, experiment.Seed));
        Assert.Equal("passthrough:/srv/x y", experiment.Backend.MountArgument);
        Assert.Equal("latency=1ms threads=3", experiment.Mount.ToString());
        Assert.Equal(["writeback", "max-background"], experiment.Factors.Select(factor => factor.Knob.Name));
        Assert.Equal((1, 0), (experiment.Factors[0].BaselineLevel, experiment.Factors[1].BaselineLevel));
        Assert.Equal(new RandomSubset(2), experiment.Design);
        Assert.Equal(new Repetitions(3, 7, 0.05), experiment.Repetitions);
        Assert.Equal(new Timing(TimeSpan.FromSeconds(2), TimeSpan.FromMilliseconds(50)), experiment.Workloads[0].Timing);
        Assert.Equal(new Timing(TimeSpan.FromMilliseconds(250), TimeSpan.FromMilliseconds(50)), experiment.Workloads[1].Timing);
        Assert.Equal(["rw=randrw", "rwmixread=70", "bs=8K", "size=1M"], experiment.Workloads[0].Settings.Select(setting => $"{setting.Key}={setting.Value}"));
        Assert.Equal(new QuickOverrides(4, TimeSpan.FromMilliseconds(30), TimeSpan.Zero), experiment.QuickOverrides);
    }

    [Fact]
    public void MergedMapYieldsToTheMapsOwnKeysAndToEarlierMaps()
    {
        PlanReading reading = PlanFile.Parse("plan.yaml", """
            experiments:
              - &first
                name: a
                backend: memory
                seed: 7
                workloads: [&job {name: w, rw: read, size: 1M}]
              - <<: [{seed: 8, repetitions: 2}, *first]
                name: b
                workloads: [*job, {<<: *job, name: v}]
            """);
        Assert.Empty(reading.Errors);
        Experiment second = reading.Experiments[1];
        Assert.Equal(("b", 8, Repetitions.Fixed(2), "memory"), (second.Name, second.Seed, second.Repetitions, second.Backend.Name));
        Assert.Equal(["w", "v"], second.Workloads.Select(workload => workload.Name));
    }

    [Theory]
    [InlineData("rw: write\nverify: crc32c")]
    [InlineData("rw: write\ntime_based: off")]
    public void WorkloadThatVerifiesOrIsNotTimedEndsWithItsSize(string lines) =>
        Assert.Null(PlanTexts.Read(PlanTexts.Workload(lines)).Workloads[0].Timing);

    [Fact]
    public void QuickKeepsTheCellsAndShortensTheRest()
    {
        Experiment experiment = PlanTexts.Read(PlanTexts.Experiment("repetitions: 9\nruntime: 5s\nramp_time: 100ms\nfactors: {threads: [1, 2]}"));
        Experiment quick = experiment.Quick();
        Assert.Equal(Repetitions.Fixed(3), quick.Repetitions);
        Assert.Equal(new Timing(TimeSpan.FromMilliseconds(250), TimeSpan.FromMilliseconds(100)), quick.Workloads[0].Timing);
        Assert.Equal(
            ExperimentPlan.Of(experiment).Configurations.Select(configuration => configuration.Name),
            ExperimentPlan.Of(quick).Configurations.Select(configuration => configuration.Name));

        Experiment told = PlanTexts.Read(PlanTexts.Experiment("until: {confidence-width: 1%}\nquick: {repetitions: 4, runtime: 20ms, ramp_time: 10ms}")).Quick();
        Assert.Equal(Repetitions.Fixed(4), told.Repetitions);
        Assert.Equal(new Timing(TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(10)), told.Workloads[0].Timing);

        Experiment fewer = PlanTexts.Read(PlanTexts.Experiment("repetitions: 2")).Quick();
        Assert.Equal(Repetitions.Fixed(2), fewer.Repetitions);
        Assert.Null(PlanTexts.Read(PlanTexts.Workload("rw: write\nverify: md5")).Quick().Workloads[0].Timing);
    }

    [Fact]
    public void OnlyChoosesOneExperimentOrNamesTheNearest()
    {
        PlanReading reading = PlanFile.Load(PlanTexts.Shipped());
        Assert.Equal("writeback-cache", Assert.Single(reading.Only("writeback-cache", "p").Experiments).Name);

        PlanReading wrong = reading.Only("writeback-cash", "p");
        Assert.Empty(wrong.Experiments);
        Assert.Equal(
            "p: --only: no experiment has the name 'writeback-cash'; did you mean 'writeback-cache'? Allowed: async-direct-io, parallel-direct-io, writeback-cache",
            Assert.Single(wrong.Errors).ToString());
        Assert.Equal(
            "p: --only: no experiment has the name 'x'; allowed: async-direct-io, parallel-direct-io, writeback-cache",
            Assert.Single(reading.Only("x", "p").Errors).ToString());
    }

    [Fact]
    public void AClusterIsRefusedByTheSimulatedWorldByItsName()
    {
        var plan = ExperimentPlan.Of(PlanTexts.Read(
            "experiments: [{name: a, world: simulated, backend: {cluster: {cs: 2}}, workloads: [{name: w, rw: read, bs: 4k, size: 1M}]}]"));
        Assert.Equal(new ClusterShape(2, 2), plan.Experiment.Backend.Shape);
        Assert.Contains("the backend cluster is not modelled", plan.RefusedInSimulation("p")?.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void AChannelThatNoKernelHasIsRefusedByTheRealWorldAlone()
    {
        const string designs = "mount: {channel: global-lock}";
        var auto = ExperimentPlan.Of(PlanTexts.Read(PlanTexts.Experiment($"world: auto\n{designs}")));
        Assert.Equal(
            "p:2:5: the experiment 'a': channel=global-lock exists in simulation only; write world: simulated",
            auto.RefusedInRealWorld("p")?.ToString());
        var simulated = ExperimentPlan.Of(PlanTexts.Read(PlanTexts.Experiment($"world: simulated\n{designs}")));
        Assert.Null(simulated.RefusedInRealWorld("p"));
        Assert.Null(simulated.RefusedInSimulation("p"));
    }
}
