using Harness.Experiments.Plan;
using Harness.Experiments.Plan.Reading;
using Harness.Experiments.Plan.Workloads;
using Xunit.Abstractions;

namespace Harness.Tests.Experiments.Plan;

/// <summary>Damages the shipped plan at random. A failure names its seed; <see cref="MutatedPlanNeverThrows"/> with that seed alone replays it.</summary>
public class PlanFuzzTests(ITestOutputHelper output)
{
    private const int Rounds = 400;
    private const string Spice = "{}[]:,-&*!|>'\"%@`#?~\\\n\t \r<=0129KMsu\u0085\u2028\uFEFF\uD83D\u00e4";

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void MutatedPlanNeverThrows(int seed)
    {
        string[] sources = [File.ReadAllText(PlanTexts.Shipped()), Everything()];
        var random = new Random(seed);
        int valid = 0;
        for (int round = 0; round < Rounds; round++)
        {
            string text = Mutate(sources[round % sources.Length], random);
            try
            {
                PlanReading reading = PlanFile.Parse("plan.yaml", text);
                valid += reading.IsValid ? 1 : 0;
                AssertSound(reading);
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"seed {seed}, round {round}, text:\n{text}", failure);
            }
        }

        output.WriteLine($"{valid} of {Rounds} were still valid plans");
        Assert.InRange(valid, 1, Rounds - 1);
    }

    [Fact]
    public void PlanThatUsesEveryKeyIsValid() => Assert.Empty(PlanTexts.Errors(Everything()));

    private static string Everything() => """
        experiments:
          - name: everything
            description: >
              folded
              text
            world: auto
            backend: {passthrough: /srv/data}
            latency: 1.5ms
            mount: {threads: 4, channel: dev-fuse, congestion-threshold: 5}
            factors: &factors
              max-readahead: [0, 128K]
              async-dio: [no, yes]
              max-background: [1, 12, 64]
            baseline: {async-dio: yes}
            design: {random-subset: 5}
            until: {confidence-width: 2.5%, max-repetitions: 9}
            runtime: 500ms
            workloads:
              - {name: w1, rw: randrw, rwmixread: 70, bs: "4k,8k", size: 4MiB, thinktime: 10us, rate_iops: 100}
              - {name: w2, rw: write, size: 4M, verify: crc32c, numjobs: 2, buffer_compress_percentage: 50}
              - {name: w3, rw: read, size: 4M, time_based: off, loops: 2, ioengine: io_uring, iodepth: 8, fixedbufs: 1}
          - name: another
            backend: "null"
            factors: {<<: *factors, max-write: 1M}
            design: ladder
            workloads: [{name: w, rw: read, size: 1G, direct: true, numjobs: 16, runtime: 10ms, ramp_time: 0s}]
            quick: {repetitions: 2, runtime: 20ms, ramp_time: 10ms}
        """;

    private static void AssertSound(PlanReading reading)
    {
        Assert.Equal(reading.IsValid, reading.Experiments.Count > 0);
        Assert.All(reading.Errors, error =>
        {
            Assert.NotEmpty(error.Message);
            Assert.True(error is { Line: > 0, Column: > 0 } or { Line: 0, Column: 0 }, error.ToString());
            Assert.DoesNotContain(error.Message, char.IsControl);
        });
        foreach (Experiment experiment in reading.Quick().Experiments.Where(experiment => experiment.Design.Count(experiment.Factors) < 100))
        {
            var plan = ExperimentPlan.Of(experiment);
            Assert.NotEmpty(plan.Trials(_ => false).Take(10));
            Assert.All(experiment.Workloads, workload => Assert.NotEmpty(FioJob.Render(workload, experiment.Backend, "/mnt")));
        }
    }

    private static string Mutate(string text, Random random)
    {
        for (int edits = random.Next(1, 4); edits > 0 && text.Length > 0; edits--)
        {
            int at = random.Next(text.Length);
            int length = random.Next(Math.Min(12, text.Length - at));
            int from = random.Next(text.Length);
            string piece = text.Substring(from, random.Next(Math.Min(30, text.Length - from)));
            string spice = Spice[random.Next(Spice.Length)].ToString();
            text = random.Next(5) switch
            {
                0 => text.Remove(at, length),
                1 => text.Insert(at, piece),
                2 => text.Remove(at, length).Insert(at, piece),
                3 => text.Insert(at, spice),
                _ => text.Remove(at, 1).Insert(at, spice),
            };
        }

        return text;
    }
}
