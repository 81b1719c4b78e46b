using Harness.Results.Maps;
using Harness.Results.Statistics;
using ScottPlot;

namespace Harness.Tests.Results.Maps;

public sealed class DivergingScaleTests
{
    [Theory]
    [InlineData(Direction.HigherIsBetter, 1)]
    [InlineData(Direction.LowerIsBetter, -1)]
    public void TwiceIsAsFarFromTheBaselineAsHalfAndTheDirectionSaysWhichIsBetter(Direction direction, int sign)
    {
        var scale = new DivergingScale([3], direction);

        Assert.Equal(0.5 * sign, scale.Place(2), 12);
        Assert.Equal(-0.5 * sign, scale.Place(0.5), 12);
        Assert.Equal(0, scale.Place(1), 12);
        Assert.Equal(2, scale.RatioAt(scale.Place(2)), 12);
    }

    [Theory]
    [InlineData(new double[] { }, 1.21, false)]
    [InlineData(new[] { 1.1, 0.9 }, 1.21, false)]
    [InlineData(new[] { 1.1, 1 / 1.4 }, 1.44, false)]
    [InlineData(new[] { 2.0 }, 2.25, false)]
    [InlineData(new[] { 0.25 }, 4.0, false)]
    [InlineData(new[] { 27.0, 0.9 }, 4.0, true)]
    public void TheScaleIsTheSmallestThatHoldsTheRatiosUpToFourfold(double[] ratios, double limit, bool exceeded)
    {
        var scale = new DivergingScale(ratios, Direction.HigherIsBetter);

        Assert.Equal((limit, exceeded), (scale.Limit, scale.IsExceeded));
        Assert.All(ratios, ratio => Assert.InRange(scale.Place(ratio), -1, 1));
    }

    [Fact]
    public void TheBaselineIsWhiteAndColoursDeepenSteadilyOnBothSides()
    {
        Assert.Equal(Colors.White, DivergingScale.ColorAt(0));
        foreach (int side in new[] { -1, 1 })
        {
            IEnumerable<Color> colors = Enumerable.Range(0, 101).Select(i => DivergingScale.ColorAt(side * i / 100.0));
            double[] contrasts = [.. colors.Select(color => DivergingScale.Contrast(Colors.White, color))];
            Assert.Equal(contrasts.Order(), contrasts);
            Assert.True(contrasts[^1] > 4.5);
        }
    }

    /// <summary>4.5 is what WCAG 2.2 asks of text at level AA.</summary>
    [Fact]
    public void TextIsReadableOnEveryColour()
    {
        for (int i = -100; i <= 100; i++)
        {
            Color background = DivergingScale.ColorAt(i / 100.0);
            Assert.True(DivergingScale.Contrast(background, DivergingScale.InkOn(background)) >= 4.5, $"at {i} % of the scale");
        }
        Assert.Equal(21, DivergingScale.Contrast(Colors.Black, Colors.White), 9);
    }
}
