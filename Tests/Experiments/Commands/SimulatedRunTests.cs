using Harness.Experiments.Plan;
using Harness.Experiments.Plan.Reading;
using Harness.Results.Records;

namespace Harness.Tests.Experiments.Commands;

/// <summary><c>./harness run</c> in the simulated world, as processes of their own.</summary>
public sealed class SimulatedRunTests : IDisposable
{
    private const string Tiny = """
        experiments:
          - name: tiny
            world: simulated
            machine: 2x20
            backend: "null"
            factors: {channel: [dev-fuse, io-uring]}
            workloads:
              - {name: one, rw: randread, bs: 4k, size: 4M, direct: 1}
              - {name: two, rw: randread, bs: 4k, size: 4M, direct: 1, numjobs: 2}
              - {name: four, rw: randread, bs: 4k, size: 4M, direct: 1, numjobs: 4}
            runtime: 10ms
            ramp_time: 0ms
            repetitions: 1
        """;

    private readonly string _directory = Directory.CreateTempSubdirectory("harness-simulated-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void TwoProcessesGiveTheSameTraceHashesAndLeaveScalingCurves()
    {
        string plan = Path.Combine(_directory, "plan.yaml");
        File.WriteAllText(plan, Tiny);
        string[] outs = [Path.Combine(_directory, "first"), Path.Combine(_directory, "second")];
        HarnessProcess[] processes = [.. outs.Select(@out => HarnessProcess.StartIn(_directory, "run", plan, "--out", @out))];
        foreach (HarnessProcess process in processes)
        {
            (int code, string output, string errors) = process.Wait();
            Assert.True(code == 0, errors);
            Assert.Contains("scaling.png", output, StringComparison.Ordinal);
            process.Dispose();
        }

        string[][] traces = [.. outs.Select(@out => File.ReadAllLines(Path.Combine(@out, "latest", "traces.csv")).Order().ToArray())];
        Assert.Equal(6, traces[0].Length);
        Assert.Equal(6, traces[0].Select(line => line.Split(',')[^1]).Distinct().Count());
        Assert.Equal(traces[0], traces[1]);
        Assert.All(outs, @out => Assert.True(new FileInfo(Path.Combine(@out, "latest", "scaling.png")).Length > 1000));
        Assert.All(
            ResultsFile.Read(Path.Combine(outs[0], "latest", "results.csv")), trial => Assert.True(trial.Measured!.Iops > 0, $"{trial.Key}"));
    }

    [Theory]
    [InlineData("mount: {cache-dir: on}", "{name: a, rw: read, size: 4M}", "cache-dir=on is not modelled by the simulated kernel")]
    [InlineData("mount: {threads: 2}", "{name: a, rw: read, size: 4M, time_based: off}", "a: time_based: off is not modelled by simulated applications")]
    [InlineData("mount: {threads: 2}", "{name: a, rw: read, size: 4M, ioengine: mmap}", "a: ioengine=mmap is not modelled by simulated applications")]
    [InlineData("mount: {threads: 2}", "{name: a, rw: read, size: 4M, nrfiles: 2}", "a: nrfiles is not modelled by simulated applications")]
    public void WhatIsNotModelledIsRefusedByNameWithItsPlace(string mount, string workload, string says)
    {
        string text = $"experiments:\n  - name: x\n    world: simulated\n    backend: memory\n    {mount}\n    workloads: [{workload}]\n";
        PlanReading reading = PlanFile.Parse("plan.yaml", text);
        Assert.Empty(reading.Errors);
        PlanError? refused = ExperimentPlan.Of(Assert.Single(reading.Experiments)).RefusedInSimulation("plan.yaml");
        Assert.NotNull(refused);
        Assert.Equal(("plan.yaml", 2), (refused.File, refused.Line));
        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
    }
}
