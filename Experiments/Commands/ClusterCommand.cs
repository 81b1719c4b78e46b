using System.CommandLine;
using Harness.Experiments.Clusters;

namespace Harness.Experiments.Commands;

/// <summary><c>./harness cluster</c>: a storage cluster of real processes on this host, and a look at any other.</summary>
internal static class ClusterCommand
{
    /// <summary>The command.</summary>
    public static Command Create() => new("cluster", "Runs a storage cluster on this host: metadata server, chunk servers, mount; and tells how one is.")
    {
        Up(), Status(), Down(), ClusterCheckCommand.Create(), Kill(), Start(),
    };

    private static Option<string> Directory() => new("--dir")
    {
        Description = "The cluster's directory on this host: its data, logs, and what it was told",
        HelpName = "DIR",
        Required = true,
    };

    private static Command Up()
    {
        Option<string> directory = Directory();
        var servers = new Option<int?>("--cs")
        {
            Description = $"Chunk servers (default: as before; {ClusterWishes.ChunkServersDefault} at first)",
            HelpName = "N",
        };
        var replicas = new Option<string?>("--replicas") { Description = ReplicaCount.Description, HelpName = "N[:MIN]" };
        var listen = new Option<string?>("--listen")
        {
            Description = "Where the metadata server listens (default: as before; a free port of 127.0.0.1 at first)",
            HelpName = "HOST:PORT",
        };
        var mount = new Option<string?>("--mount") { Description = "Mount it on this directory too (default: as before)", HelpName = "MNT" };
        var words = new Option<string[]>("-o") { Description = "Options of the mount, as ./harness mount --options lists them", HelpName = "WORD,…" };
        var inProcess = new Option<bool>("--in-process") { Description = "Run all of it in the process of the mount" };
        var command = new Command(
            "up", "Starts what does not run yet, in the background, and returns when the cluster can be used. What it is told it remembers.")
        {
            directory, servers, replicas, listen, mount, words, inProcess,
        };
        command.SetAction(async (parsed, _) =>
        {
            var wishes = new ClusterWishes(
                parsed.GetValue(servers),
                parsed.GetValue(replicas) is string text ? ReplicaCount.Read(text) : null,
                parsed.GetValue(listen),
                parsed.GetValue(mount),
                parsed.GetValue(words) ?? [],
                parsed.GetValue(inProcess));
            // What can never be is refused before anything is made.
            string path = parsed.GetValue(directory)!;
            wishes.Over(ClusterConfig.Read(Path.Combine(path, ClusterDirectory.ConfigName)), running: false, isMounted: false);
            ClusterDirectory cluster = ClusterDirectory.Create(path);
            using IDisposable taken = cluster.Lock();
            ClusterConfig? known = ClusterConfig.Read(cluster.ConfigPath);
            ClusterState? state = known is null ? null : await ClusterState.Of(cluster).ConfigureAwait(false);
            bool isMounted = state?.Processes.GetValueOrDefault(ClusterDirectory.MountName) is not null;
            bool runs = state?.Processes.Values.Any(static pid => pid is not null) == true;
            ClusterConfig config = wishes.Over(known, runs, isMounted);
            config.Write(cluster.ConfigPath);
            return await Bring(cluster, config, null).ConfigureAwait(false);
        });
        return command;
    }

    private static Command Status()
    {
        var directory = new Option<string?>("--dir") { Description = "The cluster's directory on this host", HelpName = "DIR" };
        var metadata = new Option<string?>("--mds")
        {
            Description = "Or where its metadata server listens, for a cluster of many hosts",
            HelpName = "HOST:PORT",
        };
        var json = new Option<bool>("--json") { Description = "As JSON, one object" };
        var command = new Command("status", "Shows servers, space, the states of chunks and what is being repaired. Ends with code 1 if something is wrong.")
        {
            directory, metadata, json,
        };
        command.SetAction(async (parsed, _) =>
        {
            ClusterState state = (parsed.GetValue(directory), parsed.GetValue(metadata)) switch
            {
                (string path, null) => await ClusterState.Of(ClusterDirectory.Open(path)).ConfigureAwait(false),
                (null, string address) => await ClusterState.Of(Addresses.Read("--mds", address)).ConfigureAwait(false),
                _ => throw new BadArgumentsException("Give --dir DIR for a cluster of this host, or --mds HOST:PORT."),
            };
            Console.WriteLine(parsed.GetValue(json) ? ClusterStateText.RenderJson(state) : ClusterStateText.Render(state).TrimEnd());
            return state.Problems.Count == 0 ? ExitCode.Done : ExitCode.CheckFailed;
        });
        return command;
    }

    private static Command Down()
    {
        Option<string> directory = Directory();
        var force = new Option<bool>("--force") { Description = "Also if the mount is in use, or a process does not end: what is not yet written is lost" };
        var command = new Command("down", "Unmounts, and stops all servers; everything is on the disk then.") { directory, force };
        command.SetAction(async (parsed, _) =>
        {
            ClusterDirectory cluster = ClusterDirectory.Open(parsed.GetValue(directory)!);
            using IDisposable taken = cluster.Lock();
            int stopped = await new ClusterStopper(cluster, cluster.Config()).Run(parsed.GetValue(force)).ConfigureAwait(false);
            Console.WriteLine(stopped == 0 ? $"nothing runs of the cluster in {cluster.Path}" : $"the cluster in {cluster.Path} is down");
            return ExitCode.Done;
        });
        return command;
    }

    private static Command Kill()
    {
        (Option<string> directory, Argument<string> server) = (Directory(), Server());
        var command = new Command("kill", "Kills one server with SIGKILL, to see what becomes of it.") { directory, server };
        command.SetAction(async (parsed, _) =>
        {
            ClusterDirectory cluster = ClusterDirectory.Open(parsed.GetValue(directory)!);
            string name = NameOf(cluster, parsed.GetValue(server)!);
            bool ran = await cluster.Handle(name).Kill().ConfigureAwait(false);
            Console.WriteLine(ran ? $"{name} was killed" : $"{name} did not run");
            return ExitCode.Done;
        });
        return command;
    }

    private static Command Start()
    {
        (Option<string> directory, Argument<string> server) = (Directory(), Server());
        var command = new Command("start", "Starts one server that does not run.") { directory, server };
        command.SetAction(async (parsed, _) =>
        {
            ClusterDirectory cluster = ClusterDirectory.Open(parsed.GetValue(directory)!);
            using IDisposable taken = cluster.Lock();
            return await Bring(cluster, cluster.Config(), NameOf(cluster, parsed.GetValue(server)!)).ConfigureAwait(false);
        });
        return command;
    }

    private static Argument<string> Server() => new("SERVER") { Description = "mds, cs1, cs2, … or mount" };

    private static string NameOf(ClusterDirectory cluster, string name)
    {
        ClusterConfig config = cluster.Config();
        string[] names =
        [
            .. config.InProcess ? [] : new[] { ClusterDirectory.MetadataName },
            .. config.InProcess ? [] : Enumerable.Range(1, config.ChunkServers).Select(ClusterDirectory.ChunkServerName),
            .. config.MountPoint is null ? [] : new[] { ClusterDirectory.MountName },
        ];
        return names.Contains(name) ? name : throw new BadArgumentsException($"SERVER: there is no {name}; allowed: {string.Join(", ", names)}.");
    }

    private static async Task<int> Bring(ClusterDirectory cluster, ClusterConfig config, string? only)
    {
        using var interruption = new Interruption();
        var starter = new ClusterStarter(cluster, config);
        try
        {
            await starter.Run(only, interruption.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Interrupted;
        }

        string[] started = [.. starter.Started];
        Console.WriteLine(started.Length == 0
            ? $"the cluster in {cluster.Path} was up"
            : $"the cluster in {cluster.Path} is up: started {string.Join(", ", started)}");
        Console.WriteLine(config.MountPoint is string path
            ? $"mounted on {path}"
            : $"to mount it: ./harness mount --backend cluster --mds {config.Listen} MOUNTPOINT");
        return ExitCode.Done;
    }
}
