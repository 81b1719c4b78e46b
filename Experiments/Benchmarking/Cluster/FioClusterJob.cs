using System.Diagnostics;
using Harness.Experiments.Running;
using Harness.Results.Analysis;
using Harness.Results.Records;

namespace Harness.Experiments.Benchmarking.Cluster;

/// <summary>A job of fio.</summary>
/// <param name="name">The job's name, which is its cell's.</param>
/// <param name="speed">What is compared.</param>
/// <param name="runtime">How long it runs; null if it ends by itself.</param>
/// <param name="options">fio's options.</param>
/// <param name="ownFile">Whether it begins with a file that is not there, and not with those that all share.</param>
internal sealed class FioClusterJob(string name, Metric speed, TimeSpan? runtime, string options, bool ownFile = false) : ClusterJob
{
    private const int Files = 4;
    private const long FileBytes = 128L << 20;

    // fio numbers its processes from 0 where a file name asks for it.
    private const string SharedFile = "data.$jobnum";

    private static readonly TimeSpan s_grace = TimeSpan.FromMinutes(10);

    // The first operations of a trial find processes whose hot paths are not compiled yet, and a disk that still works off what sync(2) has flushed.
    private static readonly TimeSpan s_longestRamp = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public override string Name => name;

    /// <inheritdoc/>
    public override IReadOnlyList<ClusterCell> Cells { get; } = [new ClusterCell(name, speed, ClusterCell.BarOfAll)];

    /// <inheritdoc/>
    /// <remarks>The files are written whole, with bytes that do not compress, so that reads meet no holes and writes no new blocks.</remarks>
    public override async Task Prepare(ClusterSide side, CancellationToken cancellationToken)
    {
        if (!ownFile && !File.Exists(side.PathOf($"data.{Files - 1}")))
        {
            await Fio(
                side,
                null,
                [
                    "--name=prepare", $"--filename_format={SharedFile}", "--rw=write", "--bs=1M", $"--size={FileBytes}", $"--numjobs={Files}",
                    "--end_fsync=1", "--group_reporting",
                ],
                cancellationToken)
                .ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public override async Task<IReadOnlyList<TrialMeasurement>> Run(ClusterSide side, string stem, CancellationToken cancellationToken)
    {
        string[] timing = runtime is { } time
            ? ["--time_based", $"--runtime={Milliseconds(time)}ms", $"--ramp_time={Milliseconds(Ramp(time))}ms"]
            : [];
        string[] file = ownFile
            ? [$"--filename_format={name}.$jobnum", "--fallocate=none", "--unlink=1"]
            : [$"--filename_format={SharedFile}", $"--size={FileBytes}"];
        ServerCpu before = ServerCpu.Of(side.Servers);
        long started = Stopwatch.GetTimestamp();
        string report = await Fio(
            side,
            stem,
            [$"--name={name}", .. file, .. timing, "--norandommap", "--refill_buffers", "--group_reporting", .. options.Split(' ')],
            cancellationToken).ConfigureAwait(false);
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        ServerCpu after = ServerCpu.Of(side.Servers);
        return
        [
            FioOutput.Parse(report) with
            {
                DaemonCpuUserPercent = (after.User - before.User).TotalSeconds / seconds * 100,
                DaemonCpuSystemPercent = (after.System - before.System).TotalSeconds / seconds * 100,
            },
        ];
    }

    /// <summary>How long a job runs before its measured time: half of that, at most a second.</summary>
    private static TimeSpan Ramp(TimeSpan time) => time / 2 < s_longestRamp ? time / 2 : s_longestRamp;

    private static long Milliseconds(TimeSpan time) => (long)time.TotalMilliseconds;

    private static async Task<string> Fio(ClusterSide side, string? stem, IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        string report = $"{stem ?? Path.GetTempFileName()}.json";
        string[] all = [.. arguments, $"--directory={side.WorkDirectory}", "--output-format=json+", $"--output={report}", "--eta=never"];
        using Process fio = FioProgram.Start(all, Path.GetTempPath(), null);
        Task<string> errors = fio.StandardError.ReadToEndAsync(CancellationToken.None);
        Task<string> output = fio.StandardOutput.ReadToEndAsync(CancellationToken.None);
        await ProgramJob.WaitFor(fio, s_grace, cancellationToken).ConfigureAwait(false);
        if (fio.ExitCode != 0)
        {
            string text = $"{await errors.ConfigureAwait(false)}{await output.ConfigureAwait(false)}".Trim();
            throw new InvalidDataException($"fio ended with code {fio.ExitCode}: {text.Split('\n')[0]}");
        }

        return await File.ReadAllTextAsync(report, cancellationToken).ConfigureAwait(false);
    }
}
