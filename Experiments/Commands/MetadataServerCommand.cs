using System.CommandLine;
using Harness.Cluster.Hosting;
using Harness.Cluster.Metadata.Master;
using Harness.Cluster.Metadata.Server;
using Harness.Cluster.Net;
using Harness.Experiments.Clusters;
using Harness.Experiments.Observing;
using Harness.FuseProtocol;
using Harness.Transport;
using Mono.Unix.Native;

namespace Harness.Experiments.Commands;

/// <summary><c>./harness mds</c>: a cluster's metadata server, in the foreground.</summary>
internal static class MetadataServerCommand
{
    /// <summary>The command's name.</summary>
    public const string Name = "mds";

    /// <summary>Where it listens if nothing else is said: nothing leaves the host unless it is told to.</summary>
    public const string ListenDefault = "127.0.0.1:7700";

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var directory = new Option<string>("--dir")
        {
            Description = "Where its log and snapshots are; made if it is not there",
            HelpName = "DIR",
            Required = true,
        };
        var listen = new Option<string>("--listen")
        {
            Description = $"Where it listens (default {ListenDefault}); port 0 takes any",
            HelpName = "HOST:PORT",
            DefaultValueFactory = _ => ListenDefault,
        };
        var replicas = new Option<string>("--replicas") { Description = ReplicaCount.Description, HelpName = "N[:MIN]", DefaultValueFactory = _ => "3" };
        var metrics = new Option<string?>("--metrics") { Description = MetricsServer.Description, HelpName = MetricsServer.HelpName };
        var exitWithParent = new Option<bool>(MountCommand.ExitWithParent) { Hidden = true };
        var detached = new Option<bool>(MountCommand.Detached) { Hidden = true };
        var command = new Command(Name, "Runs a cluster's metadata server in the foreground; Ctrl-C ends it.")
        {
            directory, listen, replicas, metrics, exitWithParent, detached,
        };
        command.SetAction((parsed, _) =>
        {
            ServerProcess.Begin(parsed.GetValue(detached));
            ReplicaCount count = ReplicaCount.Read(parsed.GetValue(replicas)!);
            return Serve(
                Path.GetFullPath(parsed.GetValue(directory)!), Addresses.Read("--listen", parsed.GetValue(listen)!), count, parsed.GetValue(metrics),
                parsed.GetValue(exitWithParent));
        });
        return command;
    }

    private static async Task<int> Serve(string directory, NodeAddress listen, ReplicaCount replicas, string? metrics, bool endsWithInput)
    {
        var log = new JsonLog(Console.Error, TimeProvider.System, Name);
        Result<MetadataHost> started = await MetadataHost.Start(new MetadataHostOptions
        {
            Directory = directory,
            Listen = Addresses.Resolve(listen),
            Server = ServerIdentity.ForNewCluster(new MetadataServerOptions { Replicas = replicas.Normal, ReplicasMin = replicas.Min, Log = log }),
            Master = new ChunkMasterOptions { Replicas = replicas.Normal, ReplicasMin = replicas.Min, Log = log },
        }).ConfigureAwait(false);
        if (!started.IsOk)
        {
            throw new FuseTransportException(ServerErrors.Describe(started.Error, directory, listen));
        }

        using MetadataHost host = started.Value;
        using MetricsServer? served = MetricsServer.Start(metrics, () => ServerMetrics.Of(host));
        Console.WriteLine($"mds of cluster {host.Cluster:x16} serves {directory} at {host.Address}");
        await ServerProcess.AwaitEnd(endsWithInput).ConfigureAwait(false);
        Errno error = await host.Stop().ConfigureAwait(false);
        if (error != Errnos.Ok)
        {
            CommandLine.Fail($"the end of the log could not be flushed: {error}");
            return ExitCode.CheckFailed;
        }

        return ExitCode.Done;
    }
}
