namespace Harness.Experiments.Plan.Values;

/// <summary>One value read from a plan: what it counts, and how it is spelled.</summary>
/// <param name="Number">The value in its kind's base unit: bytes, nanoseconds, 0 or 1 for off and on, the index of a choice.</param>
/// <param name="Text">The canonical spelling, which its kind reads back as the same value: <c>1024K</c> is <c>1M</c>.</param>
internal readonly record struct ScalarValue(long Number, string Text)
{
    public override string ToString() => Text;
}
