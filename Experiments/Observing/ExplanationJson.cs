using System.Text.Json;
using System.Text.Json.Serialization;
using Harness.FuseProtocol.Tracing;

namespace Harness.Experiments.Observing;

/// <summary>An explanation as JSON for programs.</summary>
internal static class ExplanationJson
{
    private static readonly JsonSerializerOptions s_options = new()
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.Never,
        Encoder = global::System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>One object.</summary>
    public static string Render(Explanation explanation) => JsonSerializer.Serialize(new
    {
        mount = explanation.Mount,
        watched_seconds = Math.Round(explanation.Watched.TotalSeconds, 3),
        requests = explanation.Recorded,
        kernel_problem = explanation.KernelProblem,
        operations = explanation.Opcodes.Select(each => new
        {
            operation = KernelNames.Of(each.Opcode),
            requests = each.Requests,
            mean_nanos = Math.Round(each.TotalNanos),
            stages = each.Stages.Select(figures => new
            {
                stage = Stages.Name(figures.Stage),
                requests = figures.Nanos.Count,
                mean_nanos = Math.Round(figures.Nanos.MeanNanos),
                p50_nanos = figures.Nanos.PercentileNanos(50),
                p90_nanos = figures.Nanos.PercentileNanos(90),
                p99_nanos = figures.Nanos.PercentileNanos(99),
                share = Math.Round(figures.Share, 4),
            }),
        }),
    }, s_options);
}
