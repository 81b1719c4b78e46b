using Harness.Cluster.Chunks;
using Harness.Cluster.Chunks.Server;
using Harness.Cluster.Chunks.Store;
using Harness.Cluster.Disk;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Harness.Simulation.Scheduling;
using Mono.Unix.Native;

namespace Harness.Cluster.Checking;

/// <summary>A chunk server's host: its disk stays, its processes come and go.</summary>
internal sealed class CheckedServer(SimScheduler world, SimNetwork network, int id, NodeAddress metadata, PlantedFaults faults, Action<string> note)
{
    private SimProcess? _process;
    private int _life;

    /// <summary>Its host.</summary>
    public string Host { get; } = $"cs{id}";

    /// <summary>Its number in the cluster.</summary>
    public uint Id => (uint)id;

    /// <summary>Its disk.</summary>
    public SimDisk Disk { get; } = new(world, $"cs{id}");

    /// <summary>Its loop in this life.</summary>
    public SimLoop Loop { get; private set; } = null!;

    /// <summary>The server, once it has started.</summary>
    public ChunkServer? Server { get; private set; }

    /// <summary>Why it did not start; Ok otherwise.</summary>
    public Errno Failure { get; private set; }

    /// <summary>Whether a bit of its disk was ever turned over.</summary>
    public bool HasRotted { get; set; }

    /// <summary>Starts the process, or the next one.</summary>
    public void Start()
    {
        _process = _process is null ? world.StartProcess(Host) : _process.Restart();
        int life = ++_life;
        Loop = _process.StartLoop(Host);
        Server = null;
        SimProcess process = _process;
        SimLoop loop = Loop;
        SimHost host = network.Attach(process, Host);
        IDisk disk = Disk.Attach(loop);
        var options = new ChunkServerOptions
        {
            ServerId = Id,
            Listen = new NodeAddress(Host, 1),
            Metadata = [metadata],
            Incarnation = (ulong)process.Incarnation,
            Store = new ChunkStoreOptions
            {
                ChunkBytesMax = Schedule.ChunkCells * Call.CellBytes,
                SegmentBytes = 128 << 10,
                StraightBytesMin = 8 << 10,
                SlotBlocks = [1, 2],
                ApplyAtBytes = 16 << 10,
                PendingBytesMax = 64 << 10,
                ReserveBytes = 0,
            },
        };
        loop.Post(
            async _ =>
            {
                Result<ChunkServer> started = await ChunkServer.Start(loop, host, disk, disk, options, faults);
                if (life == _life)
                {
                    (Server, Failure) = (started.IsOk ? started.Value : null, started.Error);
                    note(started.IsOk ? $"{Host} has started" : $"{Host} did not start: {started.Error}");
                }
            },
            null);
    }

    /// <summary>Kills the process.</summary>
    public void Kill()
    {
        _process!.Crash();
        Server = null;
    }

    /// <summary>Kills the process and takes from the disk what was not synced.</summary>
    public void LosePower()
    {
        Kill();
        Disk.PowerLoss();
    }
}
