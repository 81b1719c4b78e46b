using Harness.Cluster.Client;
using Harness.Cluster.Hosting;
using Harness.Cluster.Net;
using Harness.Experiments.Backends;
using Harness.Experiments.Commands;
using Harness.Experiments.Mounting;
using Harness.Experiments.Observing;
using Harness.Experiments.Plan;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Transport;
using Mono.Unix.Native;

namespace Harness.Experiments.Clusters;

/// <summary>A cluster as a mount's backend: a client of one that runs elsewhere, or one that runs, whole, in this process.</summary>
internal static class ClusterBackend
{
    private const FopenFlags PassedOn = FopenFlags.DirectIo | FopenFlags.Noflush | FopenFlags.ParallelDirectWrites | FopenFlags.CacheDir;

    private const long AttachNanoseconds = 10_000_000_000;

    /// <summary>Makes sure that a cluster's place is spelled as one.</summary>
    /// <exception cref="BadArgumentsException">It is not.</exception>
    public static void Check(Backend backend)
    {
        if (backend is { Name: Backend.Cluster, Place: null or "" })
        {
            throw new BadArgumentsException(
                $"--backend {Backend.Cluster} needs to know which: --mds HOST:PORT names its metadata servers, --backend {Backend.Cluster}:DIR runs a " +
                "whole cluster in this process, its files in DIR.");
        }
    }

    /// <summary>Connects to the cluster, or starts it.</summary>
    /// <exception cref="FuseTransportException">It cannot be reached, or not be started.</exception>
    public static ServedBackend Open(MountSpec spec)
    {
        string place = spec.Backend.Place!;
        return Addresses.AreMeantBy(place) ? Connect(spec, Addresses.ReadList("--mds", place)) : Embed(spec, Path.GetFullPath(place));
    }

    /// <summary>What the mount's knobs mean for a client. A time-out that nobody set is as long as the lease that stands behind it.</summary>
    internal static ClusterClientOptions ClientOptions(MountSpec spec, IReadOnlyList<NodeAddress> servers)
    {
        bool keepsCache = !spec.Knobs.Has(Knobs.KeepCache) || spec.Knobs[Knobs.KeepCache].Number == 1;
        return new ClusterClientOptions
        {
            MetadataServers = servers,
            Name = $"{Environment.MachineName}:{spec.MountPoint}",
            Log = new JsonLog(Console.Error, TimeProvider.System, ClusterDirectory.MountName),
            AttachNanoseconds = AttachNanoseconds,
            OpenFlags = (spec.Options.OpenFlags & PassedOn) | (keepsCache ? FopenFlags.KeepCache : FopenFlags.None),
            EntryNanosecondsMax = Max(Knobs.EntryTimeout),
            AttributeNanosecondsMax = Max(Knobs.AttrTimeout),
            NegativeNanosecondsMax = Max(Knobs.NegativeTimeout),
        };

        long Max(Knob knob) => spec.Knobs.Has(knob) ? spec.Knobs[knob].Number : long.MaxValue;
    }

    private static ServedBackend Connect(MountSpec spec, IReadOnlyList<NodeAddress> servers)
    {
        Result<ClientHost> client = ClientHost.Start(ClientOptions(spec, [.. servers.Select(Addresses.Resolve)])).Result;
        if (!client.IsOk)
        {
            throw new FuseTransportException(
                $"No metadata server answers at {string.Join(", ", servers)}. Is the cluster up? ./harness cluster status --dir DIR tells, " +
                "./harness cluster up --dir DIR and ./harness mds start one.");
        }

        return new ServedBackend(client.Value.FileSystem, async () =>
        {
            Errno error = await client.Value.Stop().ConfigureAwait(false);
            client.Value.Dispose();
            return Lost(error);
        });
    }

    private static ServedBackend Embed(MountSpec spec, string directory)
    {
        ClusterConfig? config = ClusterConfig.Read(Path.Combine(directory, ClusterDirectory.ConfigName));
        ReplicaCount replicas = ReplicaCount.Read(config?.Replicas ?? "3");
        string refused = directory;
        var options = new EmbeddedClusterOptions
        {
            Directory = directory,
            ChunkServers = config?.ChunkServers ?? replicas.Normal,
            Replicas = replicas.Normal,
            ReplicasMin = replicas.Min,
            Listen = Addresses.Read("listen", config?.Listen ?? "127.0.0.1:0"),
            OnRefused = path => refused = path,
            Client = ClientOptions(spec, []),
            Server = ServerIdentity.ForNewCluster(new()),
        };
        Result<EmbeddedCluster> cluster = EmbeddedCluster.Start(options).Result;
        if (!cluster.IsOk)
        {
            throw new FuseTransportException(ServerErrors.Describe(cluster.Error, refused, options.Listen));
        }

        return new ServedBackend(cluster.Value.FileSystem, async () =>
        {
            Errno error = await cluster.Value.Stop().ConfigureAwait(false);
            cluster.Value.Dispose();
            return Lost(error);
        });
    }

    private static string? Lost(Errno error) =>
        error == Errnos.Ok ? null : $"Not everything that waited to be written could be: {error}. What was not yet fsynced may be lost.";
}
