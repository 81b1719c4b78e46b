using Harness.Experiments.Plan.Values;

namespace Harness.Experiments.Plan;

/// <summary>
/// A setting of the mount under test that an experiment may fix (<c>mount:</c>) or vary (<c>factors:</c>), and an option of
/// <c>harness mount</c>.
/// </summary>
internal sealed record Knob
{
    /// <summary>As a plan and the command line spell it.</summary>
    public required string Name { get; init; }

    public required ValueKind Kind { get; init; }

    /// <summary>What <see cref="ScalarValue.Number"/> counts; empty where it only distinguishes levels.</summary>
    public required string Unit { get; init; }

    /// <summary>The value when nobody sets the knob; it may follow from the knobs that are set.</summary>
    public required Func<KnobSettings, ScalarValue> Default { get; init; }

    /// <summary>A label for a column of a map: short, and unlike any label of another knob.</summary>
    public required Func<ScalarValue, string> Label { get; init; }

    /// <summary>What the knob does to the kernel, for help texts.</summary>
    public required string Effect { get; init; }

    /// <summary>
    /// The arguments of <c>harness mount</c> that set the knob: <c>--NAME VALUE</c>. A switch takes no value: it is <c>--NAME</c> or
    /// <c>--no-NAME</c>.
    /// </summary>
    public IEnumerable<string> MountArguments(ScalarValue value)
    {
        if (Kind is not SwitchKind)
        {
            return [$"--{Name}", value.Text];
        }

        return [value.Number == 1 ? $"--{Name}" : $"--no-{Name}"];
    }

    public override string ToString() => Name;
}
