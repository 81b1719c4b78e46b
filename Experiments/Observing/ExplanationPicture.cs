using System.Globalization;
using Harness.Experiments.Machine;
using Harness.FuseProtocol.Tracing;
using Harness.Results.Maps;

namespace Harness.Experiments.Observing;

/// <summary>Explanations as a picture: a bar for each opcode that took a share of the time worth seeing.</summary>
internal static class ExplanationPicture
{
    private const string Title = "Where a request's time goes";
    private const double NanosPerMicro = 1e3;
    private const double ShareMin = 0.02;
    private const int BarsMax = 40;
    private const int PanelsMax = 12;

    /// <summary>Draws one mount's.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, Explanation explanation) =>
        StageChart.Write(
            path, Title, Caption(explanation.KernelProblem, explanation.Mount), [new StagePanel(string.Empty, [.. Bars(null, explanation)])]);

    /// <summary>Draws those of a run: a panel for each workload, a bar or more for each configuration.</summary>
    /// <returns>False if there was no request, and nothing to draw.</returns>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static bool TryWrite(string path, IReadOnlyList<TrialExplanation> trials)
    {
        StagePanel[] panels =
        [
            .. trials.GroupBy(trial => $"{trial.Experiment}: {trial.Workload}")
                .Select(group => new StagePanel(group.Key, [.. group.SelectMany(trial => Bars(trial.Configuration, trial.Explanation)).Take(BarsMax)]))
                .Where(panel => panel.Bars.Count > 0).Take(PanelsMax),
        ];
        if (panels.Length > 0)
        {
            StageChart.Write(path, Title, Caption(trials[0].Explanation.KernelProblem, null), panels);
        }

        return panels.Length > 0;
    }

    private static IEnumerable<StageBar> Bars(string? name, Explanation explanation)
    {
        double all = explanation.Opcodes.Sum(each => each.TotalNanos * each.Requests);
        foreach (OpcodeExplanation each in explanation.Opcodes.Where(each => each.TotalNanos * each.Requests >= ShareMin * all))
        {
            string opcode = KernelNames.Of(each.Opcode);
            string requests = string.Create(CultureInfo.InvariantCulture, $"{each.Requests:N0} requests");
            yield return new StageBar(
                name ?? opcode,
                name is null ? requests : $"{opcode}, {requests}",
                [.. each.Stages.Select(figures => new StagePart(Stages.Name(figures.Stage), figures.Nanos.MeanNanos / NanosPerMicro))]);
        }
    }

    private static IReadOnlyList<string> Caption(string? kernelProblem, string? mount)
    {
        var machine = MachineInfo.Read();
        string[] lines =
        [
            mount ?? string.Empty,
            $"Linux {machine.KernelRelease} · {machine.CpuModel}, {machine.Topology.Online.Count} CPUs · mean of each stage, µs",
            kernelProblem is null ? string.Empty : $"Only the daemon's own stages: {kernelProblem}",
        ];
        return [.. lines.Where(line => line.Length > 0)];
    }
}
