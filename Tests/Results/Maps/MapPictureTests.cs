using Harness.Results.Analysis;
using Harness.Results.Maps;
using Harness.Results.Records;
using SkiaSharp;

namespace Harness.Tests.Results.Maps;

/// <summary>What really is in the PNG files.</summary>
public sealed class MapPictureTests : IDisposable
{
    private static readonly MapCaption Caption = new("a run", "Linux 6.18.0", "2 CPUs");

    private static readonly ExperimentOutline Outline = new("e", [new("w", Metric.Iops)], ["base", "fast", "slow"], "base");

    private static readonly TrialRecord[] Run =
    [
        .. Enumerable.Range(0, 3).Select(block => Trials.Of("base", block, 10_000 + block)),
        .. Enumerable.Range(0, 3).Select(block => Trials.Of("fast", block, 30_000 - block)),
        .. Enumerable.Range(0, 3).Select(block => Trials.Of("slow", block, 4_000)),
    ];

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    /// <summary>SkiaSharp draws nothing for text when it finds no font, and says nothing; so the ink itself is looked for.</summary>
    [Fact]
    public void TheInkOfEveryLabelIsInThePictureWithinItsBox()
    {
        Scene scene = Compose(Metric.Iops);
        var blank = new Scene { Width = scene.Width, Height = scene.Height };
        foreach (Shape shape in scene.Shapes)
        {
            if (shape.Fill.A > 0)
            {
                blank.Fill(shape.Box, shape.Fill, shape.Stroke);
            }
            else
            {
                blank.Frame(shape.Box, shape.Stroke, shape.StrokeWidth);
            }
        }
        using SKBitmap painted = Decode(ScenePainter.Png(scene));
        using SKBitmap background = Decode(ScenePainter.Png(blank));
        var inked = new HashSet<Label>();
        for (int y = 0; y < painted.Height; y++)
        {
            for (int x = 0; x < painted.Width; x++)
            {
                if (painted.GetPixel(x, y) != background.GetPixel(x, y))
                {
                    Label? owner = scene.Labels.FirstOrDefault(label => Around(label.Box, x / 2.0, y / 2.0));
                    Assert.True(owner is not null, $"there is ink at {x / 2.0}, {y / 2.0}, where no label is");
                    inked.Add(owner);
                }
            }
        }
        Assert.Equal(scene.Labels, inked.OrderBy(label => scene.Labels.ToList().IndexOf(label)));
    }

    [Fact]
    public void TextIsDrawnInTheEmbeddedFontAndNeedsNoneOfTheSystem()
    {
        ScenePainter.Png(Compose(Metric.Iops));

        foreach (bool bold in new[] { false, true })
        {
            SKTypeface typeface = InterFont.Typeface(bold);
            Assert.StartsWith("Inter", typeface.FamilyName);
            Assert.Same(typeface, ScottPlot.Fonts.GetTypeface(InterFont.Name, bold, italic: false));
            Assert.True(typeface.ContainsGlyphs("azAZ09.,%×µ†–·≤≥?"));
        }
        Assert.NotEqual(new TextStyle(14).Width("baseline"), new TextStyle(14, Bold: true).Width("baseline"));
    }

    [Fact]
    public void BlueIsBetterAndOrangeIsWorseForThroughputAndLatencyAlike()
    {
        foreach (Metric metric in new[] { Metric.Iops, Metric.LatencyP99 })
        {
            Scene scene = Compose(metric);
            using SKBitmap picture = Decode(ScenePainter.Png(scene));
            SKColor[] cells = [.. HeatMapTests.Cells(scene).Select(cell =>
                picture.GetPixel((int)(2 * cell.Left) + 8, (int)(2 * cell.Top) + 8))];

            Assert.Equal(3, cells.Length);
            Assert.Equal(SKColors.White, cells[0]);
            Assert.True(cells[1].Blue > cells[1].Red + 50, $"{metric} better is {cells[1]}");
            Assert.True(cells[2].Red > cells[2].Blue + 50, $"{metric} worse is {cells[2]}");
        }
    }

    [Fact]
    public void BothMapsAreWrittenWholeAndTheSameEveryTime()
    {
        foreach (string name in new[] { "1", "2" })
        {
            ThroughputMap.Write(directory[$"throughput{name}.png"], [Outline], Run, 1, Caption);
            LatencyMap.Write(directory[$"latency{name}.png"], [Outline], Run, 1, Caption);
        }

        Assert.Equal(["latency1.png", "latency2.png", "throughput1.png", "throughput2.png"], directory.Names.Order());
        Assert.Equal(File.ReadAllBytes(directory["throughput1.png"]), File.ReadAllBytes(directory["throughput2.png"]));
        Assert.Equal(File.ReadAllBytes(directory["latency1.png"]), File.ReadAllBytes(directory["latency2.png"]));
        Assert.NotEqual(File.ReadAllBytes(directory["throughput1.png"]), File.ReadAllBytes(directory["latency1.png"]));
    }

    [Fact]
    public void AVeryTallPictureIsStillPainted()
    {
        var scene = new Scene { Width = 300, Height = HeatMap.MaxPanelTop + 500 };
        scene.Write("at the end", new(10, scene.Height - 40, 200, 20), new TextStyle(14), HeatMap.Ink);

        using SKBitmap picture = Decode(ScenePainter.Png(scene));

        Assert.Equal((300, (int)scene.Height), (picture.Width, picture.Height));
        Assert.Contains(picture.Pixels.TakeLast(300 * 40), pixel => pixel != SKColors.White);
    }

    private static Scene Compose(Metric metric) =>
        new HeatMap("Map", metric.Direction, ComparisonTable.Of([Outline], Run, _ => metric, 1), Caption).Compose();

    private static SKBitmap Decode(byte[] png) => SKBitmap.Decode(png);

    /// <summary>With a pixel to spare for smoothed edges and for letters that lean out of their advance width.</summary>
    private static bool Around(Box box, double x, double y) =>
        box.Left - 1.5 <= x && x <= box.Right + 1.5 && box.Top - 1.5 <= y && y <= box.Bottom + 1.5;
}
