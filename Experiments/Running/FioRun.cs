using System.Diagnostics;
using Harness.Experiments.Plan;
using Harness.Experiments.Plan.Workloads;
using Harness.Results.Records;
using Harness.Runtime;

namespace Harness.Experiments.Running;

/// <summary>One run of fio on a mount that serves.</summary>
internal static class FioRun
{
    // A job that takes this much longer than it should is stuck on a daemon that no longer answers.
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(60);

    /// <summary>Runs a workload and reads what fio and the daemon's CPU clock say of it.</summary>
    /// <param name="workload">What to run.</param>
    /// <param name="backend">What the mount serves, which decides where files come from.</param>
    /// <param name="daemon">The mount; stopped if fio cannot be ended otherwise.</param>
    /// <param name="cpus">Where fio may run; null for anywhere.</param>
    /// <param name="stem">Path, without extension, of the job file and the report that stay behind.</param>
    /// <param name="cancellationToken">Gives the run up.</param>
    /// <exception cref="InvalidDataException">fio or the daemon failed; the message says how.</exception>
    /// <exception cref="TimeoutException">fio did not end.</exception>
    public static async Task<TrialMeasurement> Measure(
        Workload workload, Backend backend, DaemonProcess daemon, CpuSet? cpus, string stem, CancellationToken cancellationToken)
    {
        await File.WriteAllTextAsync($"{stem}.fio", FioJob.Render(workload, backend, daemon.MountPoint), cancellationToken).ConfigureAwait(false);
        (TimeSpan User, TimeSpan System) before = daemon.CpuTime;
        long started = Stopwatch.GetTimestamp();
        using Process fio = FioProgram.Start(FioJob.Arguments($"{stem}.fio", $"{stem}.json"), Path.GetDirectoryName(stem)!, cpus);
        Task<string> errors = fio.StandardError.ReadToEndAsync(CancellationToken.None);
        Task<string> output = fio.StandardOutput.ReadToEndAsync(CancellationToken.None);
        await WaitFor(fio, daemon, workload.ExpectedTime + s_grace, cancellationToken).ConfigureAwait(false);
        // The daemon works while the job runs, not while fio starts and ends.
        double seconds = Math.Min(Stopwatch.GetElapsedTime(started).TotalSeconds, workload.Timing?.Total.TotalSeconds ?? double.MaxValue);
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

    private static async Task WaitFor(Process fio, DaemonProcess daemon, TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            await fio.WaitForExitAsync(cancellationToken).WaitAsync(limit, cancellationToken).ConfigureAwait(false);
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
