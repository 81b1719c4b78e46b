using Harness.Results.Maps;

namespace Harness.Tests.Results.Maps;

public sealed class TextStyleTests
{
    private static readonly TextStyle Style = new(13);

    [Fact]
    public void EveryLineFitsAndNothingIsLostUpToTheLastLine()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            string text = string.Concat(Enumerable.Range(0, random.Next(0, 60)).Select(_ => "abcWMil -_=/\n\t"[random.Next(14)]));
            double width = random.Next(60, 200);

            IReadOnlyList<string> lines = Style.Wrap(text, width);

            Assert.All(lines, line => Assert.True(Style.Width(line) <= width, $"'{line}' exceeds {width} (new Random({seed}))"));
            Assert.True(lines.Count <= TextStyle.MaxLines);
            if (!lines[^1].EndsWith('…'))
            {
                Assert.Equal(Squeeze(text), Squeeze(string.Concat(lines)));
            }
        }
    }

    [Fact]
    public void TextBreaksBetweenWordsThenAfterMarksThenAnywhere()
    {
        double width = Style.Width("max_write=1M");

        Assert.Equal(["threads=1", "max_write=1M"], Style.Wrap("threads=1 max_write=1M", width));
        Assert.Equal(["max_write=", "1048576"], Style.Wrap("max_write=1048576", width));
        Assert.True(Style.Wrap("mmmmmmmmmmmmmmmmmmmm", width).Count > 1);
    }

    [Fact]
    public void ANameThatIsTooLongForItsLinesEndsInAnEllipsis()
    {
        IReadOnlyList<string> lines = Style.Wrap(new string('m', 500), 100);

        Assert.Equal(TextStyle.MaxLines, lines.Count);
        Assert.EndsWith("m…", lines[^1]);
    }

    [Fact]
    public void NoTextIsOneEmptyLine() => Assert.Equal([""], Style.Wrap(" \n", 100));

    private static string Squeeze(string text) => string.Concat(text.Where(c => !char.IsWhiteSpace(c)));
}
