using System.Text;
using Harness.Experiments.Plan;
using Harness.Experiments.Plan.Reading;
using Harness.Experiments.Plan.Yaml;

namespace Harness.Tests.Experiments.Plan;

public class HostileFileTests
{
    [Theory]
    [InlineData("experiments:\n\t- a", "2:1: a tab cannot indent YAML; use spaces")]
    [InlineData("experiments:\n  - a: 1\n\t b: 2", "3:1: a tab cannot indent YAML; use spaces")]
    [InlineData("experiments: [a", "2:1: this is no YAML: while parsing a flow sequence, did not find expected ',' or ']'")]
    [InlineData("a: b: c", "1:5: this is no YAML: while scanning a plain scalar value, found invalid mapping")]
    [InlineData("a:\n  - b\n c: d", "3:2: this is no YAML: while parsing a block mapping, did not find expected key")]
    [InlineData("experiments: []\n---\nexperiments: []", "2:1: a second document begins here; a plan file holds one")]
    [InlineData("experiments: *base", "1:14: the alias '*base' has no anchor before it")]
    [InlineData("&a [*a]", "1:5: the alias '*a' has no anchor before it")]
    [InlineData("experiments: !!python/object []", "1:14: the tag 'tag:yaml.org,2002:python/object' has no meaning in a plan; leave it out")]
    [InlineData("{? [a] : b}", "1:4: a key must be text, not a list")]
    [InlineData(" : what\nexperiments: []", "2:1: this is no YAML: a key or a value is missing before here")]
    [InlineData("- {b: c\nd: e", "2:1: this is no YAML: brackets or indentation before here do not match")]
    [InlineData("<<: 5", "1:5: '<<' takes a map or a list of maps, not a single value")]
    [InlineData("a: \0b", "1:4: the control character U+0000 has no place in YAML")]
    [InlineData("a: 1\nb: \u001b[2J", "2:4: the control character U+001B has no place in YAML")]
    public void TextThatIsNoPlainYamlIsRefusedAtItsPlace(string text, string error) =>
        Assert.Equal([$"plan.yaml:{error}"], PlanTexts.Errors(text));

    [Theory]
    [InlineData('[')]
    [InlineData('{')]
    public void NestingIsRefusedBeforeItCosts(char bracket) => Assert.Equal(
        ["plan.yaml:1:18: this is nested more than 16 deep; no plan needs that"],
        PlanTexts.Errors(new string(bracket, TextLines.BytesMax)));

    [Fact]
    public void AliasesOfAliasesAreRefusedBeforeTheyCost()
    {
        var bomb = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (int level = 1; level < 12; level++)
        {
            bomb.Append($"a{level}: &a{level} [{string.Join(", ", Enumerable.Repeat($"*a{level - 1}", 10))}]\n");
        }

        Assert.Equal(
            ["plan.yaml:5:5: with its aliases written out this holds more than 50000 values; no plan needs that"],
            PlanTexts.Errors(bomb.ToString()));
    }

    [Fact]
    public void TextBeyondTheLimitIsRefused() => Assert.Equal(
        ["plan.yaml: the text is larger than 1024 KiB; no plan needs that"],
        PlanTexts.Errors(new string('#', TextLines.BytesMax + 1)));

    [Fact]
    public void LongTextIsQuotedInShort() => Assert.Equal(
        ["plan.yaml:5:12: world: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…' is unknown; allowed: one of auto, real, simulated"],
        PlanTexts.Errors(PlanTexts.Experiment($"world: {new string('x', 100_000)}")));

    [Fact]
    public void FileBeyondTheLimitIsRefusedWithoutReadingItWhole()
    {
        // A sparse file: 100 GB of zeros by its length.
        using FileStream sparse = Temporary();
        sparse.SetLength(100L << 30);
        Assert.Equal([new PlanError(sparse.Name, 0, 0, "the file is larger than 1024 KiB; no plan needs that")], PlanFile.Load(sparse.Name).Errors);
    }

    [Fact]
    public void FileThatCannotBeReadIsAnErrorAndNoException()
    {
        string directory = Path.GetTempPath();
        Assert.Equal([new PlanError(directory, 0, 0, "this is a directory; name a YAML file")], PlanFile.Load(directory).Errors);
        Assert.Equal([new PlanError("/no/such.yaml", 0, 0, "there is no such file")], PlanFile.Load("/no/such.yaml").Errors);
        Assert.Single(PlanFile.Load("").Errors);
        Assert.Single(PlanFile.Load("a\0b").Errors);
    }

    [Fact]
    public void BytesThatAreNoUtf8AreRefusedAtTheirPlace()
    {
        var refusal = Assert.Throws<YamlRefusedException>(() => TextLines.Decode([(byte)'a', (byte)':', (byte)'\n', 0xC3, 0xA4, 0xFF, (byte)'x']));
        Assert.Equal((new SourceMark(2, 2), "the text is not UTF-8 from here on; save it as UTF-8"), (refusal.Mark, refusal.Message));
    }

    [Fact]
    public void ByteOrderMarkIsPassedOver() => Assert.Equal("a: 1", TextLines.Decode([0xEF, 0xBB, 0xBF, .. "a: 1"u8]));

    private static FileStream Temporary() => new(
        Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, 1, FileOptions.DeleteOnClose);
}
