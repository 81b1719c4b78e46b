using System.Diagnostics;
using Harness.Results.Records;

namespace Harness.Experiments.Running;

/// <summary>Progress as plain lines, for logs and pipes: one every few seconds, and one for each failure.</summary>
internal sealed class PlainProgress(TextWriter writer) : IRunProgress
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(5);

    private long _last;

    /// <inheritdoc/>
    public void Started(string trial, int done, int total, TimeSpan left)
    {
        if (_last != 0 && Stopwatch.GetElapsedTime(_last) < s_interval)
        {
            return;
        }

        _last = Stopwatch.GetTimestamp();
        writer.WriteLine($"{done}/{total} trials, about {Format(left)} left: {trial}");
    }

    /// <inheritdoc/>
    public void Finished(TrialRecord record)
    {
        if (record.Error is not null)
        {
            writer.WriteLine($"failed: {record.Experiment}, {record.Workload}, {record.Configuration}, block {record.Block}: {record.Error}");
        }
    }

    /// <summary>A duration for people.</summary>
    public static string Format(TimeSpan span) =>
        span < TimeSpan.FromMinutes(1) ? $"{span.TotalSeconds:0} s" : $"{(int)span.TotalMinutes} min {span.Seconds} s";
}
