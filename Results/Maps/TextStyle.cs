using System.Text;
using SkiaSharp;

namespace Harness.Results.Maps;

/// <summary>A size and weight of the maps' font, and what text measures in it.</summary>
/// <param name="Size">The font's size in pixels.</param>
/// <param name="Bold">Whether it is the heavier weight.</param>
internal sealed record TextStyle(float Size, bool Bold = false)
{
    /// <summary>A name is cut after so many lines; whoever needs the rest finds it in results.csv.</summary>
    public const int MaxLines = 6;

    /// <summary>After these a name may be broken without a hyphen: they are how names are put together.</summary>
    private const string BreakAfter = "-_=/,.:;+|)";

    /// <summary>From one line to the next, pixels.</summary>
    public double LineHeight => Math.Ceiling(Size * 1.3);

    /// <summary>The width of a line of text, pixels.</summary>
    public double Width(string text)
    {
        using var font = new SKFont(InterFont.Typeface(Bold), Size) { Subpixel = true, Hinting = SKFontHinting.None };
        return font.MeasureText(text);
    }

    /// <summary>The width of the widest word, pixels.</summary>
    public double WidestWord(string text) => Words(text).Max(Width);

    /// <summary>
    /// Breaks text into lines that fit a width: between words, and within a word that does not fit a line after the marks that join names,
    /// else anywhere. What is beyond <see cref="MaxLines"/> is replaced by an ellipsis.
    /// </summary>
    public IReadOnlyList<string> Wrap(string text, double width)
    {
        var lines = new List<string>();
        string line = "";
        foreach (string word in Words(text))
        {
            string space = line.Length > 0 ? " " : "";
            foreach (string piece in Width(word) <= width ? [word] : Pieces(word, width))
            {
                if (line.Length > 0 && Width(line + space + piece) > width)
                {
                    lines.Add(line);
                    line = space = "";
                }
                line += space + piece;
                space = "";
            }
        }
        lines.Add(line);
        return lines.Count <= MaxLines ? lines : [.. lines.Take(MaxLines - 1), Shorten(lines[MaxLines - 1], width)];
    }

    /// <summary>Line breaks and other control characters count as spaces. There is always a word, if an empty one.</summary>
    private static string[] Words(string text)
    {
        string spaced = string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));
        string[] words = spaced.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words.Length > 0 ? words : [""];
    }

    private IEnumerable<string> Pieces(string word, double width)
    {
        string piece = "";
        foreach (Rune rune in word.EnumerateRunes())
        {
            if (piece.Length > 0 && Width(piece + rune) > width)
            {
                yield return piece;
                piece = "";
            }
            piece += rune;
            if (rune.IsAscii && BreakAfter.Contains((char)rune.Value))
            {
                yield return piece;
                piece = "";
            }
        }
        yield return piece;
    }

    private string Shorten(string line, double width)
    {
        const string ellipsis = "…";
        while (line.Length > 0 && Width(line + ellipsis) > width)
        {
            line = line[..^1];
        }
        return line + ellipsis;
    }
}
