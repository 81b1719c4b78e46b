using System.CommandLine;
using Harness.Cluster.Chunks.Server;
using Harness.Cluster.Net;
using Harness.Experiments.Clusters;
using Harness.Experiments.Observing;
using Harness.FuseProtocol;
using Harness.Transport;
using Mono.Unix.Native;

namespace Harness.Experiments.Commands;

/// <summary><c>./harness cs</c>: one of a cluster's chunk servers, in the foreground.</summary>
internal static class ChunkServerCommand
{
    /// <summary>The command's name.</summary>
    public const string Name = "cs";

    private const string ListenDefault = "127.0.0.1:0";

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var directory = new Option<string>("--dir") { Description = "Where its chunks are; made if it is not there", HelpName = "DIR", Required = true };
        var journal = new Option<string?>("--journal")
        {
            Description = "Where its journal is, on an SSD if there is one (default: the directory of the chunks)",
            HelpName = "DIR",
        };
        var metadata = new Option<string>("--mds")
        {
            Description = "Where the metadata servers listen, separated by commas",
            HelpName = "HOST:PORT,…",
            Required = true,
        };
        var listen = new Option<string>("--listen")
        {
            Description = $"Where it listens (default {ListenDefault}); port 0 takes any, since the metadata server is told which",
            HelpName = "HOST:PORT",
            DefaultValueFactory = _ => ListenDefault,
        };
        var number = new Option<uint?>("--id")
        {
            Description = "Its number in the cluster, not 0 (default: what its directory says; a new one gets the next)",
            HelpName = "N",
        };
        var metrics = new Option<string?>("--metrics") { Description = MetricsServer.Description, HelpName = MetricsServer.HelpName };
        var exitWithParent = new Option<bool>(MountCommand.ExitWithParent) { Hidden = true };
        var detached = new Option<bool>(MountCommand.Detached) { Hidden = true };
        var command = new Command(Name, "Runs one of a cluster's chunk servers in the foreground; Ctrl-C ends it.")
        {
            directory, journal, metadata, listen, number, metrics, exitWithParent, detached,
        };
        command.SetAction((parsed, _) =>
        {
            ServerProcess.Begin(parsed.GetValue(detached));
            if (parsed.GetValue(number) is 0)
            {
                throw new BadArgumentsException("--id: 0 is no chunk server's number; allowed: 1 to 4294967295.");
            }

            return Serve(
                Path.GetFullPath(parsed.GetValue(directory)!),
                parsed.GetValue(journal) is string path ? Path.GetFullPath(path) : null,
                Addresses.ReadList("--mds", parsed.GetValue(metadata)!),
                Addresses.Read("--listen", parsed.GetValue(listen)!),
                parsed.GetValue(number),
                parsed.GetValue(metrics),
                parsed.GetValue(exitWithParent));
        });
        return command;
    }

    private static async Task<int> Serve(
        string directory, string? journal, IReadOnlyList<NodeAddress> metadata, NodeAddress listen, uint? number, string? metrics,
        bool endsWithInput)
    {
        ServerIdentity identity = await ServerIdentity.Of(directory, number, metadata).ConfigureAwait(false);
        var options = new ChunkServerOptions
        {
            ServerId = identity.ServerId,
            Cluster = (0, identity.Cluster),
            Listen = Addresses.Resolve(listen),
            Metadata = [.. metadata.Select(Addresses.Resolve)],
            Log = new JsonLog(Console.Error, TimeProvider.System, $"{Name}{identity.ServerId}"),
            Incarnation = (ulong)TimeProvider.System.GetUtcNow().UtcTicks,
        };
        Result<ChunkServerHost> started = await ChunkServerHost.Start(directory, journal == directory ? null : journal, options).ConfigureAwait(false);
        if (!started.IsOk)
        {
            throw new FuseTransportException(ServerErrors.Describe(started.Error, directory, listen));
        }

        using ChunkServerHost host = started.Value;
        using MetricsServer? served = MetricsServer.Start(metrics, () => ServerMetrics.Of(host));
        Console.WriteLine($"cs {identity.ServerId} of cluster {identity.Cluster:x16} serves {directory} at {host.Address}");
        await Task.WhenAny(ServerProcess.AwaitEnd(endsWithInput), host.Refused).ConfigureAwait(false);
        Errno error = await host.Stop().ConfigureAwait(false);
        if (host.Refused.IsCompletedSuccessfully)
        {
            throw new FuseTransportException(ServerErrors.DescribeTaken(identity.ServerId, directory));
        }

        if (error != Errnos.Ok)
        {
            CommandLine.Fail($"not everything could be brought to the disk: {error}");
            return ExitCode.CheckFailed;
        }

        return ExitCode.Done;
    }
}
