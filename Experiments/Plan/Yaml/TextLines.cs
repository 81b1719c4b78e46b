using System.Globalization;
using System.Text;

namespace Harness.Experiments.Plan.Yaml;

/// <summary>Turns the bytes of a plan file into text, and finds places in it.</summary>
internal static class TextLines
{
    /// <summary>The largest plan file. The shipped one, all its comments included, has a hundredth of that.</summary>
    public const int BytesMax = 1 << 20;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Decodes UTF-8, with or without a byte order mark, and refuses what YAML does not allow in a text (YAML 1.2, 5.1).</summary>
    /// <exception cref="YamlRefusedException">The bytes are too many, no UTF-8, or hold a control character.</exception>
    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > BytesMax)
        {
            throw new YamlRefusedException(SourceMark.None, $"the file is larger than {BytesMax >> 10} KiB; no plan needs that");
        }

        ReadOnlySpan<byte> preamble = [0xEF, 0xBB, 0xBF];
        return Check(DecodeStrictly(bytes.StartsWith(preamble) ? bytes[preamble.Length..] : bytes));
    }

    /// <summary>Passes a text on if YAML allows its characters; YamlDotNet would take a NUL for the end of the text.</summary>
    /// <exception cref="YamlRefusedException">The text is too long or holds a control character.</exception>
    public static string Check(string text)
    {
        if (text.Length > BytesMax)
        {
            throw new YamlRefusedException(SourceMark.None, $"the text is larger than {BytesMax >> 10} KiB; no plan needs that");
        }

        for (int index = 0; index < text.Length; index++)
        {
            if (char.IsControl(text[index]) && text[index] is not ('\t' or '\n' or '\r' or '\u0085'))
            {
                string code = ((int)text[index]).ToString("X4", CultureInfo.InvariantCulture);
                throw new YamlRefusedException(MarkOf(text, index), $"the control character U+{code} has no place in YAML");
            }
        }

        return text;
    }

    /// <summary>The first tab that indents a line, from a line on; null if there is none.</summary>
    public static SourceMark? FirstIndentingTab(string text, int fromLine)
    {
        int line = 0;
        foreach (ReadOnlySpan<char> content in text.AsSpan().EnumerateLines())
        {
            int indentation = content.IndexOfAnyExcept(' ', '\t');
            int tab = content[..Math.Max(indentation, 0)].IndexOf('\t');
            if (++line >= fromLine && tab >= 0)
            {
                return new SourceMark(line, tab + 1);
            }
        }

        return null;
    }

    private static string DecodeStrictly(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException refusal)
        {
            // The prefix up to the bad byte is valid; what may be cut off at its end does not matter to the place.
            string before = Encoding.UTF8.GetString(bytes[..Math.Clamp(refusal.Index, 0, bytes.Length)]);
            throw new YamlRefusedException(MarkOf(before, before.Length), "the text is not UTF-8 from here on; save it as UTF-8");
        }
    }

    private static SourceMark MarkOf(string text, int index)
    {
        ReadOnlySpan<char> before = text.AsSpan(0, index);
        return new SourceMark(before.Count('\n') + 1, index - before.LastIndexOf('\n'));
    }
}
