using Harness.Results.Statistics;

namespace Harness.Tests.Results.Statistics;

public sealed class KendallTauTests
{
    [Theory]
    [InlineData(new double[] { 1, 2, 3, 4 }, new double[] { 10, 20, 21, 400 }, 1.0)]
    [InlineData(new double[] { 1, 2, 3, 4 }, new double[] { 4, 3, 2, 1 }, -1.0)]
    // 5 of 6 pairs agree, one disagrees.
    [InlineData(new double[] { 1, 2, 3, 4 }, new double[] { 1, 3, 2, 4 }, 4.0 / 6)]
    // A tie in one list: 5 agree of the 5 it can order, 6 in the other, so 5 / √(5 · 6).
    [InlineData(new double[] { 1, 2, 2, 4 }, new double[] { 1, 2, 3, 4 }, 0.9128709291752769)]
    // Ties in the same places do not matter.
    [InlineData(new double[] { 1, 2, 2, 4 }, new double[] { 5, 6, 6, 7 }, 1.0)]
    public void TauBIsTheShareOfAgreeingPairsLessTheDisagreeing(double[] first, double[] second, double tau)
    {
        Assert.Equal(tau, KendallTau.B(first, second)!.Value, 12);
        Assert.Equal(tau, KendallTau.B(second, first)!.Value, 12);
    }

    [Fact]
    public void AListWithoutOrderHasNoCorrelation()
    {
        Assert.Null(KendallTau.B([1, 1, 1], [1, 2, 3]));
        Assert.Null(KendallTau.B([], []));
    }

    [Fact]
    public void ListsOfDifferentLengthAreRefused() => Assert.Throws<ArgumentException>(() => KendallTau.B([1], [1, 2]));
}
