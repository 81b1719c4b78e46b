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
            quoted.Append(IsPrintable(rune) ? rune.ToString() : $"\\u{rune.Value:x4}");
        }

        return quoted.Append(text.Length > LengthMax ? "…'" : "'").ToString();
    }

    // A format character can be invisible, or turn the direction of the text around it.
    private static bool IsPrintable(Rune rune) => rune.Value == ' '
        || !(Rune.IsControl(rune) || Rune.IsWhiteSpace(rune) || Rune.GetUnicodeCategory(rune) == UnicodeCategory.Format);
}
