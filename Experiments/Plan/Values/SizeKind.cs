namespace Harness.Experiments.Plan.Values;

/// <summary>
/// A size in bytes, spelled as fio does: 4k, 128K, 1M. K and KiB are 1024 here. fio reads KiB as 1000 unless told otherwise
/// (its option kb_base), so the canonical spelling never has the suffix: K means 1024 to both.
/// </summary>
internal sealed class SizeKind(long min, long max, long step) : ValueKind
{
    private static readonly UnitScale Scale =
        new(("", 1), ("K", 1L << 10), ("M", 1L << 20), ("G", 1L << 30), ("T", 1L << 40), ("P", 1L << 50));

    public override string Expectation =>
        $"a size from {Scale.Format(min)} to {Scale.Format(max)}{(step > 1 ? $" in multiples of {Scale.Format(step)}" : "")}, "
        + "with K, M, G or T, such as 128K";

    public override bool TryParse(string text, out ScalarValue value, out string complaint)
    {
        decimal? bytes = Scale.Read(text, Canonical, out complaint);
        if (bytes is null)
        {
            return Refuse(complaint, out value, out complaint);
        }

        if (bytes > max)
        {
            return Refuse($"{Quoted.Text(text)} is too large", out value, out complaint);
        }

        if (bytes < min)
        {
            return Refuse($"{Quoted.Text(text)} is too small", out value, out complaint);
        }

        if (bytes % step != 0)
        {
            string whole = step > 1 ? $"no multiple of {Scale.Format(step)}" : "no whole number of bytes";
            return Refuse($"{Quoted.Text(text)} is {whole}", out value, out complaint);
        }

        return Accept((long)bytes, Scale.Format((long)bytes), out value, out complaint);
    }

    private static string Canonical(string unit)
    {
        string upper = unit.ToUpperInvariant();
        return upper.EndsWith("IB", StringComparison.Ordinal) ? upper[..^2] : upper.EndsWith('B') ? upper[..^1] : upper;
    }
}
