using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Harness.Cluster.Checking;

namespace Harness.Experiments.Checking;

/// <summary>What a campaign has come to.</summary>
/// <param name="Schedules">Schedules run.</param>
/// <param name="Operations">Operations of all of them.</param>
/// <param name="SimulatedHours">How long all the worlds have lived.</param>
/// <param name="FailedSeeds">The seeds of schedules with violations, in order.</param>
/// <param name="Violations">Violations in all.</param>
internal sealed record CheckReport(
    [property: JsonPropertyName("schedules")] long Schedules,
    [property: JsonPropertyName("operations")] long Operations,
    [property: JsonPropertyName("simulated_hours")] double SimulatedHours,
    [property: JsonPropertyName("failed_seeds")] IReadOnlyList<ulong> FailedSeeds,
    [property: JsonPropertyName("violations")] long Violations)
{
    /// <summary>As one object of JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this);

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Schedules} schedules, {Operations} operations, {SimulatedHours:F1} simulated hours, {Violations} violations");
}

/// <summary>Runs the schedules of many seeds, each in a world of its own, on all CPUs.</summary>
internal sealed class CheckCampaign(ulong first, long count, TextWriter progress, CancellationToken interrupted)
{
    private const double NanosecondsPerHour = 3.6e12;

    private readonly Lock _lock = new();
    private readonly List<ulong> _failed = [];
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private long _next;
    private long _schedules;
    private long _operations;
    private double _hours;
    private long _violations;
    private long _secondsShown;

    /// <summary>Runs all, or what there is time for until the interruption.</summary>
    public CheckReport Run()
    {
        Thread[] workers = [.. Enumerable.Range(0, (int)Math.Min(Environment.ProcessorCount, count)).Select(_ => new Thread(Work))];
        foreach (Thread worker in workers)
        {
            worker.Start();
        }

        foreach (Thread worker in workers)
        {
            worker.Join();
        }

        _failed.Sort();
        return new CheckReport(_schedules, _operations, _hours, _failed, _violations);
    }

    private void Work()
    {
        while (!interrupted.IsCancellationRequested)
        {
            long index = Interlocked.Increment(ref _next) - 1;
            if (index >= count)
            {
                return;
            }

            ulong seed = first + (ulong)index;
            Take(seed, ScheduleRun.Execute(ScheduleGenerator.Generate(seed)));
        }
    }

    private void Take(ulong seed, ScheduleResult result)
    {
        lock (_lock)
        {
            _schedules++;
            _operations += result.Operations;
            _hours += result.SimulatedNanoseconds / NanosecondsPerHour;
            _violations += result.Violations.Count;
            if (result.Violations.Count > 0)
            {
                _failed.Add(seed);
                progress.WriteLine($"check: seed {seed}: {result.Violations[0].What}");
                progress.WriteLine($"check: see it step by step with ./harness replay {seed}");
            }

            long seconds = (long)_watch.Elapsed.TotalSeconds;
            if (seconds >= _secondsShown + 5)
            {
                _secondsShown = seconds;
                progress.WriteLine($"check: {_schedules} of {count} schedules in {seconds} s, {_violations} violations");
            }
        }
    }
}
