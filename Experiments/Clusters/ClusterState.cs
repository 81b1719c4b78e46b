using Harness.Cluster.Hosting;
using Harness.Cluster.Net;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.Transport.Mounting;

namespace Harness.Experiments.Clusters;

/// <summary>How a cluster is now: what its metadata server says, and which processes run on this host.</summary>
internal sealed record ClusterState
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    /// <summary>Where the metadata server listens.</summary>
    public required NodeAddress Metadata { get; init; }

    /// <summary>What it says; null if it does not answer.</summary>
    public required ClusterStatus? Status { get; init; }

    /// <summary>The processes of this host by their servers' names, null for one that does not run; empty if nothing is known of them.</summary>
    public IReadOnlyDictionary<string, int?> Processes { get; init; } = new Dictionary<string, int?>();

    /// <summary>Where it shall be mounted, and whether it is.</summary>
    public (string MountPoint, bool IsMounted)? Mount { get; init; }

    /// <summary>What is wrong, one line each; none for a cluster that lacks nothing.</summary>
    public IReadOnlyList<string> Problems =>
    [
        .. Status is null ? [$"no metadata server answers at {Metadata}"] : Array.Empty<string>(),
        .. Processes.Where(static one => one.Value is null).Select(static one => $"{one.Key} does not run"),
        .. (Status?.Servers ?? []).Where(static server => server.State == "offline").Select(static server => $"chunk server {server.Server} is offline"),
        .. Chunks(Status?.Offline, "without a replica that could be read"),
        .. Chunks(Status?.Blocked, "with fewer replicas than a write needs"),
        .. Chunks(Status?.Urgent, "with only as many replicas as a write needs"),
        .. Chunks(Status?.Degraded, "that lack a replica"),
        .. Mount is { IsMounted: false } mount ? [$"it is not mounted on {mount.MountPoint}"] : Array.Empty<string>(),
    ];

    /// <summary>Asks a metadata server alone.</summary>
    public static async Task<ClusterState> Of(NodeAddress metadata)
    {
        Result<MetadataReply> reply = await MetadataQuery.Ask(
            Addresses.Resolve(metadata), new MetadataRequest { Status = new Empty() }, s_patience).ConfigureAwait(false);
        return new ClusterState { Metadata = metadata, Status = reply.IsOk ? reply.Value.ClusterStatus : null };
    }

    /// <summary>Looks at the cluster in a directory of this host.</summary>
    public static async Task<ClusterState> Of(ClusterDirectory directory)
    {
        ClusterConfig config = directory.Config();
        ClusterState state = await Of(Addresses.Read("listen", config.Listen)).ConfigureAwait(false);
        IEnumerable<string> servers = config.InProcess
            ? []
            : [ClusterDirectory.MetadataName, .. Enumerable.Range(1, config.ChunkServers).Select(ClusterDirectory.ChunkServerName)];
        string[] names = [.. servers, .. config.MountPoint is null ? [] : new[] { ClusterDirectory.MountName }];
        bool isOurs = state.Status is null || ServerIdentity.ClusterOf(directory.DataOf(ClusterDirectory.MetadataName)) == state.Status.Cluster;
        return state with
        {
            Status = isOurs ? state.Status : null,
            Processes = names.ToDictionary(static name => name, name => directory.Handle(name).Pid),
            Mount = config.MountPoint is string path ? (path, MountTable.Find(path) is not null) : null,
        };
    }

    private static IEnumerable<string> Chunks(ulong? count, string what) => count is > 0 ? [$"chunks {what}: {count}"] : [];
}
