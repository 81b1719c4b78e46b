using Harness.FuseProtocol.Wire;
using Harness.Results;

namespace Harness.Experiments.Observing;

/// <summary>Adds up the stages of many requests, by opcode.</summary>
internal sealed class StageTally
{
    private readonly SortedDictionary<Opcode, LatencyHistogram[]> _histograms = [];
    private readonly Dictionary<Opcode, long> _requests = [];

    /// <summary>Adds a request's stages, or some of them.</summary>
    /// <param name="times">The request.</param>
    /// <param name="wanted">Which stages count.</param>
    public void Add(in StageTimes times, Func<Stage, bool> wanted)
    {
        if (!_histograms.TryGetValue(times.Opcode, out LatencyHistogram[]? stages))
        {
            stages = [.. Stages.All.Select(_ => new LatencyHistogram())];
            _histograms.Add(times.Opcode, stages);
        }

        _requests[times.Opcode] = _requests.GetValueOrDefault(times.Opcode) + 1;
        foreach (Stage stage in Stages.All.Where(wanted))
        {
            if (times[stage] is long nanos)
            {
                stages[(int)stage].Record(nanos);
            }
        }
    }

    /// <summary>The figures, the opcode that took the most time in all first.</summary>
    public IReadOnlyList<OpcodeExplanation> Explain() =>
        [.. _histograms.Select(pair => Explain(pair.Key, pair.Value)).OrderByDescending(each => each.TotalNanos * each.Requests)];

    private OpcodeExplanation Explain(Opcode opcode, LatencyHistogram[] histograms)
    {
        double total = histograms.Sum(histogram => histogram.MeanNanos);
        return new OpcodeExplanation(opcode, _requests[opcode],
        [
            .. Stages.All.Select(stage => (Stage: stage, Nanos: histograms[(int)stage])).Where(pair => pair.Nanos.Count > 0)
                .Select(pair => new StageFigures(pair.Stage, pair.Nanos, total > 0 ? pair.Nanos.MeanNanos / total : 0)),
        ]);
    }
}
