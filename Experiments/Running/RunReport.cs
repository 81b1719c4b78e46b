using Harness.Experiments.Plan;
using Harness.Experiments.Plan.Workloads;
using Harness.Results;
using Harness.Results.Analysis;
using Harness.Results.Maps;
using Harness.Results.Records;
using Spectre.Console;

namespace Harness.Experiments.Running;

/// <summary>What a run prints and draws when it ends.</summary>
internal static class RunReport
{
    /// <summary>What fio reads at a time unless told otherwise.</summary>
    internal const long DefaultBlockBytes = 4096;

    /// <summary>An experiment as tables and maps need it: names in the plan's order.</summary>
    public static ExperimentOutline Outline(ExperimentPlan plan) => new(
        plan.Experiment.Name,
        [.. plan.Experiment.Workloads.Select(workload => new WorkloadOutline(workload.Name, Metric.SpeedFor(workload.Number(FioKeys.Bs, DefaultBlockBytes))))],
        [.. plan.Configurations.Select(configuration => configuration.Name)],
        plan.Baseline.Name);

    /// <summary>Prints every cell with its ratio to the baseline: as a table on a terminal, as plain text elsewhere.</summary>
    public static void PrintTable(ComparisonTable table)
    {
        if (Console.IsOutputRedirected)
        {
            Console.Write(table.ToText());
            return;
        }

        foreach (IGrouping<string, ComparisonRow> experiment in table.Rows.GroupBy(row => row.Experiment))
        {
            Table drawn = new Table().Title(Markup.Escape(experiment.Key)).Border(TableBorder.Rounded);
            foreach (string heading in (string[])["workload", "configuration", "median", "ratio", "95 % interval", "verdict", "trials"])
            {
                drawn.AddColumn(heading);
            }

            foreach (ComparisonRow row in experiment)
            {
                string colour = row.VerdictText switch { "better" => "green", "worse" => "red", _ => "default" };
                drawn.AddRow([
                    .. new[] { row.Workload, row.Configuration, row.MedianText, row.RatioText, row.IntervalText }.Select(Markup.Escape),
                    $"[{colour}]{row.VerdictText}[/]",
                    Markup.Escape(row.TrialsText),
                ]);
            }

            AnsiConsole.Write(drawn);
        }
    }

    /// <summary>Draws the maps of what was measured.</summary>
    /// <returns>The files written.</returns>
    public static IReadOnlyList<string> DrawMaps(
        RunDirectory directory, IReadOnlyList<ExperimentPlan> plans, IReadOnlyList<TrialRecord> trials, long seed, RunEnvironment environment)
    {
        ExperimentOutline[] outlines = [.. plans.Select(Outline)];
        var caption = MapCaption.Of(Path.GetFileName(directory.Root), environment);
        string throughput = Path.Combine(directory.Root, "throughput.png");
        string latency = Path.Combine(directory.Root, "latency.png");
        ThroughputMap.Write(throughput, outlines, trials, seed, caption);
        LatencyMap.Write(latency, outlines, trials, seed, caption);
        IReadOnlyList<ScalingPanel> curves = ScalingReport.Panels(plans, trials);
        if (curves.Count == 0)
        {
            return [throughput, latency];
        }

        string scaling = Path.Combine(directory.Root, ScalingReport.FileName);
        bool isSimulated = plans.All(plan => plan.Experiment.World == World.Simulated);
        ScalingChart.Write(
            scaling, curves, isSimulated ? caption with { Kernel = "simulated Linux 6.18", Machine = $"computed on {caption.Machine}" } : caption);
        return [throughput, latency, scaling];
    }
}
