using System.Diagnostics;
using Harness.Experiments.Plan;
using Harness.Experiments.Running;
using Harness.Results.Records;
using Harness.Transport;

namespace Harness.Experiments.Prediction;

/// <summary>Measures cells on real mounts, block by block in random order, and keeps each trial's record.</summary>
/// <param name="directory">Where fio's reports are kept.</param>
/// <param name="results">Where the records go; what is in it already is not measured again.</param>
/// <param name="seed">Decides the order.</param>
internal sealed class RealCells(RunDirectory directory, ResultsFile results, int seed)
{
    /// <summary>The experiment's name in results.csv.</summary>
    public const string Experiment = "predict";

    private static readonly Backend s_null = new(Backend.Null, null);

    /// <summary>Measures to the end or to the cancellation.</summary>
    /// <exception cref="OperationCanceledException">It was interrupted; everything is unmounted, what was measured is kept.</exception>
    public async Task Run(IReadOnlyList<PredictionCell> cells, int blocks, IRunProgress progress, CancellationToken cancellationToken)
    {
        var random = new Random(seed);
        (PredictionCell Cell, int Block)[] trials = [.. Enumerable.Range(0, blocks).SelectMany(block => Shuffled(cells, random).Select(cell => (cell, block)))];
        trials = [.. trials.Where(trial => !results.IsMeasured(Record(trial.Cell, trial.Block).Key))];
        long started = Stopwatch.GetTimestamp();
        for (int i = 0; i < trials.Length; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            (PredictionCell cell, int block) = trials[i];
            TimeSpan each = i == 0 ? cell.Workload.ExpectedTime : Stopwatch.GetElapsedTime(started) / i;
            progress.Started($"{cell}", i, trials.Length, each * (trials.Length - i));
            TrialRecord record = await Measure(Record(cell, block), cell, cancellationToken).ConfigureAwait(false);
            results.Append(record);
            progress.Finished(record);
        }
    }

    private static PredictionCell[] Shuffled(IReadOnlyList<PredictionCell> cells, Random random)
    {
        PredictionCell[] shuffled = [.. cells];
        random.Shuffle(shuffled);
        return shuffled;
    }

    private static TrialRecord Record(PredictionCell cell, int block) => new()
    {
        Experiment = Experiment,
        Workload = cell.Workload.Name,
        Configuration = cell.Configuration,
        IsBaseline = false,
        Block = block,
        OrderInBlock = 0,
        StartedAtUtc = DateTimeOffset.UtcNow,
        World = "real",
    };

    private async Task<TrialRecord> Measure(TrialRecord record, PredictionCell cell, CancellationToken cancellationToken)
    {
        string mountPoint = Directory.CreateTempSubdirectory("harness-").FullName;
        try
        {
            string[] arguments = ["--backend", Backend.Null, .. cell.Knobs.MountArguments()];
            DaemonProcess daemon = await DaemonProcess.StartHarness(DaemonProcess.HarnessMount(arguments, mountPoint), mountPoint, cancellationToken)
                .ConfigureAwait(false);
            await using (daemon.ConfigureAwait(false))
            {
                string stem = directory.FioStem(Experiment, cell.Workload.Name, cell.Configuration, record.Block);
                return record with
                {
                    Measured = await FioRun.Measure(cell.Workload, s_null, daemon, null, stem, cancellationToken).ConfigureAwait(false),
                };
            }
        }
        catch (Exception exception) when (exception is FuseTransportException or InvalidDataException or IOException or TimeoutException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return record with { Error = exception.Message };
        }
        finally
        {
            Directory.Delete(mountPoint);
        }
    }
}
