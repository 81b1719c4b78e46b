using Harness.Cluster.Disk;
using Harness.Cluster.Net;

namespace Harness.Cluster.Checking;

/// <summary>Makes a schedule's faults happen, one after another, and makes good each before the next.</summary>
internal sealed class FaultDriver(CheckedCluster cluster, IReadOnlyList<Fault> faults)
{
    private const int SlowTimes = 100;

    /// <summary>Not so long that clients' sessions end, when what they keep is lost by right; but longer than chunk servers' leases last.</summary>
    private const long MetadataAwayNanosecondsMax = 5_000_000_000;

    private const long ShortNanoseconds = 500_000_000;
    private const long ClientsReturnNanoseconds = 2_500_000_000;

    /// <summary>So long after the last fault the timeline tells how the chunks are.</summary>
    private const long LookAfterNanoseconds = 2_000_000_000;

    private int _withoutPower = -1;

    /// <summary>Whether all have happened and are over.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Begins.</summary>
    public void Start() => cluster.World.Main.Post(_ => Run(), null);

    // What it might throw ends the run.
    private async void Run()
    {
        foreach (Fault fault in faults)
        {
            await LoopYield.Delay(cluster.World.Main, fault.PauseNanoseconds);
            Fault chosen = Choose(fault);
            cluster.Note($"FAULT: {chosen}");
            await Happen(chosen);
            cluster.Note($"over: {chosen}");
        }

        IsDone = true;
        await LoopYield.Delay(cluster.World.Main, LookAfterNanoseconds);
        foreach (string line in cluster.Explain())
        {
            cluster.Note(line);
        }
    }

    /// <summary>
    /// What was written and not synced survives one host's power cut, on the others. Until that host has caught up, nobody else dies; and what could
    /// take more is done only while all replicas are whole.
    /// </summary>
    private Fault Choose(Fault fault)
    {
        bool isHealthy = cluster.IsHealthy;
        _withoutPower = isHealthy ? -1 : _withoutPower;
        bool kills = fault.Kind is FaultKind.Crash or FaultKind.CrashAll or FaultKind.PowerLoss;
        if (kills && _withoutPower >= 0)
        {
            return fault with { Kind = FaultKind.Crash, Server = _withoutPower };
        }

        if (fault.Kind is FaultKind.PowerLoss or FaultKind.Rot && !isHealthy)
        {
            return fault with { Kind = FaultKind.Crash };
        }

        _withoutPower = fault.Kind == FaultKind.PowerLoss ? fault.Server : _withoutPower;
        return fault;
    }

    private async Task Happen(Fault fault)
    {
        CheckedServer server = cluster.Servers[fault.Server];
        switch (fault.Kind)
        {
            case FaultKind.Crash or FaultKind.PowerLoss:
                await Restart(server, fault);
                break;
            case FaultKind.CrashAll:
                await RestartAll(fault);
                break;
            case FaultKind.RestartMetadata or FaultKind.MetadataPowerLoss:
                cluster.KillMetadata(fault.Kind == FaultKind.MetadataPowerLoss);
                await LoopYield.Delay(cluster.World.Main, Math.Min(fault.LastsNanoseconds, MetadataAwayNanosecondsMax));
                cluster.StartMetadata();
                await ClientsAreBack(fault.LastsNanoseconds);
                break;
            case FaultKind.ClientDeath:
                cluster.Clients[fault.Other].Die();
                break;
            case FaultKind.Rot:
                Rot(server);
                break;
            case FaultKind.SlowDisk:
                SimDiskOptions disk = server.Disk.Options;
                disk.Slowness = SlowTimes;
                await LoopYield.Delay(cluster.World.Main, fault.LastsNanoseconds);
                disk.Slowness = 1;
                break;
            case FaultKind.BadNetwork:
                SimNetworkOptions network = cluster.Network.Options;
                (network.LossChance, network.ResetChance) = (0.02, 0.005);
                await LoopYield.Delay(cluster.World.Main, fault.LastsNanoseconds);
                (network.LossChance, network.ResetChance) = (0, 0);
                break;
            default:
                CutOff(server, fault);
                await LoopYield.Delay(cluster.World.Main, fault.LastsNanoseconds);
                cluster.Network.Heal();
                break;
        }
    }

    /// <summary>Two outages without a sign of life between them would end sessions as one long one does: clients look for the server once a second.</summary>
    private Task ClientsAreBack(long awayNanoseconds) =>
        awayNanoseconds < ShortNanoseconds ? Task.CompletedTask : LoopYield.Delay(cluster.World.Main, ClientsReturnNanoseconds);

    private async Task Restart(CheckedServer server, Fault fault)
    {
        if (fault.Kind == FaultKind.PowerLoss)
        {
            server.LosePower();
        }
        else
        {
            server.Kill();
        }

        await LoopYield.Delay(cluster.World.Main, fault.LastsNanoseconds);
        server.Start();
    }

    private async Task RestartAll(Fault fault)
    {
        foreach (CheckedServer server in cluster.Servers)
        {
            server.Kill();
        }

        // In any order, and not all at once.
        foreach (CheckedServer server in cluster.Servers.OrderBy(_ => cluster.Random.NextBits()).ToArray())
        {
            await LoopYield.Delay(cluster.World.Main, fault.LastsNanoseconds / 2);
            server.Start();
        }
    }

    private void Rot(CheckedServer server)
    {
        string[] files = [.. server.Disk.Files.Where(static name => name.EndsWith(".data", StringComparison.Ordinal))];
        if (files.Length > 0)
        {
            // Where data are most likely: in the first blocks.
            int block = cluster.Random.Next(4);
            server.HasRotted |= server.Disk.Rot(
                files[cluster.Random.Next(files.Length)], (block * 4096) + cluster.Random.Next(4096), cluster.Random.Next(8));
        }
    }

    private void CutOff(CheckedServer server, Fault fault)
    {
        IEnumerable<string> everybody = cluster.HostsBut(server.Host);
        string[] servers = [.. cluster.Servers.Select(static one => one.Host).Where(host => host != server.Host)];
        string[] clients = [.. cluster.Clients.Select(static one => one.Host)];
        switch (fault.Kind)
        {
            case FaultKind.Isolate:
                cluster.Cut(server.Host, everybody);
                break;
            case FaultKind.CutFromMetadata:
                cluster.Cut(server.Host, everybody.Except(servers).Except(clients));
                break;
            case FaultKind.LeaveToClients:
                cluster.Cut(server.Host, everybody.Except(clients));
                break;
            case FaultKind.CutFromNeighbour:
                cluster.Cut(server.Host, [cluster.Servers[fault.Other].Host]);
                break;
            case FaultKind.CutFromClient:
                cluster.Cut(server.Host, [clients[fault.Other % clients.Length]]);
                break;
            default:
                foreach (string other in everybody)
                {
                    cluster.Network.CutOneWay(server.Host, other);
                }

                break;
        }
    }
}
