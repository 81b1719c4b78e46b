using System.Globalization;
using Harness.Experiments.Machine;
using Harness.FuseProtocol.Tracing;
using Harness.Results.Maps;

namespace Harness.Experiments.Observing;

/// <summary>Explanations as a picture: a bar for each opcode that took a share of the time worth seeing.</summary>
internal static class ExplanationPicture
{
    private const double NanosPerMicro = 1e3;
    private const double ShareMin = 0.02;
    private const int BarsMax = 40;

    /// <summary>Draws one mount's.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, Explanation explanation) =>
        StageChart.Write(path, "Where a request's time goes", Caption(explanation.KernelProblem, explanation.Mount), [.. Bars(null, explanation)]);

    /// <summary>Draws several side by side.</summary>
    /// <param name="path">The file to create or replace.</param>
    /// <param name="title">What they have in common.</param>
    /// <param name="named">Each with its name; those without requests are left out.</param>
    /// <returns>False if there was nothing to draw.</returns>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static bool TryWrite(string path, string title, IEnumerable<(string Name, Explanation Explanation)> named)
    {
        (string Name, Explanation Explanation)[] all = [.. named];
        StageBar[] bars = [.. all.SelectMany(each => Bars(each.Name, each.Explanation)).Take(BarsMax)];
        if (bars.Length > 0)
        {
            StageChart.Write(path, title, Caption(all[0].Explanation.KernelProblem, null), bars);
        }

        return bars.Length > 0;
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
