using System.Diagnostics;
using Harness.Experiments.Plan;
using Harness.Experiments.Plan.Workloads;
using Harness.Experiments.Simulated;
using Harness.Results.Records;
using Harness.Transport;

namespace Harness.Experiments.Running;

/// <summary>Runs single trials on real mounts: mounts, runs fio, unmounts.</summary>
/// <param name="runDirectory">Where job files and fio's reports are kept.</param>
internal sealed class TrialRunner(RunDirectory runDirectory)
{
    // A job that takes this much longer than it should is stuck on a daemon that no longer answers.
    private static readonly TimeSpan s_fioGrace = TimeSpan.FromSeconds(60);

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

    /// <summary>Blocks differ by what is drawn, as real ones do by chance.</summary>
    private static TrialMeasurement Simulate(Experiment experiment, Trial trial) => SimulatedTrial.Run(
        experiment.Machine, experiment.Backend, trial.Configuration.Settings, trial.Workload, (ulong)(experiment.Seed + trial.Block));

    private async Task<TrialMeasurement> Measure(Experiment experiment, Trial trial, CancellationToken cancellationToken)
    {
        string mountPoint = Directory.CreateTempSubdirectory("harness-").FullName;
        try
        {
            DaemonProcess daemon = await DaemonProcess.Start(
                trial.Configuration.MountArguments(experiment.Backend), mountPoint, cancellationToken).ConfigureAwait(false);
            await using (daemon.ConfigureAwait(false))
            {
                return await RunFio(experiment, trial, daemon, mountPoint, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            Directory.Delete(mountPoint);
        }
    }

    private async Task<TrialMeasurement> RunFio(
        Experiment experiment, Trial trial, DaemonProcess daemon, string mountPoint, CancellationToken cancellationToken)
    {
        string stem = runDirectory.FioStem(experiment, trial);
        await File.WriteAllTextAsync($"{stem}.fio", FioJob.Render(trial.Workload, experiment.Backend, mountPoint), cancellationToken)
            .ConfigureAwait(false);
        (TimeSpan User, TimeSpan System) before = daemon.CpuTime;
        long started = Stopwatch.GetTimestamp();
        using Process fio = FioProgram.Start(FioJob.Arguments($"{stem}.fio", $"{stem}.json"), runDirectory.FioPath);
        Task<string> errors = fio.StandardError.ReadToEndAsync(CancellationToken.None);
        Task<string> output = fio.StandardOutput.ReadToEndAsync(CancellationToken.None);
        await WaitFor(fio, daemon, trial, cancellationToken).ConfigureAwait(false);
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        (TimeSpan User, TimeSpan System) after = daemon.CpuTime;
        if (daemon.HasExited)
        {
            throw new InvalidDataException("the daemon died while fio ran");
        }

        if (fio.ExitCode != 0)
        {
            string text = $"{await errors.ConfigureAwait(false)}{await output.ConfigureAwait(false)}".Trim();
            throw new InvalidDataException($"fio ended with code {fio.ExitCode}: {text.Split('\n')[0]}");
        }

        string report = await File.ReadAllTextAsync($"{stem}.json", cancellationToken).ConfigureAwait(false);
        return FioOutput.Parse(report) with
        {
            DaemonCpuUserPercent = (after.User - before.User).TotalSeconds / seconds * 100,
            DaemonCpuSystemPercent = (after.System - before.System).TotalSeconds / seconds * 100,
        };
    }

    private static async Task WaitFor(Process fio, DaemonProcess daemon, Trial trial, CancellationToken cancellationToken)
    {
        try
        {
            await fio.WaitForExitAsync(cancellationToken).WaitAsync(trial.Workload.ExpectedTime + s_fioGrace, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            // fio's jobs are processes of their own, and end with errors only when the mount does: the daemon first.
            fio.Kill(entireProcessTree: true);
            await daemon.DisposeAsync().ConfigureAwait(false);
            await fio.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
            if (exception is TimeoutException)
            {
                throw new TimeoutException("fio did not end; it was stopped", exception);
            }

            throw;
        }
    }
}
