namespace Harness.Experiments.Plan.Values;

/// <summary>Up to three values separated by commas, for reads, writes and trims: fio's <c>bs=4k,1M</c>.</summary>
internal sealed class PerDirectionKind(ValueKind item) : ValueKind
{
    private const int DirectionsMax = 3;

    public override string Expectation => $"{item.Expectation}; or several with commas, for reads,writes";

    public override bool TryParse(string text, out ScalarValue value, out string complaint)
    {
        string[] parts = text.Split(',', DirectionsMax + 1);
        if (parts.Length > DirectionsMax)
        {
            return Refuse($"{Quoted.Text(text)} has more than {DirectionsMax} parts", out value, out complaint);
        }

        var values = new ScalarValue[parts.Length];
        for (int index = 0; index < parts.Length; index++)
        {
            if (!item.TryParse(parts[index], out values[index], out complaint))
            {
                value = default;
                return false;
            }
        }

        return Accept(values[0].Number, string.Join(',', values), out value, out complaint);
    }
}
