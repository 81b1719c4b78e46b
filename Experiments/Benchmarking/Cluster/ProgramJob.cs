using System.Diagnostics;
using Harness.Results.Analysis;
using Harness.Results.Records;

namespace Harness.Experiments.Benchmarking.Cluster;

/// <summary>A program that makes a tree of files in a directory of its own. Counts as many operations as there are files and directories then.</summary>
/// <param name="name">The job's name, which is its cell's.</param>
/// <param name="program">The program.</param>
/// <param name="arguments">Its arguments, <see cref="Target"/> among them.</param>
internal sealed class ProgramJob(string name, string program, IReadOnlyList<string> arguments) : ClusterJob
{
    /// <summary>Stands for the directory among the arguments.</summary>
    public const string Target = "{}";

    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(20);

    /// <inheritdoc/>
    public override string Name => name;

    /// <inheritdoc/>
    public override IReadOnlyList<ClusterCell> Cells { get; } = [new ClusterCell(name, Metric.Iops, ClusterCell.BarOfMetadata)];

    /// <inheritdoc/>
    public override async Task<IReadOnlyList<TrialMeasurement>> Run(ClusterSide side, string stem, CancellationToken cancellationToken)
    {
        string target = side.PathOf(name);
        Directory.CreateDirectory(target);
        var meter = new OperationMeter(side);
        using Process process = Process.Start(new ProcessStartInfo(program, arguments.Select(each => each == Target ? target : each))
        {
            RedirectStandardError = true,
        })!;
        Task<string> errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        await WaitFor(process, s_limit, cancellationToken).ConfigureAwait(false);
        meter.Stop();
        if (process.ExitCode != 0)
        {
            throw new InvalidDataException($"{program} ended with code {process.ExitCode}: {(await errors.ConfigureAwait(false)).Trim().Split('\n')[0]}");
        }

        int entries = Directory.EnumerateFileSystemEntries(target, "*", SearchOption.AllDirectories).Count();
        Directory.Delete(target, recursive: true);
        return [meter.Measurement(entries)];
    }

    /// <summary>Waits for a process; ends it if it takes too long or is no longer wanted.</summary>
    /// <exception cref="TimeoutException">It took too long.</exception>
    public static async Task WaitFor(Process process, TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            await process.WaitForExitAsync(cancellationToken).WaitAsync(limit, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }
}
