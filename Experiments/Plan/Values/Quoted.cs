using System.Globalization;
using System.Text;

namespace Harness.Experiments.Plan.Values;

/// <summary>Quotes text of a file for a message: in one line, printable, and short whatever the file holds.</summary>
internal static class Quoted
{
    private const int LengthMax = 40;

    public static string Text(string text)
    {
        var quoted = new StringBuilder("'");
        foreach (Rune rune in text.AsSpan(0, Math.Min(text.Length, LengthMax)).EnumerateRunes())
        {
            bool printable = rune.Value == ' ' || !(Rune.IsControl(rune) || Rune.IsWhiteSpace(rune) || Rune.GetUnicodeCategory(rune) == UnicodeCategory.Format);
            quoted.Append(printable ? rune.ToString() : $"\\u{rune.Value:x4}");
        }

        return quoted.Append(text.Length > LengthMax ? "…'" : "'").ToString();
    }
}
