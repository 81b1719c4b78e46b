using Harness.Results.Maps;

namespace Harness.Tests.Results.Maps;

public sealed class StageChartTests
{
    private static readonly StageBar[] s_bars =
    [
        new("READ", "80,112 requests", [new("queue", 1), new("copy", 2), new("file system", 3)]),
        new("a workload with a long name, a configuration with a longer one: channel=io-uring, max-write=4M", "WRITE, 3 requests", [new("copy", 6), new("reply", 6)]),
    ];

    [Fact]
    public void PartsAreAsWideAsTheirTimesOnOneScaleForAllBars()
    {
        Shape[] parts = [.. StageChart.Compose("Title", ["caption"], [new("", s_bars)]).Shapes.Where(shape => shape.Box.Height > 40)];
        double unit = parts[0].Box.Width;
        Assert.Equal([1, 2, 3, 6, 6], parts.Select(part => Math.Round(part.Box.Width / unit, 6)));
    }

    [Fact]
    public void EachPanelHasAScaleOfItsOwn()
    {
        Shape[] parts = [.. StageChart.Compose("Title", [], [new("a", [s_bars[0]]), new("b", [s_bars[1]])]).Shapes.Where(shape => shape.Box.Height > 40)];
        Assert.Equal(parts[0].Box.Width * 3, parts[3].Box.Width, 6);
    }

    [Fact]
    public void PartsOfABarFollowEachOtherWithoutGap()
    {
        Shape[] parts = [.. StageChart.Compose("Title", [], [new("", [s_bars[0]])]).Shapes.Where(shape => shape.Box.Height > 40)];
        Assert.Equal(parts[0].Box.Right, parts[1].Box.Left, 6);
        Assert.Equal(parts[1].Box.Right, parts[2].Box.Left, 6);
    }

    [Fact]
    public void AStageHasOneColourInAllBarsAndInTheLegend()
    {
        Scene scene = StageChart.Compose("Title", [], [new("both", s_bars)]);
        Shape[] parts = [.. scene.Shapes.Where(shape => shape.Box.Height > 40)];
        Assert.Equal(parts[1].Fill, parts[3].Fill);
        Assert.Equal(4, parts.Select(part => part.Fill).Distinct().Count());
        Assert.Equal(4, scene.Shapes.Count(shape => shape.Box is { Width: 14, Height: 14 }));
    }

    [Fact]
    public void NoTextReachesBeyondThePicture()
    {
        Scene scene = StageChart.Compose("Title", [new string('w', 400)], [new("each", [s_bars[0]]), new("apart", [s_bars[1]])]);
        Assert.All(scene.Labels, label =>
        {
            Assert.InRange(label.Box.Left, 0, scene.Width);
            Assert.InRange(label.Box.Right, 0, scene.Width);
            Assert.InRange(label.Box.Bottom, 0, scene.Height);
        });
    }

    [Fact]
    public void ATimeOfNothingIsStillDrawn()
    {
        using var directory = new TemporaryDirectory();
        StageChart.Write(directory["stages.png"], "Title", [], [new("", [new("READ", "none", [new("queue", 0)])])]);
        Assert.True(new FileInfo(directory["stages.png"]).Length > 1000);
    }
}
