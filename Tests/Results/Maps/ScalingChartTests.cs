using Harness.Results.Maps;

namespace Harness.Tests.Results.Maps;

public sealed class ScalingChartTests
{
    [Fact]
    public void NamesOfLinesThatEndTogetherDoNotLieOnEachOther()
    {
        double[] ends = [0.5, 0.5, 0.51, 0.99, 1, 1];
        double[] places = ScalingChart.Spread(ends);
        double[] sorted = [.. places.Order()];
        Assert.All(Enumerable.Range(1, sorted.Length - 1), i => Assert.True(sorted[i] - sorted[i - 1] > 0.04));
        Assert.InRange(sorted[^1], 0, 1);
        Assert.Equal(Enumerable.Range(0, ends.Length), Enumerable.Range(0, ends.Length).OrderBy(i => places[i]));
    }

    [Fact]
    public void ALineThatEndsAloneIsNamedAtItsEnd() => Assert.Equal([0.2, 0.8], ScalingChart.Spread([0.2, 0.8]));

    [Fact]
    public void AChartIsAPictureOfAllItsPanels()
    {
        string path = Path.GetTempFileName();
        ScalingPanel panel = new("heading", "jobs", "operations per second", [new("a", [(1, 1e5), (2, 2e5), (128, 3e6)]), new("b", [(1, 1e5)])]);
        try
        {
            ScalingChart.Write(path, [panel, panel, panel], new MapCaption("run", "kernel", "machine"));
            using var picture = SkiaSharp.SKBitmap.Decode(path);
            Assert.Equal((3440, 2480), (picture.Width, picture.Height));
        }
        finally
        {
            File.Delete(path);
        }
    }
}
