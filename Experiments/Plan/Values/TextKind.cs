using System.Buffers;

namespace Harness.Experiments.Plan.Values;

/// <summary>Free text within an alphabet. A newline, <c>#</c>, <c>;</c> or <c>$</c> would change the meaning of fio's job file.</summary>
internal sealed class TextKind(string marks, string example) : ValueKind
{
    private const int LengthMax = 256;

    private readonly SearchValues<char> alphabet =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" + marks);

    public override string Expectation => $"letters, digits and {string.Join(' ', marks.ToCharArray())}, such as {example}";

    public override bool TryParse(string text, out ScalarValue value, out string complaint)
    {
        if (text.Length is 0 or > LengthMax)
        {
            string why = text.Length == 0 ? "the text is empty" : $"{Quoted.Text(text)} is longer than {LengthMax} characters";
            return Refuse(why, out value, out complaint);
        }

        int bad = text.AsSpan().IndexOfAnyExcept(alphabet);
        return bad >= 0
            ? Refuse($"{Quoted.Text(text)} contains {Quoted.Text(text.Substring(bad, 1))}", out value, out complaint)
            : Accept(0, text, out value, out complaint);
    }
}
