namespace Harness.Experiments.Plan.Values;

/// <summary>One of a few names.</summary>
internal sealed class ChoiceKind(IReadOnlyList<string> names) : ValueKind
{
    public override string Expectation => names.Count == 1 ? $"only {names[0]}" : $"one of {string.Join(", ", names)}";

    public override bool TryParse(string text, out ScalarValue value, out string complaint)
    {
        for (int index = 0; index < names.Count; index++)
        {
            if (names[index] == text)
            {
                return Accept(index, text, out value, out complaint);
            }
        }

        return Refuse($"{Quoted.Text(text)} is unknown{NearestName.Hint(text, names)}", out value, out complaint);
    }
}
