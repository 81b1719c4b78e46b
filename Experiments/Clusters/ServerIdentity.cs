using System.Security.Cryptography;
using Harness.Cluster.Disk;
using Harness.Cluster.Hosting;
using Harness.Cluster.Metadata.Server;
using Harness.Cluster.Net;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.Transport;

namespace Harness.Experiments.Clusters;

/// <summary>Which server of which cluster a directory makes a process: it says so itself, or the metadata server gives a new one its number.</summary>
/// <param name="ServerId">The chunk server's number.</param>
/// <param name="Cluster">Its cluster.</param>
internal sealed record ServerIdentity(ulong ServerId, ulong Cluster)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_attempt = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Options under which a new metadata log begins a cluster that no other is taken for.</summary>
    public static MetadataServerOptions ForNewCluster(MetadataServerOptions options) =>
        options with { NewCluster = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))) | 1 };

    /// <summary>The cluster that a directory belongs to; 0 if it says none.</summary>
    public static ulong ClusterOf(string directory) => OwnedDirectory.OwnerOf(directory) is { IsOk: true, Value: { } owner } ? owner.Cluster.Low : 0;

    /// <summary>Finds out who a chunk server is.</summary>
    /// <param name="directory">Its directory.</param>
    /// <param name="number">The number that was asked for; null for the directory's own, or a new one.</param>
    /// <param name="metadata">The metadata servers.</param>
    /// <exception cref="FuseTransportException">The directory is another server's, or new and no metadata server answers.</exception>
    public static async Task<ServerIdentity> Of(string directory, ulong? number, IReadOnlyList<NodeAddress> metadata)
    {
        Result<OwnedDirectory.Owner?> read = OwnedDirectory.OwnerOf(directory);
        if (!read.IsOk)
        {
            throw new FuseTransportException(ServerErrors.Describe(read.Error, directory, null));
        }

        OwnedDirectory.Owner? owner = read.Value;
        bool isOthers = owner is { } known && (known.ServerId == 0 || (number is { } asked && asked != known.ServerId));
        if (isOthers)
        {
            throw new FuseTransportException(ServerErrors.Describe(Mono.Unix.Native.Errno.EUCLEAN, directory, null));
        }

        MetadataReply? leader = await Ask(metadata, new MetadataRequest { Status = new Empty() }, owner is null ? s_patience : s_attempt).ConfigureAwait(false);
        ulong cluster = owner?.Cluster.Low ?? 0;
        if (leader is null)
        {
            return cluster != 0 ? new ServerIdentity(owner!.Value.ServerId, cluster) : throw new FuseTransportException(
                $"{directory} is new, and no metadata server answers at {string.Join(", ", metadata)} to say which cluster it shall belong to. " +
                "Start one first: ./harness mds --dir DIR");
        }

        if (cluster != 0 && cluster != leader.ClusterStatus.Cluster)
        {
            throw new FuseTransportException(
                $"{directory} belongs to cluster {cluster:x16}, and the metadata server at {string.Join(", ", metadata)} leads cluster " +
                $"{leader.ClusterStatus.Cluster:x16}. Check --mds, or choose another directory.");
        }

        if (owner is null && leader.ClusterStatus.Servers.Any(server => server.Server == number && server.State != "offline"))
        {
            // Told before the directory is marked as that server's.
            throw new FuseTransportException(ServerErrors.DescribeTaken(number!.Value, directory));
        }

        ulong id = owner?.ServerId ?? number ?? await NewNumber(metadata).ConfigureAwait(false);
        return new ServerIdentity(id, leader.ClusterStatus.Cluster);
    }

    private static async Task<ulong> NewNumber(IReadOnlyList<NodeAddress> metadata)
    {
        ulong identity = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))) | 1;
        MetadataReply? reply = await Ask(metadata, new MetadataRequest { NewServer = identity }, s_patience).ConfigureAwait(false);
        return reply?.Outcome.Number ?? throw new FuseTransportException(
            "The metadata server gave no number to the new chunk server. Try again, or give --id.");
    }

    private static async Task<MetadataReply?> Ask(IReadOnlyList<NodeAddress> metadata, MetadataRequest request, TimeSpan patience)
    {
        long started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            foreach (NodeAddress address in metadata)
            {
                Result<MetadataReply> reply = await MetadataQuery.Ask(Addresses.Resolve(address), request, s_attempt).ConfigureAwait(false);
                if (reply.IsOk)
                {
                    return reply.Value;
                }
            }

            if (TimeProvider.System.GetElapsedTime(started) > patience)
            {
                return null;
            }

            await Task.Delay(s_pause).ConfigureAwait(false);
        }
    }
}
