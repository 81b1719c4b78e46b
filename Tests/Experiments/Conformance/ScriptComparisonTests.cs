using Harness.Experiments.Conformance;

namespace Harness.Tests.Experiments.Conformance;

public sealed class ScriptComparisonTests
{
    private static readonly ObservedMessage s_first = new("WRITE", 2, "offset=0 size=4096", 0, 4096);
    private static readonly ObservedMessage s_second = new("WRITE", 2, "offset=4096 size=4096", 4096, 4096);
    private static readonly ObservedMessage s_both = new("WRITE", 2, "offset=0 size=8192", 0, 8192);
    private static readonly ObservedMessage s_flush = new("FLUSH", 2, "fh=1", null, null);

    [Fact]
    public void OrderCountsOnlyWhereItIsDefined()
    {
        Assert.NotNull(Compare(Comparison.Order, [s_first, s_flush], [s_flush, s_first]));
        Assert.Null(Compare(Comparison.Multiset, [s_first, s_flush], [s_flush, s_first]));
        Assert.NotNull(Compare(Comparison.Multiset, [s_first, s_first], [s_first]));
    }

    [Fact]
    public void BatchesCountOnlyByTheBytesThatTheyCoverWhereTheFlusherChooses()
    {
        Assert.Null(Compare(Comparison.Coverage, [s_first, s_second, s_flush], [s_both, s_flush]));
        Assert.NotNull(Compare(Comparison.Coverage, [s_first, s_flush], [s_both, s_flush]));
        Assert.NotNull(Compare(Comparison.Coverage, [s_both, s_flush], [s_both]));
    }

    [Fact]
    public void ADifferenceNamesTheStepAndShowsBothSides()
    {
        string? difference = Compare(Comparison.Order, [s_flush, s_first], [s_flush, s_second]);
        Assert.StartsWith("step 1: stat a", difference);
        Assert.Contains("both:      FLUSH", difference);
        Assert.Contains("real:      WRITE node=2 offset=0", difference);
        Assert.Contains("simulated: WRITE node=2 offset=4096", difference);
    }

    [Fact]
    public void ADifferentResultOfTheCallIsADifference() =>
        Assert.Contains("the call returned", ScriptComparison.Difference(
            Script(Comparison.Order), [new StepRecord("ENOENT", [], 0)], [new StepRecord("0", [], 0)]));

    private static string? Compare(Comparison comparison, ObservedMessage[] real, ObservedMessage[] simulated) =>
        ScriptComparison.Difference(Script(comparison), [new StepRecord("0", real, 1)], [new StepRecord("0", simulated, 1)]);

    private static Script Script(Comparison comparison) => new()
    {
        Name = "a",
        Knobs = Harness.Experiments.Plan.KnobSettings.None,
        Comparison = comparison,
        Steps = [ScriptCalls.Parse("stat a").Step!],
    };
}
