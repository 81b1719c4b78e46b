using Harness.Experiments.Plan;
using Harness.Experiments.Plan.Values;

namespace Harness.Experiments.Running;

/// <summary>Factors as columns of results.csv: numbers in one unit, which the column's name ends in, and words as they are.</summary>
internal static class FactorColumns
{
    /// <summary>The columns that an experiment needs.</summary>
    public static IEnumerable<string> Names(Experiment experiment) =>
        experiment.Factors.Select(factor => new Harness.Results.Records.Factor(ColumnName(factor.Knob), "-").Name);

    /// <summary>The cells of a configuration.</summary>
    public static IReadOnlyList<Harness.Results.Records.Factor> Of(Configuration configuration) =>
        [.. configuration.Levels.Knobs.Select(knob => new Harness.Results.Records.Factor(ColumnName(knob), Cell(knob, configuration.Levels[knob])))];

    private static string ColumnName(Knob knob) => knob.Unit.Length > 0 ? $"{knob.Name}_{knob.Unit}" : knob.Name;

    private static string Cell(Knob knob, ScalarValue value) => knob.Unit.Length > 0 ? $"{value.Number}" : value.Text;
}
