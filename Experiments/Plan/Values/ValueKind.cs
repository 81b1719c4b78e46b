namespace Harness.Experiments.Plan.Values;

/// <summary>What a key of the plan may hold. One kind serves the knobs, fio's keys and the runner's own keys alike.</summary>
internal abstract class ValueKind
{
    /// <summary>Says what is allowed, to complete the sentence "allowed: …".</summary>
    public abstract string Expectation { get; }

    /// <summary>Reads a value.</summary>
    /// <param name="text">The scalar as it stands in the file, of any length and content.</param>
    /// <param name="value">The value in canonical form.</param>
    /// <param name="complaint">When refused: what is wrong with the text, quoting it.</param>
    public abstract bool TryParse(string text, out ScalarValue value, out string complaint);

    /// <summary>Reads a value that the program itself wrote down, such as a default.</summary>
    /// <exception cref="ArgumentException">The text is refused.</exception>
    public ScalarValue Parse(string text) =>
        TryParse(text, out ScalarValue value, out string complaint) ? value : throw new ArgumentException(complaint, nameof(text));

    public static ValueKind Switch { get; } = new SwitchKind();

    public static ValueKind Integer(long min, long max) => new IntegerKind(min, max);

    /// <summary>A size in bytes, in multiples of <paramref name="step"/>.</summary>
    public static ValueKind Size(long min, long max, long step = 1) => new SizeKind(min, max, step);

    /// <summary>A duration; all arguments in nanoseconds.</summary>
    public static ValueKind Duration(long min, long max, long step = 1) => new DurationKind(min, max, step);

    public static ValueKind Choice(params string[] names) => new ChoiceKind(names);

    /// <summary>Text of letters, digits and <paramref name="marks"/>, so that nothing in it can end a line of fio's job file.</summary>
    public static ValueKind Text(string marks, string example) => new TextKind(marks, example);

    /// <summary>Up to three values separated by commas: fio's "reads,writes,trims".</summary>
    public static ValueKind PerDirection(ValueKind item) => new PerDirectionKind(item);

    private protected static bool Refuse(string why, out ScalarValue value, out string complaint)
    {
        value = default;
        complaint = why;
        return false;
    }

    private protected static bool Accept(long number, string text, out ScalarValue value, out string complaint)
    {
        value = new ScalarValue(number, text);
        complaint = "";
        return true;
    }
}
