using Harness.Experiments.Plan.Values;

namespace Harness.Experiments.Plan;

/// <summary>A knob that an experiment varies.</summary>
/// <param name="Knob">What varies.</param>
/// <param name="Levels">Its values, distinct, in the order of the plan; at least one.</param>
/// <param name="BaselineLevel">The index of the level that the baseline has.</param>
internal sealed record Factor(Knob Knob, IReadOnlyList<ScalarValue> Levels, int BaselineLevel);
