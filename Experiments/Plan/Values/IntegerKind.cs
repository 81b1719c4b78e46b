using System.Globalization;

namespace Harness.Experiments.Plan.Values;

/// <summary>A whole number in decimal digits.</summary>
internal sealed class IntegerKind(long min, long max) : ValueKind
{
    public override string Expectation => $"a whole number from {min} to {max}";

    public override bool TryParse(string text, out ScalarValue value, out string complaint)
    {
        if (text.Length == 0 || !text.All(char.IsAsciiDigit))
        {
            return Refuse($"{Quoted.Text(text)} is no whole number", out value, out complaint);
        }

        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) || number > max)
        {
            return Refuse($"{Quoted.Text(text)} is too large", out value, out complaint);
        }

        return number < min
            ? Refuse($"{Quoted.Text(text)} is too small", out value, out complaint)
            : Accept(number, number.ToString(CultureInfo.InvariantCulture), out value, out complaint);
    }
}
