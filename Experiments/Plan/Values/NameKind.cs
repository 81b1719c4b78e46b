using System.Buffers;

namespace Harness.Experiments.Plan.Values;

/// <summary>A name that is fit for a file name and for a section of fio's job file.</summary>
internal sealed class NameKind : ValueKind
{
    private const int LengthMax = 64;

    private static readonly SearchValues<char> Alphabet =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

    public override string Expectation => $"a letter or digit, then letters, digits, '-', '_' and '.', {LengthMax} in all at most";

    public override bool TryParse(string text, out ScalarValue value, out string complaint)
    {
        bool isName = text.Length is > 0 and <= LengthMax
            && char.IsAsciiLetterOrDigit(text[0])
            && !text.AsSpan().ContainsAnyExcept(Alphabet);
        return isName
            ? Accept(0, text, out value, out complaint)
            : Refuse($"{Quoted.Text(text)} is no name for a file", out value, out complaint);
    }
}
