using System.Diagnostics;
using Harness.Experiments.Benchmarking;
using Harness.Experiments.Plan;
using Harness.Experiments.Plan.Workloads;
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
    private static readonly Workload s_warmUp = BenchJobs.WarmUp(TimeSpan.FromMilliseconds(500));

    private TimeSpan _spent;
    private int _measured;

    /// <summary>Measures a block to its end or to the cancellation.</summary>
    /// <param name="cells">What there is to measure.</param>
    /// <param name="block">Which block it is, from 0.</param>
    /// <param name="blocks">How many there are.</param>
    /// <param name="progress">Told of each trial.</param>
    /// <param name="cancellationToken">Interrupts it.</param>
    /// <remarks>
    /// A block mounts each configuration once, in random order, and runs its cells there, in random order: what a mount has by chance, such as
    /// where its memory lies, differs from block to block as it would from trial to trial, and its code is compiled once and not for each cell.
    /// </remarks>
    /// <exception cref="OperationCanceledException">It was interrupted; everything is unmounted, what was measured is kept.</exception>
    public async Task Run(IReadOnlyList<PredictionCell> cells, int block, int blocks, IRunProgress progress, CancellationToken cancellationToken)
    {
        var random = new Random(seed + block);
        int total = cells.Count * blocks;
        int done = results.Trials.Count(trial => trial.Measured is not null);
        foreach (IGrouping<string, PredictionCell> mount in Shuffled(cells.GroupBy(cell => cell.Configuration), random))
        {
            PredictionCell[] left = [.. Shuffled(mount, random).Where(cell => !results.IsMeasured(Record(cell, block).Key))];
            if (left.Length == 0)
            {
                continue;
            }

            long started = Stopwatch.GetTimestamp();
            TimeSpan each = _measured == 0 ? left[0].Workload.ExpectedTime : _spent / _measured;
            await OnOneMount(left, block, cell => progress.Started($"{cell}", done, total, each * (total - done)), record =>
            {
                results.Append(record);
                progress.Finished(record);
                done++;
            }, cancellationToken).ConfigureAwait(false);
            (_spent, _measured) = (_spent + Stopwatch.GetElapsedTime(started), _measured + left.Length);
        }
    }

    private static T[] Shuffled<T>(IEnumerable<T> values, Random random)
    {
        T[] shuffled = [.. values];
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

    private async Task OnOneMount(
        PredictionCell[] cells, int block, Action<PredictionCell> starts, Action<TrialRecord> ended, CancellationToken cancellationToken)
    {
        string mountPoint = Directory.CreateTempSubdirectory("harness-").FullName;
        try
        {
            string[] arguments = ["--backend", Backend.Null, .. cells[0].Knobs.MountArguments()];
            DaemonProcess daemon = await DaemonProcess.StartHarness(DaemonProcess.HarnessMount(arguments, mountPoint), mountPoint, cancellationToken)
                .ConfigureAwait(false);
            await using (daemon.ConfigureAwait(false))
            {
                await Trial(Record(cells[0], block), s_warmUp, daemon, cancellationToken).ConfigureAwait(false);
                foreach (PredictionCell cell in cells)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    starts(cell);
                    ended(await Trial(Record(cell, block), cell.Workload, daemon, cancellationToken).ConfigureAwait(false));
                }
            }
        }
        catch (FuseTransportException exception)
        {
            // It could not be mounted.
            cancellationToken.ThrowIfCancellationRequested();
            foreach (PredictionCell cell in cells)
            {
                ended(Record(cell, block) with { Error = exception.Message });
            }
        }
        finally
        {
            Directory.Delete(mountPoint);
        }
    }

    private async Task<TrialRecord> Trial(TrialRecord record, Workload workload, DaemonProcess daemon, CancellationToken cancellationToken)
    {
        try
        {
            string stem = directory.FioStem(Experiment, workload.Name, record.Configuration, record.Block);
            return record with { Measured = await FioRun.Measure(workload, s_null, daemon, null, stem, cancellationToken).ConfigureAwait(false) };
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException or TimeoutException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return record with { Error = exception.Message };
        }
    }
}
