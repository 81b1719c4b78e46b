using System.CommandLine;
using System.Text.RegularExpressions;
using Harness.Experiments.Benchmarking.Cluster;
using Harness.Experiments.Clusters;
using Harness.Experiments.Plan.Values;

namespace Harness.Experiments.Commands;

/// <summary><c>./harness bench cluster</c>: measures a cluster's mount, and another directory beside it.</summary>
internal static class BenchClusterCommand
{
    private const string OursPattern = @"harness(\.dll)? +(mds|cs|mount|cluster)\b";
    private const string PeersPattern = "gluster";

    private static readonly ValueKind s_runtime =
        ValueKind.Duration(50 * DurationKind.Millisecond, 3600 * DurationKind.Second, DurationKind.Millisecond);

    private static readonly ValueKind s_blocks = ValueKind.Integer(1, 1000);

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var directory = new Argument<string?>("DIR")
        {
            Description = "A mounted directory of ours (default: the mount of a cluster that is made for the run, beside its results, and removed)",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var words = new Option<string[]>("-o") { Description = "Options of the mount that is made for the run", HelpName = "WORD,…" };
        var peer = new Option<string?>("--peer") { Description = "Another mounted directory, which the ratios are to", HelpName = "DIR" };
        var quick = new Option<bool>("--quick") { Description = "Rough figures: a second for each job, 500 files, two blocks" };
        var blocks = new Option<string?>("--blocks") { Description = "How often each side runs each job (default 3)", HelpName = "N" };
        var runtime = new Option<string?>("--runtime") { Description = "How long each job of fio is measured (default 5s)", HelpName = "DURATION" };
        var only = new Option<string[]>("--only") { Description = "Measure this job only; may be given several times", HelpName = "JOB" };
        var servers = new Option<string>("--servers")
        {
            Description = "Matches the command lines of our servers, whose CPU time is counted",
            HelpName = "REGEX",
            DefaultValueFactory = _ => OursPattern,
        };
        var peerServers = new Option<string>("--peer-servers")
        {
            Description = "The same for the peer's",
            HelpName = "REGEX",
            DefaultValueFactory = _ => PeersPattern,
        };
        var defaults = new ClusterBenchOptions { Sides = [] };
        var tree = new Option<string>("--tree") { Description = "What tar packs and unpacks", HelpName = "DIR", DefaultValueFactory = _ => defaults.Tree };
        var repository = new Option<string?>("--repository") { Description = "What git clones (default: this program's own repository)", HelpName = "DIR" };
        var json = new Option<bool>("--json") { Description = "As JSON" };
        var output = new Option<string>("--out")
        {
            Description = "Where the run's directory is made",
            HelpName = "DIR",
            DefaultValueFactory = _ => defaults.Output,
        };
        var command = new Command(
            "cluster", "Runs data and metadata jobs on a mounted directory, interleaved with those on a peer's; prints ratios with intervals.")
        {
            directory, words, peer, quick, blocks, runtime, only, servers, peerServers, tree, repository, json, output,
        };
        command.SetAction(async (parsed, _) =>
        {
            bool isQuick = parsed.GetValue(quick);
            ClusterSide[] peers = parsed.GetValue(peer) is string other
                ? [Side(ClusterSide.Peer, peer.Name, other, Pattern(peerServers.Name, parsed.GetValue(peerServers)!))]
                : [];
            string[] mountWords = parsed.GetValue(words) ?? [];
            Regex oursPattern = Pattern(servers.Name, parsed.GetValue(servers)!);
            ClusterSide Ours(string path) => Side(ClusterSide.Harness, directory.Name, path, oursPattern);
            if (parsed.GetValue(directory) is not null && mountWords.Length > 0)
            {
                throw new BadArgumentsException("-o is for the mount that is made for the run. Leave DIR out, or mount DIR with these options.");
            }

            ClusterSide? given = parsed.GetValue(directory) is string path ? Ours(path) : null;
            var options = new ClusterBenchOptions
            {
                Sides = given is null ? peers : [given, .. peers],
                Quick = isQuick,
                Blocks = (int)Read(blocks.Name, s_blocks, parsed.GetValue(blocks), isQuick ? 2 : defaults.Blocks),
                Runtime = TimeSpan.FromTicks(Read(
                    runtime.Name, s_runtime, parsed.GetValue(runtime), isQuick ? DurationKind.Second : defaults.Runtime.Ticks * TimeSpan.NanosecondsPerTick)
                    / TimeSpan.NanosecondsPerTick),
                Only = CheckJobs(only.Name, parsed.GetValue(only) ?? []),
                Tree = parsed.GetValue(tree)!,
                Repository = parsed.GetValue(repository),
                Json = parsed.GetValue(json),
                Output = parsed.GetValue(output)!,
            };
            using var interruption = new Interruption();
            return given is not null
                ? await new ClusterBench(options).Run(interruption.Token).ConfigureAwait(false)
                : await RunOnOwn(options, mountWords, Ours, interruption.Token).ConfigureAwait(false);
        });
        return command;
    }

    private static async Task<int> RunOnOwn(
        ClusterBenchOptions options, string[] words, Func<string, ClusterSide> ours, CancellationToken cancellationToken)
    {
        string root = Path.Combine(options.Output, $"cluster-{Environment.ProcessId}");
        try
        {
            await using OwnCluster cluster = await OwnCluster.Start(root, words, cancellationToken).ConfigureAwait(false);
            return await new ClusterBench(options with { Sides = [ours(cluster.MountPoint), .. options.Sides] })
                .Run(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
    }

    private static ClusterSide Side(string name, string argument, string directory, Regex servers)
    {
        if (!Directory.Exists(directory))
        {
            throw new BadArgumentsException($"{argument}: {Quoted.Text(directory)} is not a directory. Mount the file system there first.");
        }

        string type = MountedType(Path.GetFullPath(directory));
        if (name == ClusterSide.Harness && !type.StartsWith("fuse", StringComparison.Ordinal))
        {
            throw new BadArgumentsException(
                $"{argument}: {Quoted.Text(directory)} lies on {type}, and not on a mount of ours, whose place its figures would take. " +
                "Mount the cluster there first.");
        }

        return new ClusterSide(name, Path.GetFullPath(directory), servers);
    }

    private static Regex Pattern(string option, string pattern)
    {
        try
        {
            return new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception exception) when (exception is ArgumentException or NotSupportedException)
        {
            throw new BadArgumentsException($"{option}: {exception.Message}");
        }
    }

    /// <summary>The type of the file system that a directory is on, as proc_pid_mounts(5) has it: that of the longest mount point above it.</summary>
    private static string MountedType(string directory) => (
        from line in File.ReadLines("/proc/self/mounts")
        let fields = line.Split(' ')
        let point = fields[1].Replace(@"\040", " ", StringComparison.Ordinal)
        where directory == point || directory.StartsWith(point.TrimEnd('/') + '/', StringComparison.Ordinal)
        orderby point.Length
        select fields[2]).Last();

    private static string[] CheckJobs(string option, string[] names)
    {
        string[] all = [.. ClusterJobs.All(TimeSpan.Zero, quick: true, string.Empty, string.Empty).Select(job => job.Name)];
        return names.FirstOrDefault(name => !all.Contains(name)) is string unknown
            ? throw new BadArgumentsException(
                $"{option}: there is no job {Quoted.Text(unknown)}{NearestName.Hint(unknown, all)}; allowed: {string.Join(", ", all)}.")
            : names;
    }

    private static long Read(string option, ValueKind kind, string? text, long otherwise) => text is null
        ? otherwise
        : kind.TryParse(text, out ScalarValue value, out string complaint)
            ? value.Number
            : throw new BadArgumentsException($"{option}: {complaint}; allowed: {kind.Expectation}.");
}
