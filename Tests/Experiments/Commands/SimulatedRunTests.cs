using Harness.Results.Records;

namespace Harness.Tests.Experiments.Commands;

/// <summary><c>./harness run</c> in the simulated world, as processes of their own.</summary>
public sealed class SimulatedRunTests : IDisposable
{
    private const string Plan = """
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
        File.WriteAllText(plan, Plan);
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

    [Fact]
    public void WhatIsNotModelledIsRefusedByNameBeforeAnythingRuns()
    {
        string plan = Path.Combine(_directory, "plan.yaml");
        File.WriteAllText(plan, Plan.Replace("factors: {", "mount: {spin: 20us}\n    factors: {", StringComparison.Ordinal));
        (int code, _, string errors) = HarnessProcess.RunIn(_directory, "run", plan, "--out", Path.Combine(_directory, "out"));
        Assert.Equal(2, code);
        Assert.Contains("spin=20us is not modelled by the simulated kernel", errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_directory, "out")));
    }
}
