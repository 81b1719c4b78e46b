using System.Text;
using Harness.Results.Analysis;
using Harness.Results.Maps;
using Harness.Results.Records;
using Harness.Results.Statistics;

namespace Harness.Tests.Results.Maps;

/// <summary>Where things lie in a picture, tested on the scene before it is painted.</summary>
public sealed class HeatMapTests
{
    private static readonly MapCaption Caption = new("a run", "Linux 6.18.0", "2 CPUs, 1 NUMA node, 24 GiB");

    [Fact]
    public void NoTextOverlapsAnotherOrLeavesThePictureWhateverTheNames()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            var random = new Random(seed);
            ExperimentOutline[] outlines = [.. Enumerable.Range(0, random.Next(1, 4)).Select(i => RandomOutline(random, i))];

            Scene scene = Compose(RandomTrials(random, outlines), outlines);

            var picture = new Box(0, 0, scene.Width, scene.Height);
            Box[] cells = [.. Cells(scene)];
            bool LeavesItsCell(Label label) => cells.Any(cell => Overlap(cell, label.Box) && !Contains(cell, label.Box));
            string? trouble =
                scene.Labels.FirstOrDefault(label => !Contains(picture, label.Box)) is { } lost ? $"{lost} leaves {picture}"
                : scene.Shapes.FirstOrDefault(shape => !Contains(picture, shape.Box)) is { } stray ? $"{stray} leaves {picture}"
                : scene.Labels.FirstOrDefault(LeavesItsCell) is { } wide ? $"{wide} does not fit its cell"
                : FirstOverlap(scene.Labels) is var (one, other) ? $"{one} overlaps {other}"
                : null;
            Assert.True(trouble is null, $"{trouble} (new Random({seed}))");
        }
    }

    [Fact]
    public void EveryCellShowsItsValueAndRatioAndMarksTheInconclusive()
    {
        ExperimentOutline outline = new("e", [new("rand 4k", Metric.Iops)], ["base", "fast", "same", "failed", "none"], "base");
        TrialRecord[] trials =
        [
            .. Run("base", 10_000, 10_100, 9_900),
            .. Run("fast", 20_000, 20_300, 19_700),
            .. Run("same", 10_050, 10_000, 10_000),
            Trials.Failed(Trials.Of("failed", workload: "rand 4k")),
        ];

        string[] texts = [.. Compose(trials, outline).Labels.Select(label => label.Text)];

        Assert.Contains("10.0 K IOPS", texts);
        Assert.Contains("baseline", texts);
        Assert.Contains("20.0 K IOPS", texts);
        Assert.Contains("×2.00", texts);
        Assert.Contains("×1.00 ?", texts);
        Assert.Contains("failed †", texts);
        Assert.Contains("–", texts);
        Assert.Contains(texts, text => text.Contains("results.csv says why"));
        Assert.Contains(Caption.Run + " · " + Caption.Kernel + " · " + Caption.Machine, texts);
    }

    [Fact]
    public void ExactlyTheBaselinesColumnIsFramed()
    {
        ExperimentOutline outline = new("e", [new("w", Metric.Iops), new("v", Metric.Iops)], ["a", "base", "c"], "base");

        Scene scene = Compose([], outline);

        Box frame = Assert.Single(scene.Shapes, shape => shape.Stroke == HeatMap.Ink).Box;
        IEnumerable<string> framed = scene.Labels.Where(label => Contains(frame, label.Box)).Select(label => label.Text);
        Assert.Equal(["base", "baseline", "baseline", "–", "–"], framed.Order());
    }

    [Fact]
    public void MoreConfigurationsThanFitTakeSeveralPanelsEachWithTheBaseline()
    {
        string[] configurations = [.. Enumerable.Range(0, 30).Select(i => $"c{i}")];
        ExperimentOutline outline = new("wide", [new("w", Metric.Iops)], configurations, "c5");

        Scene scene = Compose([], outline);

        Assert.All(configurations, name => Assert.Equal(name == "c5" ? 3 : 1, scene.Labels.Count(label => label.Text == name)));
        Assert.Contains(scene.Labels, label => label.Text == "wide (3 of 3)");
        Assert.True(scene.Width < 2_500);
    }

    [Fact]
    public void ARunOfManyExperimentsSaysWhatThePictureLeavesOut()
    {
        ExperimentOutline[] outlines =
            [.. Enumerable.Range(0, 200).Select(i => new ExperimentOutline($"e{i}", [new("w", Metric.Iops)], ["base"], "base"))];

        Scene scene = Compose([], outlines);

        Assert.InRange(scene.Height, HeatMap.MaxPanelTop, HeatMap.MaxPanelTop + 500);
        int drawn = scene.Labels.Count(label => label.Text == "baseline");
        Assert.Contains(scene.Labels, label => label.Text.StartsWith($"{200 - drawn} more panels"));
    }

    internal static IEnumerable<Box> Cells(Scene scene) =>
        scene.Shapes.Where(shape => shape.Stroke == HeatMap.Hairline && shape.Fill.A > 0).Select(shape => shape.Box);

    private static Scene Compose(IReadOnlyList<TrialRecord> trials, params ExperimentOutline[] outlines) =>
        new HeatMap("Throughput", Direction.HigherIsBetter, ComparisonTable.OfSpeed(outlines, trials, 1), Caption).Compose();

    private static IEnumerable<TrialRecord> Run(string configuration, params double[] iops) =>
        iops.Select((value, block) => Trials.Of(configuration, block, value, "rand 4k"));

    private static ExperimentOutline RandomOutline(Random random, int index)
    {
        string[] configurations = [.. Enumerable.Range(0, random.Next(1, 20)).Select(i => RandomName(random) + i)];
        IEnumerable<string> names = Enumerable.Range(0, random.Next(1, 6)).Select(i => RandomName(random) + i);
        WorkloadOutline[] workloads = [.. names.Select(name => new WorkloadOutline(name, Metric.SpeedFor(1 << random.Next(12, 21))))];
        return new(RandomName(random) + index, workloads, configurations, configurations[random.Next(configurations.Length)]);
    }

    private static string RandomName(Random random)
    {
        const string alphabet = "aWi  --_=/,.é語😀\n0123456789";
        Rune[] runes = [.. alphabet.EnumerateRunes()];
        int length = (int)Math.Exp(random.NextDouble() * 5.5);
        return string.Concat(Enumerable.Range(0, length).Select(_ => runes[random.Next(runes.Length)]));
    }

    private static List<TrialRecord> RandomTrials(Random random, ExperimentOutline[] outlines) =>
    [
        .. from outline in outlines
           from workload in outline.Workloads
           from configuration in outline.Configurations
           from block in Enumerable.Range(0, random.Next(0, 4))
           let trial = Trials.Of(configuration, block, Math.Exp(random.NextDouble() * 20), workload.Name, outline.Name)
           select random.Next(5) == 0 ? Trials.Failed(trial) : trial,
    ];

    private static (Label One, Label Other)? FirstOverlap(IReadOnlyList<Label> labels)
    {
        for (int i = 0; i < labels.Count; i++)
        {
            for (int j = 0; j < i; j++)
            {
                if (Overlap(labels[i].Box, labels[j].Box))
                {
                    return (labels[i], labels[j]);
                }
            }
        }
        return null;
    }

    private static bool Contains(Box outer, Box inner) =>
        outer.Left <= inner.Left && outer.Top <= inner.Top && inner.Right <= outer.Right && inner.Bottom <= outer.Bottom;

    private static bool Overlap(Box one, Box other) =>
        one.Left < other.Right && other.Left < one.Right && one.Top < other.Bottom && other.Top < one.Bottom;
}
