using Harness.Experiments.Plan;
using Harness.Experiments.Plan.Workloads;
using Harness.Results.Analysis;
using Harness.Results.Maps;
using Harness.Results.Records;

namespace Harness.Experiments.Running;

/// <summary>Scaling curves, where an experiment has workloads that differ in nothing but their number of jobs.</summary>
internal static class ScalingReport
{
    /// <summary>Its name in the run's directory.</summary>
    public const string FileName = "scaling.png";

    // Two points are a comparison; a curve has more.
    private const int PointsMin = 3;

    /// <summary>The curves of a run; empty if no experiment has any.</summary>
    public static IReadOnlyList<ScalingPanel> Panels(IReadOnlyList<ExperimentPlan> plans, IReadOnlyList<TrialRecord> trials) =>
    [
        .. from plan in plans
           from curve in plan.Experiment.Workloads.GroupBy(Kind)
           where curve.Select(Jobs).Distinct().Count() >= PointsMin
           let panel = Panel(plan, [.. curve.OrderBy(Jobs)], trials)
           where panel.Series.Count > 0
           select panel,
    ];

    private static ScalingPanel Panel(ExperimentPlan plan, IReadOnlyList<Workload> workloads, IReadOnlyList<TrialRecord> trials)
    {
        Metric metric = Metric.SpeedFor(workloads[0].Number(FioKeys.Bs, RunReport.DefaultBlockBytes));
        Dictionary<(string Workload, string Configuration), double[]> measured = trials
            .Where(record => record.Experiment == plan.Experiment.Name && record.Measured is not null)
            .GroupBy(record => (record.Workload, record.Configuration))
            .ToDictionary(cell => cell.Key, cell => cell.Select(record => metric.Of(record.Measured!)).Where(value => value > 0).Order().ToArray());
        ScalingSeries[] series =
        [
            .. from configuration in plan.Configurations
               let points = (from workload in workloads
                             let values = measured.GetValueOrDefault((workload.Name, configuration.Name), [])
                             where values.Length > 0
                             select ((double)Jobs(workload), values[values.Length / 2])).ToArray()
               where points.Length > 0
               select new ScalingSeries(configuration.Label, points),
        ];
        string heading = plan.Experiment.Description.Length > 0 ? plan.Experiment.Description : plan.Experiment.Name;
        string place = plan.Experiment.World == World.Simulated ? $", simulated on {plan.Experiment.Machine}" : string.Empty;
        string unit = metric == Metric.Iops ? "operations per second" : "bytes per second";
        return new ScalingPanel(heading, $"jobs{place}", unit, series);
    }

    private static long Jobs(Workload workload) => workload.Number(FioKeys.NumJobs, 1);

    private static string Kind(Workload workload) => string.Join(
        ' ', workload.Settings.Where(setting => setting.Key != FioKeys.NumJobs).Select(setting => $"{setting.Key}={setting.Value.Text}").Order());
}
