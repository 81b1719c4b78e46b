using Harness.Experiments.Plan.Values;

namespace Harness.Tests.Experiments.Plan;

public class ValueKindTests
{
    [Theory]
    [InlineData("0", 0, "0")]
    [InlineData("512", 512, "512")]
    [InlineData("4k", 4096, "4K")]
    [InlineData("4096", 4096, "4K")]
    [InlineData("128KiB", 131_072, "128K")]
    [InlineData("1024K", 1_048_576, "1M")]
    [InlineData("1 MB", 1_048_576, "1M")]
    [InlineData("1.5M", 1_572_864, "1536K")]
    [InlineData("1T", 1_099_511_627_776, "1T")]
    public void SizeIsReadAsFioDoesWithKAs1024(string text, long bytes, string canonical) =>
        AssertReads(ValueKind.Size(0, 1L << 50), text, bytes, canonical);

    [Theory]
    [InlineData("0s", 0, "0us")]
    [InlineData("200us", 200_000, "200us")]
    [InlineData("200\u00b5s", 200_000, "200us")]
    [InlineData("200\u03bcs", 200_000, "200us")]
    [InlineData("1500 ns", 1_500, "1500ns")]
    [InlineData("1.5ms", 1_500_000, "1500us")]
    [InlineData("2000ms", 2_000_000_000, "2s")]
    public void DurationIsReadInNanoseconds(string text, long nanoseconds, string canonical) =>
        AssertReads(ValueKind.Duration(0, long.MaxValue), text, nanoseconds, canonical);

    [Theory]
    [InlineData("on", 1)]
    [InlineData("Yes", 1)]
    [InlineData("TRUE", 1)]
    [InlineData("1", 1)]
    [InlineData("off", 0)]
    [InlineData("No", 0)]
    [InlineData("FALSE", 0)]
    [InlineData("0", 0)]
    public void EverySpellingOfYamlsBooleansIsASwitch(string text, long number) =>
        AssertReads(ValueKind.Switch, text, number, number == 1 ? "on" : "off");

    [Theory]
    [InlineData("5%", 5_000, "5%")]
    [InlineData("2.5 %", 2_500, "2.5%")]
    [InlineData("0.1%", 100, "0.1%")]
    [InlineData("100%", 100_000, "100%")]
    public void PercentageIsReadInThousandths(string text, long thousandths, string canonical) =>
        AssertReads(new PercentKind(), text, thousandths, canonical);

    [Fact]
    public void ListPerDirectionIsReadPartByPart() =>
        AssertReads(ValueKind.PerDirection(ValueKind.Size(1, 1 << 30)), "4k,1024k,4KiB", 4096, "4K,1M,4K");

    [Theory]
    [InlineData("4k,4k,4k,4k", "'4k,4k,4k,4k' has more than 3 parts")]
    [InlineData("1e3", "'1e3' has the unknown unit 'e3'")]
    [InlineData("1.2.3K", "'1.2.3K' does not begin with a number")]
    [InlineData(".", "'.' does not begin with a number")]
    [InlineData("0.3", "'0.3' is too small")]
    [InlineData("1.3", "'1.3' is no whole number of bytes")]
    [InlineData("1234567890123456", "'1234567890123456' has too many digits")]
    [InlineData("４K", "'４K' does not begin with a number")]
    public void NumberInAnotherShapeIsRefused(string text, string complaint)
    {
        Assert.False(ValueKind.PerDirection(ValueKind.Size(1, 1 << 30)).TryParse(text, out _, out string actual));
        Assert.Equal(complaint, actual);
    }

    [Theory]
    [InlineData("max_write", "max-write")]
    [InlineData("maxwrite", "max-write")]
    [InlineData("Threads", "threads")]
    [InlineData("wirteback", "writeback")]
    [InlineData("latancy", "latency")]
    [InlineData("banana", null)]
    [InlineData("", null)]
    public void NearestNameForgivesTypingErrorsOnly(string wrong, string? nearest) =>
        Assert.Equal(nearest, NearestName.Of(wrong, ["latency", "threads", "max-write", "writeback"]));

    private static void AssertReads(ValueKind kind, string text, long number, string canonical)
    {
        Assert.True(kind.TryParse(text, out ScalarValue value, out string complaint), complaint);
        Assert.Equal(new ScalarValue(number, canonical), value);
        Assert.Equal(value, kind.Parse(canonical));
    }
}
