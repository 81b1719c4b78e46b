using Harness.Experiments.Plan;
using Harness.Experiments.Simulated;
using Harness.Results.Records;
using Harness.Transport;

namespace Harness.Experiments.Running;

/// <summary>Runs single trials on real mounts: mounts, runs fio, unmounts.</summary>
/// <param name="runDirectory">Where job files and fio's reports are kept.</param>
/// <param name="explanations">What watches the mounts under load; null if nobody asked.</param>
internal sealed class TrialRunner(RunDirectory runDirectory, RunExplanations? explanations)
{
    /// <summary>Runs a trial. What goes wrong on the way, other than a cancellation, becomes the record's error.</summary>
    /// <exception cref="OperationCanceledException">The run was interrupted; everything is unmounted.</exception>
    public async Task<TrialRecord> Run(ExperimentPlan plan, Trial trial, int orderInBlock, CancellationToken cancellationToken)
    {
        var record = new TrialRecord
        {
            Experiment = plan.Experiment.Name,
            Workload = trial.Workload.Name,
            Configuration = trial.Configuration.Name,
            IsBaseline = trial.Configuration == plan.Baseline,
            Factors = FactorColumns.Of(trial.Configuration),
            Block = trial.Block,
            OrderInBlock = orderInBlock,
            StartedAtUtc = DateTimeOffset.UtcNow,
            World = plan.Experiment.World == World.Simulated ? "simulated" : "real",
        };
        try
        {
            if (plan.Experiment.World == World.Simulated)
            {
                return record with { Measured = Simulate(plan.Experiment, trial) };
            }

            return record with { Measured = await Measure(plan.Experiment, trial, cancellationToken).ConfigureAwait(false) };
        }
        catch (Exception exception) when (exception is FuseTransportException or InvalidDataException or IOException or TimeoutException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return record with { Error = exception.Message };
        }
    }

    /// <summary>Blocks differ by what is drawn, as real ones do by chance. The run's directory keeps the trace's hash.</summary>
    private TrialMeasurement Simulate(Experiment experiment, Trial trial)
    {
        ulong seed = (ulong)(experiment.Seed + trial.Block);
        TrialMeasurement measured = SimulatedTrial.Run(
            experiment.Machine, experiment.Backend, trial.Configuration.Settings, trial.Workload, seed, out ulong hash);
        lock (runDirectory)
        {
            File.AppendAllText(
                runDirectory.TracesCsv, $"{experiment.Name},{trial.Workload.Name},{trial.Configuration.Name},{trial.Block},{seed},{hash:x16}\n");
        }

        return measured;
    }

    private async Task<TrialMeasurement> Measure(Experiment experiment, Trial trial, CancellationToken cancellationToken)
    {
        if (experiment.Backend.Shape is not { } shape)
        {
            return await Measure(experiment, experiment.Backend, trial, cancellationToken).ConfigureAwait(false);
        }

        TrialCluster cluster = await TrialCluster.Start(shape, cancellationToken).ConfigureAwait(false);
        await using (cluster.ConfigureAwait(false))
        {
            return await Measure(experiment, experiment.Backend with { Place = $"{cluster.Metadata}" }, trial, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<TrialMeasurement> Measure(Experiment experiment, Backend backend, Trial trial, CancellationToken cancellationToken)
    {
        string mountPoint = Directory.CreateTempSubdirectory("harness-").FullName;
        try
        {
            DaemonProcess daemon = await DaemonProcess.StartHarness(
                DaemonProcess.HarnessMount(trial.Configuration.MountArguments(backend), mountPoint), mountPoint, cancellationToken)
                .ConfigureAwait(false);
            await using (daemon.ConfigureAwait(false))
            {
                string stem = runDirectory.FioStem(experiment.Name, trial.Workload.Name, trial.Configuration.Name, trial.Block);
                Task<TrialMeasurement> Load() => FioRun.Measure(trial.Workload, backend, daemon, null, stem, cancellationToken);
                return explanations is null ? await Load().ConfigureAwait(false) : await explanations.Around(
                    new(experiment.Name, trial.Workload.Name, trial.Configuration.Name, trial.Block), mountPoint, trial.Workload.ExpectedTime, Load,
                    cancellationToken)
                    .ConfigureAwait(false);
            }
        }
        finally
        {
            Directory.Delete(mountPoint);
        }
    }
}
