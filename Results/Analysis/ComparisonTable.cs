using System.Text;
using Harness.Results.Records;
using Harness.Results.Statistics;

namespace Harness.Results.Analysis;

/// <summary>Every cell of a run compared with its baseline, in the order of the outlines: by experiment, workload, configuration.</summary>
public sealed class ComparisonTable
{
    private static readonly (string Heading, Func<ComparisonRow, string> Cell, bool IsNumber)[] Columns =
    [
        ("workload", row => row.Workload, false),
        ("configuration", row => row.Configuration, false),
        ("median", row => row.MedianText, true),
        ("ratio", row => row.RatioText, true),
        ("95 % interval", row => row.IntervalText, true),
        ("verdict", row => row.VerdictText, false),
        ("trials", row => row.TrialsText, false),
    ];

    private ComparisonTable(IReadOnlyList<ComparisonRow> rows) => Rows = rows;

    /// <summary>The cells.</summary>
    public IReadOnlyList<ComparisonRow> Rows { get; }

    /// <summary>A table of cells that have been compared already, each perhaps with a baseline of its own.</summary>
    public static ComparisonTable OfRows(IReadOnlyList<ComparisonRow> rows) => new(rows);

    /// <summary>Compares the speed of all configurations.</summary>
    /// <param name="outlines">The run's experiments.</param>
    /// <param name="trials">The run's trials, in any order; of several with one key, the last that was measured counts.</param>
    /// <param name="seed">The run's seed; the same seed gives the same intervals.</param>
    public static ComparisonTable OfSpeed(IReadOnlyList<ExperimentOutline> outlines, IReadOnlyList<TrialRecord> trials, long seed) =>
        Of(outlines, trials, workload => workload.Speed, seed);

    /// <summary>Compares all configurations by a metric.</summary>
    /// <param name="outlines">The run's experiments.</param>
    /// <param name="trials">The run's trials, in any order; of several with one key, the last that was measured counts.</param>
    /// <param name="metric">The metric for a workload.</param>
    /// <param name="seed">The run's seed; the same seed gives the same intervals.</param>
    public static ComparisonTable Of(
        IReadOnlyList<ExperimentOutline> outlines, IReadOnlyList<TrialRecord> trials, Func<WorkloadOutline, Metric> metric, long seed)
    {
        ILookup<(string, string, string), TrialRecord> cells = trials.ToLookup(t => (t.Experiment, t.Workload, t.Configuration));
        return new(
        [
            .. from outline in outlines
               from workload in outline.Workloads
               from configuration in outline.Configurations
               select Row(outline, workload.Name, configuration, metric(workload), cells, seed),
        ]);
    }

    /// <summary>The table as plain text, for where there is no terminal: one section per experiment, columns aligned.</summary>
    public string ToText()
    {
        var text = new StringBuilder();
        foreach (IGrouping<string, ComparisonRow> experiment in Rows.GroupBy(row => row.Experiment))
        {
            string[][] lines =
            [
                [.. Columns.Select(column => column.Heading)],
                .. experiment.Select(row => Columns.Select(column => OneLine(column.Cell(row))).ToArray()),
            ];
            int[] widths = [.. Columns.Select((_, column) => lines.Max(line => line[column].Length))];
            text.Append(text.Length == 0 ? "" : "\n").Append(OneLine(experiment.Key)).Append('\n');
            foreach (string[] line in lines)
            {
                IEnumerable<string> padded = line.Select((cell, column) =>
                    Columns[column].IsNumber ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]));
                text.Append("  ").Append(string.Join("  ", padded).TrimEnd()).Append('\n');
            }
        }
        return text.ToString();
    }

    private static ComparisonRow Row(
        ExperimentOutline outline,
        string workload,
        string configuration,
        Metric metric,
        ILookup<(string, string, string), TrialRecord> cells,
        long seed)
    {
        IEnumerable<TrialRecord> trials = cells[(outline.Name, workload, configuration)];
        Dictionary<int, double> values = ByBlock(trials, metric);
        Dictionary<int, double> baseline = ByBlock(cells[(outline.Name, workload, outline.Baseline)], metric);
        Random chance = Chance.For(seed, outline.Name, workload, configuration, metric.Name);
        return new()
        {
            Experiment = outline.Name,
            Workload = workload,
            Configuration = configuration,
            IsBaseline = configuration == outline.Baseline,
            Metric = metric,
            Comparison = Comparison.Of(baseline, values, metric.Direction, chance),
            Summary = Summary.Of(values.Values, chance),
            Failed = trials.Select(t => t.Block).Distinct().Count(block => !values.ContainsKey(block)),
        };
    }

    private static Dictionary<int, double> ByBlock(IEnumerable<TrialRecord> trials, Metric metric)
    {
        var values = new Dictionary<int, double>();
        foreach (TrialRecord trial in trials)
        {
            if (trial.Measured is { } measured)
            {
                values[trial.Block] = metric.Of(measured);
            }
        }
        return values;
    }

    /// <summary>A name may hold line breaks, which would tear the columns.</summary>
    private static string OneLine(string text) => string.Join(' ', text.Split(['\r', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries));
}
