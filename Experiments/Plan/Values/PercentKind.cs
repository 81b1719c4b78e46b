using System.Globalization;

namespace Harness.Experiments.Plan.Values;

/// <summary>A percentage up to 100 %, in thousandths of a percent.</summary>
internal sealed class PercentKind : ValueKind
{
    /// <summary>Base units in the whole, 100 %.</summary>
    public const long Whole = 100 * PerPercent;

    private const long PerPercent = 1000;

    private static readonly UnitScale Scale = new(("%", PerPercent));

    public override string Expectation => "a percentage from 0.1% to 100%, such as 5%";

    public override bool TryParse(string text, out ScalarValue value, out string complaint)
    {
        decimal? parts = Scale.Read(text, unit => unit, out complaint);
        if (parts is null)
        {
            return Refuse(complaint, out value, out complaint);
        }

        if (parts is < PerPercent / 10 or > Whole)
        {
            return Refuse($"{Quoted.Text(text)} is too {(parts > Whole ? "large" : "small")}", out value, out complaint);
        }

        if (parts % 1 != 0)
        {
            return Refuse($"{Quoted.Text(text)} is finer than 0.001%", out value, out complaint);
        }

        decimal percent = decimal.Truncate(parts.Value) / PerPercent;
        return Accept((long)parts, string.Create(CultureInfo.InvariantCulture, $"{percent}%"), out value, out complaint);
    }
}
