namespace Harness.Experiments.Plan.Values;

/// <summary>On or off. YAML 1.1 spells it in six ways and fio in two more; all mean the same here.</summary>
internal sealed class SwitchKind : ValueKind
{
    private static readonly string[] On = ["on", "yes", "true", "1"];
    private static readonly string[] Off = ["off", "no", "false", "0"];

    public override string Expectation => "on or off (also yes, no, true, false, 1, 0)";

    public override bool TryParse(string text, out ScalarValue value, out string complaint)
    {
        if (On.Contains(text, StringComparer.OrdinalIgnoreCase))
        {
            return Accept(1, "on", out value, out complaint);
        }

        return Off.Contains(text, StringComparer.OrdinalIgnoreCase)
            ? Accept(0, "off", out value, out complaint)
            : Refuse($"{Quoted.Text(text)} is neither on nor off", out value, out complaint);
    }
}
