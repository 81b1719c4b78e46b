using Harness.Results.Maps;

namespace Harness.Tests.Results.Maps;

public sealed class ScatterChartTests
{
    private static readonly MapCaption s_caption = new("a run", "a kernel", "a machine");

    [Fact]
    public void TheScalesReachFromThePowerBelowAllPointsToThePowerAbove() =>
        Assert.Equal((1.0, 5.0), ScatterChart.Powers([new("a", 20, 300), new("b", 40_000, 5_000)]));

    [Theory]
    [InlineData(10, 10)]
    [InlineData(1, 1)]
    [InlineData(0.5, 0.5)]
    public void ASinglePointHasScalesToStandOn(double x, double y)
    {
        (double low, double high) = ScatterChart.Powers([new("a", x, y)]);
        Assert.True(high > low);
        Assert.InRange(Math.Log10(x), low, high);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, -1)]
    [InlineData(double.NaN, 1)]
    [InlineData(1, double.PositiveInfinity)]
    public void WhatHasNoLogarithmIsRefusedAndNamed(double x, double y)
    {
        ArgumentException refusal = Assert.Throws<ArgumentException>(() => ScatterChart.Powers([new("the bad one", x, y)]));
        Assert.Contains("the bad one", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void NoPointsAreRefused() => Assert.Throws<ArgumentException>(() => ScatterChart.Powers([]));

    [Fact]
    public void ThePictureIsWrittenWhole()
    {
        using var directory = new TemporaryDirectory();
        ScatterChart.Write(directory["s.png"], "title", "x", "y", [new("a", 1_000, 2_000), new("b", 5e6, 4e6)], s_caption);
        byte[] signature = [0x89, (byte)'P', (byte)'N', (byte)'G'];
        Assert.Equal(signature, File.ReadAllBytes(directory["s.png"])[..4]);
    }
}
