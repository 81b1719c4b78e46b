using System.Globalization;
using System.Text;
using System.Text.Json;
using Harness.Cluster.Wire;

namespace Harness.Experiments.Clusters;

/// <summary>How a cluster is, for people and for programs.</summary>
internal static class ClusterStateText
{
    private const double BytesPerGibi = 1 << 30;

    /// <summary>A table.</summary>
    public static string Render(ClusterState state)
    {
        var text = new StringBuilder();
        if (state.Status is { } status)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"cluster {status.Cluster:x16}, metadata server {state.Metadata}{Process(state, "mds")}, " +
                $"term {status.Term}, {status.Inodes:N0} inodes, {status.Sessions} clients");
            text.AppendLine(
                CultureInfo.InvariantCulture, $"{"server",6} {"state",-10} {"address",-22} {"process",8} {"chunks",9} {"free GiB",10} {"of GiB",10}");
            foreach (ServerStatus server in status.Servers)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"{server.Server,6} {server.State,-10} {server.Address,-22} " +
                    $"{ProcessOf(state, $"cs{server.Server}"),8} {server.Chunks,9:N0} " +
                    $"{server.FreeBytes / BytesPerGibi,10:N1} {server.Bytes / BytesPerGibi,10:N1}");
            }

            text.AppendLine(CultureInfo.InvariantCulture, $"chunks: {status.Chunks:N0} in all; {status.Healthy:N0} healthy, {status.Degraded:N0} degraded, " +
                $"{status.Urgent:N0} urgent, {status.Blocked:N0} blocked, {status.Offline:N0} offline; {status.Replicating:N0} being repaired");
        }

        if (state.Mount is { IsMounted: true } mount)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"mounted on {mount.MountPoint}{Process(state, ClusterDirectory.MountName)}");
        }

        foreach (string problem in state.Problems)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"! {problem}");
        }

        return text.ToString();
    }

    /// <summary>One JSON object, on one line.</summary>
    public static string RenderJson(ClusterState state) => JsonSerializer.Serialize(new
    {
        metadata_server = state.Metadata.ToString(),
        answers = state.Status is not null,
        cluster = state.Status is null ? null : $"{state.Status.Cluster:x16}",
        term = state.Status?.Term,
        inodes = state.Status?.Inodes,
        clients = state.Status?.Sessions,
        servers = state.Status?.Servers.Select(server => new
        {
            server = server.Server,
            state = server.State,
            address = server.Address,
            total_bytes = server.Bytes,
            free_bytes = server.FreeBytes,
            chunks = server.Chunks,
        }),
        chunks = state.Status is not { } status ? null : new
        {
            total = status.Chunks,
            healthy = status.Healthy,
            degraded = status.Degraded,
            urgent = status.Urgent,
            blocked = status.Blocked,
            offline = status.Offline,
            replicating = status.Replicating,
        },
        processes = state.Processes,
        mount_point = state.Mount?.MountPoint,
        mounted = state.Mount?.IsMounted,
        problems = state.Problems,
    });

    private static string Process(ClusterState state, string name) =>
        state.Processes.GetValueOrDefault(name) is int pid ? string.Create(CultureInfo.InvariantCulture, $" (process {pid})") : string.Empty;

    private static string ProcessOf(ClusterState state, string name) =>
        state.Processes.GetValueOrDefault(name) is int pid ? pid.ToString(CultureInfo.InvariantCulture) : "–";
}
