using System.Globalization;

namespace Harness.Experiments.Plan.Values;

/// <summary>The units of one quantity, each with how many base units it holds, from small to large.</summary>
internal sealed class UnitScale(params (string Name, long Factor)[] units)
{
    // Fifteen digits times the largest factor here stays far below what a decimal holds (7.9e28).
    private const int DigitsMax = 15;

    /// <summary>Reads digits with an optional decimal point, then a unit.</summary>
    /// <param name="text">The text.</param>
    /// <param name="alias">Maps other spellings of a unit to its name in this scale.</param>
    /// <param name="complaint">When refused: what is wrong with the text, quoting it.</param>
    /// <returns>Null with a complaint if the text has another shape; else the quantity in base units, perhaps not whole.</returns>
    public decimal? Read(string text, Func<string, string> alias, out string complaint)
    {
        int end = 0;
        while (end < text.Length && (char.IsAsciiDigit(text[end]) || text[end] == '.'))
        {
            end++;
        }

        string unit = text[end..].TrimStart(' ');
        int index = Array.FindIndex(units, u => u.Name == alias(unit));
        complaint = "";
        if (end == 0)
        {
            complaint = $"{Quoted.Text(text)} does not begin with a number";
        }
        else if (end > DigitsMax)
        {
            complaint = $"{Quoted.Text(text)} has too many digits";
        }
        else if (index < 0)
        {
            complaint = $"{Quoted.Text(text)} has {(unit.Length == 0 ? "no unit" : $"the unknown unit {Quoted.Text(unit)}")}";
        }
        else if (!decimal.TryParse(text.AsSpan(0, end), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number))
        {
            complaint = $"{Quoted.Text(text)} does not begin with a number";
        }
        else
        {
            return number * units[index].Factor;
        }

        return null;
    }

    /// <summary>Spells a quantity in the largest unit that holds it in whole numbers.</summary>
    public string Format(long quantity)
    {
        int index = Array.FindLastIndex(units, unit => quantity % unit.Factor == 0 && quantity >= unit.Factor);
        (string name, long factor) = units[Math.Max(index, 0)];
        return string.Create(CultureInfo.InvariantCulture, $"{quantity / factor}{name}");
    }
}
