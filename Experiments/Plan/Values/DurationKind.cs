namespace Harness.Experiments.Plan.Values;

/// <summary>A duration in nanoseconds, always spelled with its unit, since fio's own defaults differ from key to key.</summary>
internal sealed class DurationKind(long min, long max, long step) : ValueKind
{
    public const long Microsecond = 1_000;
    public const long Millisecond = 1_000_000;
    public const long Second = 1_000_000_000;

    private static readonly UnitScale Scale = new(("ns", 1), ("us", Microsecond), ("ms", Millisecond), ("s", Second));

    public override string Expectation =>
        $"a duration from {Format(min)} to {Format(max)} with its unit (ns, us, ms or s)"
        + $"{(step > 1 ? $" in multiples of {Format(step)}" : "")}, such as {(min < Second ? "200us" : "30s")}";

    /// <summary>Spells a duration as plans do; fio reads the same spelling for whole microseconds.</summary>
    public static string Format(long nanoseconds) => nanoseconds == 0 ? "0us" : Scale.Format(nanoseconds);

    /// <summary>Spells a duration as plans do.</summary>
    public static string Format(TimeSpan duration) => Format(duration.Ticks * TimeSpan.NanosecondsPerTick);

    public override bool TryParse(string text, out ScalarValue value, out string complaint)
    {
        decimal? nanoseconds = Scale.Read(text, Canonical, out complaint);
        if (nanoseconds is null)
        {
            return Refuse(complaint, out value, out complaint);
        }

        if (nanoseconds > max)
        {
            return Refuse($"{Quoted.Text(text)} is too long", out value, out complaint);
        }

        if (nanoseconds < min)
        {
            return Refuse($"{Quoted.Text(text)} is too short", out value, out complaint);
        }

        return nanoseconds % step != 0
            ? Refuse($"{Quoted.Text(text)} is finer than {Format(step)}", out value, out complaint)
            : Accept((long)nanoseconds, Format((long)nanoseconds), out value, out complaint);
    }

    // Unicode has the micro sign twice: U+00B5 on keyboards, U+03BC as the Greek letter.
    private static string Canonical(string unit) => unit is "\u00b5s" or "\u03bcs" ? "us" : unit;
}
