using System.Buffers;
using System.Globalization;
using System.Text;

namespace Harness.FuseProtocol.Tracing;

/// <summary>One argument of a message.</summary>
/// <param name="Name">The kernel's name of it, such as <c>offset</c>.</param>
/// <param name="Value">Its number; 0 for a text.</param>
/// <param name="Text">As the trace prints it: names of flags, octal modes, quoted and escaped names.</param>
public readonly record struct MessageField(string Name, ulong Value, string Text)
{
    /// <summary>Most bytes of a text that are printed.</summary>
    private const int QuotedMax = 1024;

    /// <inheritdoc/>
    public override string ToString() => $"{Name}={Text}";

    /// <summary>
    /// Quotes bytes that should be UTF-8 but need not be. What could end the line, move a terminal's cursor or turn its writing round is
    /// escaped.
    /// </summary>
    internal static string Quote(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> rest = bytes[..Math.Min(bytes.Length, QuotedMax)];
        var text = new StringBuilder("\"", rest.Length + 2);
        while (!rest.IsEmpty)
        {
            bool valid = Rune.DecodeFromUtf8(rest, out Rune rune, out int consumed) == OperationStatus.Done;
            if (!valid || rune.Value is < 0x20 or 0x7F)
            {
                text.Append($"\\x{rest[0]:x2}");
                consumed = 1;
            }
            else if (rune.Value is '"' or '\\')
            {
                text.Append('\\').Append(rune);
            }
            else if (IsPrintable(rune))
            {
                text.Append(rune);
            }
            else
            {
                text.Append($"\\u{{{rune.Value:x}}}");
            }

            rest = rest[consumed..];
        }

        text.Append('"');
        return bytes.Length > QuotedMax ? $"{text}+{bytes.Length - QuotedMax}" : text.ToString();
    }

    private static bool IsPrintable(Rune rune) => Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or
        UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);
}
