using System.Globalization;
using Harness.Cluster.Chunks;
using Harness.Cluster.Hosting;
using Harness.Cluster.Log;
using Harness.Cluster.Metadata;
using Harness.Cluster.Metadata.Master;
using Harness.Cluster.Metadata.Server;
using Harness.Cluster.Net;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.Simulation.Chance;
using Harness.Simulation.Scheduling;

namespace Harness.Cluster.Checking;

/// <summary>A whole cluster in a simulated world: a metadata server, chunk servers and clients; nothing in it stands for anything else.</summary>
internal sealed class CheckedCluster
{
    private const long ReplaceAfterNanoseconds = 6_000_000_000;
    private const string MetadataHost = "mds";

    private static readonly NodeAddress s_metadata = new(MetadataHost, 7000);

    private readonly SimulatedLogStorage _log = new();
    private readonly bool _flushesMetadata;
    private readonly PlantedFaults _faults;
    private readonly Action<string> _note;
    private readonly SimRandom _random;
    private SimProcess _process;

    /// <summary>A world in which all processes are starting.</summary>
    public CheckedCluster(Schedule schedule, PlantedFaults faults, Action<string> note)
    {
        World = new SimScheduler(new SimSchedulerOptions { Seed = schedule.Seed, Ties = TieBreak.Seed });
        Network = new SimNetwork(World);
        (_flushesMetadata, _faults, _note) = (schedule.FlushesMetadata, faults, text => note(Stamped(text)));
        _random = World.Random.Split("faults");
        _process = World.StartProcess(MetadataHost);
        StartMetadata();
        Servers = [.. Enumerable.Range(1, schedule.Servers).Select(id => new CheckedServer(World, Network, id, s_metadata, faults, _note))];
        foreach (CheckedServer server in Servers)
        {
            server.Start();
        }

        Clients = [.. Enumerable.Range(1, Schedule.Clients).Select(number => new CheckedClient(World, Network, number, s_metadata))];
    }

    /// <summary>The world.</summary>
    public SimScheduler World { get; }

    /// <summary>Its network.</summary>
    public SimNetwork Network { get; }

    /// <summary>The chunk servers.</summary>
    public CheckedServer[] Servers { get; }

    /// <summary>The clients.</summary>
    public CheckedClient[] Clients { get; }

    /// <summary>Chance for what goes wrong.</summary>
    public SimRandom Random => _random;

    /// <summary>The metadata server; null while it is not there.</summary>
    public MetadataNode? Metadata { get; private set; }

    /// <summary>Whether every chunk has all its replicas, whole.</summary>
    public bool IsHealthy
    {
        get
        {
            var status = new ClusterStatus();
            Metadata?.Master.Describe(status);
            return Metadata is not null && status.Healthy == (ulong)Metadata.Server.State.ChunkCount &&
                Servers.All(static server => server.Server is { HasLease: true });
        }
    }

    /// <summary>The metadata.</summary>
    public MetadataState State => Metadata!.Server.State;

    /// <summary>All hosts but one.</summary>
    public IEnumerable<string> HostsBut(string host) =>
        Servers.Select(static server => server.Host).Concat(Clients.Select(static client => client.Host)).Append(MetadataHost).Where(other => other != host);

    /// <summary>Cuts a host from others, until all is healed.</summary>
    public void Cut(string host, IEnumerable<string> others)
    {
        foreach (string other in others)
        {
            Network.Cut(host, other);
        }
    }

    /// <summary>Notes something for people.</summary>
    public void Note(string text) => _note(text);

    /// <summary>How every chunk is, for people.</summary>
    public IEnumerable<string> Explain()
    {
        foreach (ulong chunk in Metadata?.Server.State.ChunkIds.Order() ?? Enumerable.Empty<ulong>())
        {
            yield return Metadata!.Master.Explain(chunk);
            foreach (CheckedServer server in Servers)
            {
                yield return $"    {server.Host}: {(server.Server is null ? "down" : $"lease {server.Server.HasLease}, {server.Server.Explain(chunk)}")}";
            }
        }
    }

    /// <summary>Kills the metadata server.</summary>
    public void KillMetadata(bool losesPower)
    {
        _process.Crash();
        Metadata = null;
        if (losesPower)
        {
            _log.LosePower(_random);
        }
    }

    /// <summary>Starts the metadata server.</summary>
    public void StartMetadata()
    {
        _process = _process.IsCrashed ? _process.Restart() : _process;
        SimProcess process = _process;
        SimLoop loop = process.StartLoop(MetadataHost);
        var server = new MetadataServerOptions
        {
            Limits = new() { ChunkBytes = Schedule.ChunkCells * Call.CellBytes },
            Pipeline = new() { SyncAlways = _flushesMetadata, SnapshotAfterBytes = 16 << 10 },
        };
        var master = new ChunkMasterOptions { ReserveBytes = 0, ReplaceAfterNanoseconds = ReplaceAfterNanoseconds };
        loop.Post(
            async _ =>
            {
                Result<MetadataNode> node = await MetadataNode.Start(
                    loop, Network.Attach(process, MetadataHost), new SimulatedLog(loop, _log), s_metadata, server, master, (ulong)process.Incarnation, _faults);
                Metadata = node.IsOk ? node.Value : null;
                _note(node.IsOk ? "the metadata server has started" : $"the metadata server did not start: {node.Error}");
            },
            null);
    }

    /// <summary>Runs a body on a loop until it has ended.</summary>
    /// <exception cref="DeadlockException">It has not ended in time.</exception>
    public T Run<T>(SimLoop loop, Func<Task<T>> body, string what, long limitNanoseconds)
    {
        Task<T>? task = null;
        loop.Post(_ => task = body(), null);
        World.RunUntil(() => task is { IsCompleted: true }, what, World.NowNanoseconds + limitNanoseconds);
        return task!.Result;
    }

    private string Stamped(string text) => string.Create(CultureInfo.InvariantCulture, $"{World.NowNanoseconds / 1e9,11:F6}  {text}");
}
