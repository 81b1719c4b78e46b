using Harness.Experiments.Machine;
using Harness.Experiments.Mounting;
using Harness.Experiments.Plan;
using Harness.Experiments.Plan.Workloads;
using Harness.Experiments.Running;
using Harness.Results;
using Harness.Results.Records;
using Harness.Runtime;
using Harness.Runtime.Native;
using Harness.Transport;

namespace Harness.Experiments.Benchmarking;

/// <summary>What the command line of <c>./harness bench channels</c> says.</summary>
internal sealed record ChannelBenchOptions
{
    /// <summary>A command to measure against instead of the project's own peers.</summary>
    public string? Peer { get; init; }

    /// <summary>The shape to put beside that command; null for each channel.</summary>
    public Shape? Shape { get; init; }

    /// <summary>The only shape to measure; null for all.</summary>
    public Shape? Only { get; init; }

    /// <summary>How often each contender runs each job.</summary>
    public int Blocks { get; init; } = 5;

    /// <summary>How long each job is measured.</summary>
    public TimeSpan Runtime { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Whether the result is printed as JSON.</summary>
    public bool Json { get; init; }

    /// <summary>Where the run's directory is made.</summary>
    public string Output { get; init; } = "runs";

    /// <summary>Decides the order of trials and the intervals' resampling.</summary>
    public int Seed { get; init; } = 1;
}

/// <summary>Measures our channels against others, from the peers' sources to the last line.</summary>
/// <param name="options">What to do.</param>
internal sealed class ChannelBench(ChannelBenchOptions options)
{
    private const string DirectoryName = "bench-channels";

    private readonly IReadOnlyList<Workload> _jobs = BenchJobs.All(options.Runtime);

    /// <summary>Measures and reports.</summary>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    /// <exception cref="FuseTransportException">This machine cannot.</exception>
    public async Task<int> Run(CancellationToken cancellationToken)
    {
        SystemSettings.RestoreLeftover();
        FuseProbe.Require();
        IReadOnlyList<Match> matches = Matches(Console.Error);
        Require(matches);
        string fio = FioProgram.Ensure(Console.Error);
        var directory = RunDirectory.Create(options.Output, DirectoryName, DateTimeOffset.Now);
        RunEnvironment environment = Environment(fio);
        environment.Write(directory.EnvironmentJson);
        using var results = ResultsFile.Open(directory.ResultsCsv, BenchRun.FactorNames);
        await Console.Error.WriteLineAsync($"run directory: {directory.Root}").ConfigureAwait(false);
        BenchTrial[] trials = [.. BenchTrial.Plan(matches, _jobs, options.Blocks, options.Seed)];
        if (!await Measure(new BenchRun(trials, directory, results), cancellationToken).ConfigureAwait(false))
        {
            await Console.Error.WriteLineAsync($"harness: interrupted; what was measured is in {directory.ResultsCsv}").ConfigureAwait(false);
            return ExitCode.Interrupted;
        }

        environment = environment with { FinishedAtUtc = DateTimeOffset.UtcNow };
        environment.Write(directory.EnvironmentJson);
        var comparison = BenchComparison.Of(matches, _jobs, results.Trials, options.Seed);
        Report(comparison, directory, environment);
        BenchPicture.Write(comparison, directory.Root, DirectoryName, environment);
        await Console.Error.WriteLineAsync($"picture: {Path.Combine(directory.Root, BenchPicture.FileName)}").ConfigureAwait(false);
        return results.Trials.Any(trial => trial.Error is not null) ? ExitCode.CheckFailed : ExitCode.Done;
    }

    /// <summary>What is compared on this machine. What it cannot do is left out with a word, unless it was asked for by name.</summary>
    private Match[] Matches(TextWriter progress)
    {
        IReadOnlyList<Match> all = options.Peer is string command
            ? Match.Beside(command, options.Shape, Topology.Current)
            : Match.Standard(Topology.Current);
        Match[] wanted = [.. all.Where(match => options.Only is null || match.Shape == options.Only)];
        bool named = options.Only == Shape.Ring || options.Shape == Shape.Ring;
        if (wanted.Any(match => match.Shape.IsRing) && WhyNoRing() is string reason)
        {
            if (named)
            {
                throw new FuseTransportException(reason);
            }

            progress.WriteLine($"left out: {Shape.Ring}. {reason}");
            return [.. wanted.Where(match => !match.Shape.IsRing)];
        }

        return wanted;
    }

    private static string? WhyNoRing()
    {
        try
        {
            var spec = new MountSpec { Backend = new Backend(Backend.Null, null), Knobs = Shape.Ring.Harness(pinned: true), MountPoint = "/" };
            _ = ChannelFactory.Needs(spec);
            return !UringSupport.IsOn && !Libc.IsRoot ? "FUSE over io_uring is switched off, and only root can switch it on." : null;
        }
        catch (FuseTransportException exception)
        {
            return exception.Message;
        }
    }

    private static void Require(IReadOnlyList<Match> matches)
    {
        if (matches.Any(match => match.Peer is FloorContender) && !Libc.IsRoot)
        {
            throw new FuseTransportException("The floor mounts by mount(2). Run as root: sudo ./harness bench channels");
        }

        if (matches.Any(match => match.Ours.Placement.IsPinned) && !Programs.Exist(PinnedCommand.Program))
        {
            throw new FuseTransportException($"{PinnedCommand.Program} is missing, which keeps both sides on the same CPUs. " +
                "Install it: sudo apt-get install -y util-linux");
        }

        if (matches.Any(match => match.Peer is FloorContender or LibfuseContender))
        {
            PeerPrograms.Build(Console.Error);
        }
    }

    private RunEnvironment Environment(string fio)
    {
        RunEnvironment environment = EnvironmentRecord.Gather(options.Seed, fio, DateTimeOffset.UtcNow);
        return PeerPrograms.LibfuseVersion() is string libfuse
            ? environment with { Versions = new Dictionary<string, string>(environment.Versions) { ["libfuse3"] = libfuse } }
            : environment;
    }

    private async Task<bool> Measure(BenchRun run, CancellationToken cancellationToken)
    {
        try
        {
            await (options.Json || Console.IsErrorRedirected || Console.IsOutputRedirected
                ? run.Run(new PlainProgress(Console.Error), cancellationToken)
                : LiveProgress.Show(progress => run.Run(progress, cancellationToken))).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private void Report(BenchComparison comparison, RunDirectory directory, RunEnvironment environment)
    {
        string json = BenchJson.Of(comparison, directory.Root, environment);
        WholeFile.Write(Path.Combine(directory.Root, "channels.json"), json + "\n");
        if (options.Json)
        {
            Console.WriteLine(json);
        }
        else
        {
            BenchReport.Print(comparison);
        }
    }
}
