using System.Diagnostics;
using Harness.Experiments.Plan;
using Harness.Experiments.Running;
using Harness.Results.Records;
using Harness.Transport;

namespace Harness.Experiments.Benchmarking;

/// <summary>Runs trials one after another and keeps their records.</summary>
/// <param name="trials">What to run, in order.</param>
/// <param name="directory">Where job files and fio's reports are kept.</param>
/// <param name="results">Where each trial's record goes as soon as it is there.</param>
internal sealed class BenchRun(IReadOnlyList<BenchTrial> trials, RunDirectory directory, ResultsFile results)
{
    /// <summary>The experiment's name in results.csv.</summary>
    public const string Experiment = "channels";

    private const string Anywhere = "any";

    // What mounting, starting fio and unmounting take, until it is known.
    private static readonly TimeSpan s_overheadGuess = TimeSpan.FromSeconds(1);

    private static readonly Backend s_null = new(Backend.Null, null);

    /// <summary>The columns of results.csv that tell contenders apart.</summary>
    public static IReadOnlyList<string> FactorNames { get; } = ["server", "shape", "placement", "daemon_cpus", "application_cpus"];

    /// <summary>Runs to the end or to the cancellation.</summary>
    /// <exception cref="OperationCanceledException">The run was interrupted; everything is unmounted, what was measured is kept.</exception>
    public async Task Run(IRunProgress progress, CancellationToken cancellationToken)
    {
        long started = Stopwatch.GetTimestamp();
        for (int i = 0; i < trials.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            BenchTrial trial = trials[i];
            TimeSpan each = i == 0 ? trial.Job.ExpectedTime + s_overheadGuess : Stopwatch.GetElapsedTime(started) / i;
            progress.Started($"{trial.Job.Name}, {trial.Contender.Name}", i, trials.Count, each * (trials.Count - i));
            TrialRecord record = await Run(trial, i, cancellationToken).ConfigureAwait(false);
            results.Append(record);
            progress.Finished(record);
        }
    }

    private async Task<TrialRecord> Run(BenchTrial trial, int order, CancellationToken cancellationToken)
    {
        Contender contender = trial.Contender;
        var record = new TrialRecord
        {
            Experiment = Experiment,
            Workload = trial.Job.Name,
            Configuration = contender.Name,
            IsBaseline = !contender.IsHarness,
            Factors = Factors(trial),
            Block = trial.Block,
            OrderInBlock = order % (trials.Count / (trials[^1].Block + 1)),
            StartedAtUtc = DateTimeOffset.UtcNow,
            World = "real",
        };
        try
        {
            return record with { Measured = await Measure(trial, cancellationToken).ConfigureAwait(false) };
        }
        catch (Exception exception) when (exception is FuseTransportException or InvalidDataException or IOException or TimeoutException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return record with { Error = exception.Message };
        }
    }

    private async Task<TrialMeasurement> Measure(BenchTrial trial, CancellationToken cancellationToken)
    {
        string mountPoint = Directory.CreateTempSubdirectory("harness-").FullName;
        try
        {
            DaemonProcess daemon = await trial.Contender.Start(mountPoint, cancellationToken).ConfigureAwait(false);
            await using (daemon.ConfigureAwait(false))
            {
                string stem = directory.FioStem(Experiment, trial.Job.Name, trial.Contender.Name, trial.Block);
                return await FioRun.Measure(
                    trial.Job, s_null, daemon, trial.Contender.Application(BenchJobs.Count(trial.Job)), stem, cancellationToken)
                    .ConfigureAwait(false);
            }
        }
        finally
        {
            Directory.Delete(mountPoint);
        }
    }

    private static Results.Records.Factor[] Factors(BenchTrial trial)
    {
        Contender contender = trial.Contender;
        string?[] values =
        [
            contender.Server,
            contender.Shape.Name,
            contender.Placement.IsPinned ? "pinned" : "unpinned",
            contender.Placement.Daemon?.ToString(),
            contender.Application(BenchJobs.Count(trial.Job))?.ToString(),
        ];
        return [.. FactorNames.Zip(values, (name, value) => new Results.Records.Factor(name, value ?? Anywhere))];
    }
}
