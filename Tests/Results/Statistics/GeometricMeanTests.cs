using Harness.Results.Statistics;

namespace Harness.Tests.Results.Statistics;

public sealed class GeometricMeanTests
{
    [Fact]
    public void TwiceAndHalfCancel() => Assert.Equal(1, GeometricMean.Of([2, 0.5])!.Value, 12);

    [Fact]
    public void ItIsTheRootOfTheProduct() => Assert.Equal(Math.Cbrt(1.1 * 0.9 * 3), GeometricMean.Of([1.1, 0.9, 3])!.Value, 12);

    [Fact]
    public void OfNothingThereIsNone() => Assert.Null(GeometricMean.Of([]));

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void WhatHasNoLogarithmIsRefused(double value) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => GeometricMean.Of([1, value]));
}
