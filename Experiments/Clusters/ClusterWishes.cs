using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Harness.Experiments.Commands;
using Harness.Experiments.Plan.Values;

namespace Harness.Experiments.Clusters;

/// <summary>What one <c>cluster up</c> asks for; null where it says nothing, and what was said the last time goes on.</summary>
/// <param name="ChunkServers">How many chunk servers.</param>
/// <param name="Replicas">How many replicas.</param>
/// <param name="Listen">Where the metadata server listens.</param>
/// <param name="MountPoint">Where to mount it.</param>
/// <param name="MountWords">With which words of <c>-o</c>.</param>
/// <param name="InProcess">Whether one process shall be all of it.</param>
internal sealed record ClusterWishes(
    int? ChunkServers, ReplicaCount? Replicas, string? Listen, string? MountPoint, IReadOnlyList<string> MountWords, bool InProcess)
{
    /// <summary>Chunk servers of a new cluster.</summary>
    public const int ChunkServersDefault = 3;

    private const int ChunkServersMax = 100;
    private const int ReplicasDefault = 3;

    // Below what the kernel gives to whoever connects (ip_local_port_range(7), from 32768 on), so that the port is still free at the next start.
    private const int PortMin = 10_000;
    private const int PortMax = 30_000;

    /// <summary>What the cluster shall be.</summary>
    /// <param name="known">What it was; null for a new one.</param>
    /// <param name="running">Whether any of its servers runs.</param>
    /// <param name="isMounted">Whether it is mounted.</param>
    /// <exception cref="BadArgumentsException">It cannot be, or not now.</exception>
    public ClusterConfig Over(ClusterConfig? known, bool running, bool isMounted)
    {
        int servers = ChunkServers ?? known?.ChunkServers ?? ChunkServersDefault;
        ReplicaCount replicas = Replicas ?? (known is not null ? ReplicaCount.Read(known.Replicas) : ReplicaCount.Of(Math.Min(ReplicasDefault, servers)));
        Require(servers is >= 1 and <= ChunkServersMax, $"--cs: {servers} is no number of chunk servers; allowed: 1 to {ChunkServersMax}.");
        Require(
            known is null || servers >= known.ChunkServers,
            $"--cs: the cluster has {known?.ChunkServers} chunk servers with data on them, and {servers} would be fewer. Leave --cs out, or give more.");
        Require(
            replicas.Normal <= servers,
            $"{replicas.Normal} replicas need as many chunk servers, and there are {servers}. Give --cs {replicas.Normal}, or --replicas {servers}.");
        ClusterConfig wanted = new()
        {
            Listen = Listen ?? known?.Listen ?? FreeAddress(),
            ChunkServers = servers,
            Replicas = replicas.ToString(),
            MountPoint = MountPoint is null ? known?.MountPoint : Path.TrimEndingDirectorySeparator(Path.GetFullPath(MountPoint)),
            MountWords = MountPoint is null && MountWords.Count == 0 ? known?.MountWords ?? [] : MountWords,
            InProcess = InProcess || known is { InProcess: true },
        };
        Require(MountWords.Count == 0 || wanted.MountPoint is not null, "-o: options of a mount need one; give --mount DIR too.");
        Require(!wanted.InProcess || wanted.MountPoint is not null, "--in-process needs --mount DIR: the process of the mount is all of the cluster then.");
        if (wanted.MountPoint is string path)
        {
            // Read now, so that a wrong word is refused before anything starts.
            _ = MountCommand.ReadSpec($"cluster:{wanted.Listen}", Plan.KnobSettings.None, path, wanted.MountWords);
        }

        RequireSame(running, "--replicas", known?.Replicas, wanted.Replicas);
        RequireSame(running, "--listen", known?.Listen, wanted.Listen);
        RequireSame(isMounted, "--mount", known?.MountPoint, wanted.MountPoint);
        RequireSame(isMounted, "-o", known is null ? null : string.Join(',', known.MountWords), string.Join(',', wanted.MountWords));
        _ = Addresses.Read("--listen", wanted.Listen);
        return wanted;
    }

    private static void RequireSame(bool inUse, string option, string? before, string? now) => Require(
        !inUse || before is null || before == now,
        $"{option}: the cluster is up with {Quoted.Text(before ?? string.Empty)}. Take it down first: ./harness cluster down --dir DIR");

    private static void Require(bool isSo, string otherwise)
    {
        if (!isSo)
        {
            throw new BadArgumentsException(otherwise);
        }
    }

    private static string FreeAddress()
    {
        while (true)
        {
            int port = RandomNumberGenerator.GetInt32(PortMin, PortMax);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return $"127.0.0.1:{port}";
            }
            catch (SocketException exception) when (exception.SocketErrorCode is SocketError.AddressAlreadyInUse)
            {
                continue;
            }
        }
    }
}
