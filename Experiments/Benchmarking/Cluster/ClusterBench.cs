using System.Globalization;
using Harness.Experiments.Running;
using Harness.Results;
using Harness.Results.Analysis;
using Harness.Results.Records;
using Harness.Transport;
using Mono.Unix.Native;

namespace Harness.Experiments.Benchmarking.Cluster;

/// <summary>What the command line of <c>./harness bench cluster</c> says.</summary>
internal sealed record ClusterBenchOptions
{
    /// <summary>Our side, and the peer if there is one: the ratio is to the last.</summary>
    public required IReadOnlyList<ClusterSide> Sides { get; init; }

    /// <summary>How often each side runs each job.</summary>
    public int Blocks { get; init; } = 3;

    /// <summary>How long each job of fio is measured that has no end of its own.</summary>
    public TimeSpan Runtime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether a rough figure is enough: less data, fewer files.</summary>
    public bool Quick { get; init; }

    /// <summary>Which jobs; none for all.</summary>
    public IReadOnlyList<string> Only { get; init; } = [];

    /// <summary>Whether the result is printed as JSON.</summary>
    public bool Json { get; init; }

    /// <summary>What tar(1) packs and unpacks.</summary>
    public string Tree { get; init; } = "/usr/include";

    /// <summary>What git(1) clones; null for the repository that this program was built from.</summary>
    public string? Repository { get; init; }

    /// <summary>Where the run's directory is made.</summary>
    public string Output { get; init; } = "runs";

    /// <summary>Decides the order of trials and the intervals' resampling.</summary>
    public int Seed { get; init; } = 1;
}

/// <summary>Measures mounted directories beside each other, from their preparation to the last line.</summary>
/// <param name="options">What to do.</param>
internal sealed class ClusterBench(ClusterBenchOptions options)
{
    private const string Experiment = "cluster";

    /// <summary>Measures and reports.</summary>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    /// <exception cref="FuseTransportException">This machine cannot.</exception>
    public async Task<int> Run(CancellationToken cancellationToken)
    {
        string fio = FioProgram.Ensure(Console.Error);
        var directory = RunDirectory.Create(options.Output, "bench-cluster", DateTimeOffset.Now);
        RunEnvironment environment = EnvironmentRecord.Gather(options.Seed, fio, DateTimeOffset.UtcNow);
        environment.Write(directory.EnvironmentJson);
        await Console.Error.WriteLineAsync($"run directory: {directory.Root}").ConfigureAwait(false);
        string archive = Path.Combine(Path.GetTempPath(), $"harness-bench-{Environment.ProcessId}.tar");
        ClusterJob[] jobs = [.. ClusterJobs.All(options.Runtime, options.Quick, archive, Repository()).Where(IsWanted)];
        using var results = ResultsFile.Open(directory.ResultsCsv, []);
        try
        {
            await Pack(archive, jobs, cancellationToken).ConfigureAwait(false);
            foreach (ClusterSide side in options.Sides)
            {
                Directory.CreateDirectory(side.WorkDirectory);
            }

            await Measure(jobs, directory, results, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync($"harness: interrupted; what was measured is in {directory.ResultsCsv}").ConfigureAwait(false);
            return ExitCode.Interrupted;
        }
        finally
        {
            File.Delete(archive);
            CleanUp();
        }

        environment = environment with { FinishedAtUtc = DateTimeOffset.UtcNow };
        environment.Write(directory.EnvironmentJson);
        Report(jobs, directory, results, environment);
        return results.Trials.Any(trial => trial.Error is not null) ? ExitCode.CheckFailed : ExitCode.Done;
    }

    private bool IsWanted(ClusterJob job) => options.Only.Count == 0 || options.Only.Contains(job.Name);

    private string Repository() => options.Repository
        ?? Ancestors(AppContext.BaseDirectory).FirstOrDefault(path => Path.Exists(Path.Combine(path, ".git")))
        ?? throw new FuseTransportException("This program lies in no git repository that could be cloned; name one with --repository DIR.");

    private static IEnumerable<string> Ancestors(string path)
    {
        for (DirectoryInfo? each = new(path); each is not null; each = each.Parent)
        {
            yield return each.FullName;
        }
    }

    private async Task Pack(string archive, ClusterJob[] jobs, CancellationToken cancellationToken)
    {
        if (jobs.Any(job => job.Name == "tar-x"))
        {
            string tree = Path.GetFullPath(options.Tree);
            using var tar = System.Diagnostics.Process.Start("tar", ["-cf", archive, "-C", Path.GetDirectoryName(tree)!, Path.GetFileName(tree)]);
            await tar.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>A block runs each job once on each side: jobs in random order, and for each job its sides one after another in random order.</summary>
    private async Task Measure(ClusterJob[] jobs, RunDirectory directory, ResultsFile results, CancellationToken cancellationToken)
    {
        var progress = new PlainProgress(Console.Error);
        var random = new Random(options.Seed);
        int total = options.Blocks * jobs.Length * options.Sides.Count;
        int done = 0;
        long started = System.Diagnostics.Stopwatch.GetTimestamp();
        for (int block = 0; block < options.Blocks; block++)
        {
            foreach (ClusterJob job in Shuffled(jobs, random))
            {
                foreach (ClusterSide side in Shuffled(options.Sides, random))
                {
                    TimeSpan each = done == 0 ? options.Runtime : System.Diagnostics.Stopwatch.GetElapsedTime(started) / done;
                    progress.Started($"{job.Name}, {side.Name}", done, total, each * (total - done));
                    foreach (TrialRecord record in await Try(job, side, block, done, directory, cancellationToken).ConfigureAwait(false))
                    {
                        results.Append(record);
                        progress.Finished(record);
                    }

                    done++;
                }
            }
        }
    }

    private async Task<IEnumerable<TrialRecord>> Try(
        ClusterJob job, ClusterSide side, int block, int order, RunDirectory directory, CancellationToken cancellationToken)
    {
        DateTimeOffset startedAt = DateTimeOffset.UtcNow;
        try
        {
            await job.Prepare(side, cancellationToken).ConfigureAwait(false);
            // What the job before has left dirty in this host's page cache is not this one's to pay for, whichever side left it.
            await Task.Run(Syscall.sync, cancellationToken).ConfigureAwait(false);
            string stem = directory.FioStem(Experiment, job.Name, side.Name, block);
            IReadOnlyList<TrialMeasurement> measured = await job.Run(side, stem, cancellationToken).ConfigureAwait(false);
            return job.Cells.Zip(measured, (cell, each) => Record(cell) with { Measured = each });
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException or TimeoutException or UnauthorizedAccessException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return job.Cells.Select(cell => Record(cell) with { Error = exception.Message });
        }

        TrialRecord Record(ClusterCell cell) => new()
        {
            Experiment = Experiment,
            Workload = cell.Name,
            Configuration = side.Name,
            IsBaseline = side == options.Sides[^1],
            Block = block,
            OrderInBlock = order % (options.Sides.Count * ClusterJobsMax),
            StartedAtUtc = startedAt,
            World = "real",
        };
    }

    private const int ClusterJobsMax = 64;

    private static T[] Shuffled<T>(IReadOnlyList<T> items, Random random)
    {
        T[] shuffled = [.. items];
        random.Shuffle(shuffled);
        return shuffled;
    }

    private void CleanUp()
    {
        foreach (ClusterSide side in options.Sides.Where(side => Directory.Exists(side.WorkDirectory)))
        {
            try
            {
                Directory.Delete(side.WorkDirectory, recursive: true);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                Console.Error.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"harness: {side.WorkDirectory} could not be removed: {exception.Message} Remove it by hand."));
            }
        }
    }

    private void Report(ClusterJob[] jobs, RunDirectory directory, ResultsFile results, RunEnvironment environment)
    {
        ClusterCell[] cells = [.. jobs.SelectMany(job => job.Cells)];
        var outline = new ExperimentOutline(
            Experiment,
            [.. cells.Select(cell => new WorkloadOutline(cell.Name, cell.Speed))],
            [.. options.Sides.Reverse().Select(side => side.Name)],
            options.Sides[^1].Name);
        ComparisonTable table = ComparisonTable.OfSpeed([outline], results.Trials, options.Seed);
        var comparison = ClusterComparison.Of(cells, options.Sides, table, results.Trials);
        string json = comparison.ToJson(directory.Root, environment);
        WholeFile.Write(Path.Combine(directory.Root, "cluster.json"), json + "\n");
        Console.WriteLine(options.Json ? json : comparison.ToText());
    }
}
