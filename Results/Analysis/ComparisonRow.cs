using Harness.Results.Statistics;

namespace Harness.Results.Analysis;

/// <summary>One cell of an experiment, a configuration on a workload, compared with the baseline on the same workload.</summary>
public sealed record ComparisonRow
{
    /// <summary>The experiment's name.</summary>
    public required string Experiment { get; init; }

    /// <summary>The workload's name.</summary>
    public required string Workload { get; init; }

    /// <summary>The configuration's name.</summary>
    public required string Configuration { get; init; }

    /// <summary>Whether this is what the others are compared with.</summary>
    public required bool IsBaseline { get; init; }

    /// <summary>What is compared.</summary>
    public required Metric Metric { get; init; }

    /// <summary>The cell's own values.</summary>
    public required Summary Summary { get; init; }

    /// <summary>The ratio to the baseline; for the baseline itself a ratio of 1 that says nothing.</summary>
    public required Comparison Comparison { get; init; }

    /// <summary>Blocks whose trial failed and was not measured later.</summary>
    public required int Failed { get; init; }

    /// <summary>The median with its unit; <c>failed</c> when every trial did, <c>–</c> when none ran.</summary>
    public string MedianText => Summary.Count > 0 ? Metric.Format(Summary.Median) : Failed > 0 ? "failed" : "–";

    /// <summary>As <c>×1.32</c>; <c>–</c> without a pair.</summary>
    public string RatioText => Comparison.Ratio is { } ratio ? HumanUnits.Ratio(ratio) : "–";

    /// <summary>As <c>1.21 to 1.44</c>; <c>–</c> for the baseline and with fewer than two pairs.</summary>
    public string IntervalText => !IsBaseline && Comparison.Interval is { } interval
        ? $"{HumanUnits.RatioDigits(interval.Low)} to {HumanUnits.RatioDigits(interval.High)}"
        : "–";

    /// <summary>The verdict in a word; <c>–</c> without a pair.</summary>
    public string VerdictText => this switch
    {
        { IsBaseline: true } => "baseline",
        { Comparison.Pairs: 0 } => "–",
        { Comparison.Verdict: Verdict.Better } => "better",
        { Comparison.Verdict: Verdict.Worse } => "worse",
        _ => "inconclusive",
    };

    /// <summary>As <c>5</c>, or <c>3, 2 failed</c>.</summary>
    public string TrialsText => Failed == 0 ? $"{Summary.Count}" : $"{Summary.Count}, {Failed} failed";
}
