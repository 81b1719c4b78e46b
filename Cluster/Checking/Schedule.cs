using System.Globalization;

namespace Harness.Cluster.Checking;

/// <summary>What goes wrong.</summary>
internal enum FaultKind
{
    /// <summary>A chunk server's process is killed and started again.</summary>
    Crash,

    /// <summary>
    /// A chunk server's host loses power. While some chunk has not all its replicas it is a crash instead, since two power cuts may take more.
    /// </summary>
    PowerLoss,

    /// <summary>All chunk servers are killed and started again, one after another.</summary>
    CrashAll,

    /// <summary>A chunk server reaches nobody.</summary>
    Isolate,

    /// <summary>A chunk server does not reach the metadata server.</summary>
    CutFromMetadata,

    /// <summary>A chunk server reaches neither the metadata server nor the other chunk servers; clients reach it.</summary>
    LeaveToClients,

    /// <summary>Two chunk servers do not reach each other.</summary>
    CutFromNeighbour,

    /// <summary>What a chunk server sends arrives nowhere; what is sent to it arrives.</summary>
    Mute,

    /// <summary>A client does not reach a chunk server.</summary>
    CutFromClient,

    /// <summary>The metadata server's process is killed and started again.</summary>
    RestartMetadata,

    /// <summary>The metadata server's host loses power; all its commands are flushed before they are answered.</summary>
    MetadataPowerLoss,

    /// <summary>A bit of a chunk server's disk turns over, while all replicas are whole.</summary>
    Rot,

    /// <summary>A chunk server's disk is a hundred times slower.</summary>
    SlowDisk,

    /// <summary>Packets are lost, and connections break.</summary>
    BadNetwork,

    /// <summary>A client's host dies. What it writes before is written through, so that nothing is lost by right.</summary>
    ClientDeath,
}

/// <summary>A fault as it is planned.</summary>
/// <param name="PauseNanoseconds">How long all is well before.</param>
/// <param name="Kind">What.</param>
/// <param name="Server">The chunk server, by its place.</param>
/// <param name="Other">Another server or a client, where the fault has two ends.</param>
/// <param name="LastsNanoseconds">How long.</param>
internal sealed record Fault(long PauseNanoseconds, FaultKind Kind, int Server, int Other, long LastsNanoseconds)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Kind} server {Server + 1}, other {Other + 1}, for {LastsNanoseconds / 1e9:F3} s");
}

/// <summary>What happens in one world: who does what, and what goes wrong meanwhile. All the rest follows from the seed.</summary>
/// <param name="Seed">The world's.</param>
/// <param name="Servers">How many chunk servers.</param>
/// <param name="Operations">What the lanes do; each lane its own in this order.</param>
/// <param name="Faults">What goes wrong, one after another.</param>
internal sealed record Schedule(ulong Seed, int Servers, IReadOnlyList<Operation> Operations, IReadOnlyList<Fault> Faults)
{
    /// <summary>Clients.</summary>
    public const int Clients = 3;

    /// <summary>Lanes: each client's through its file system, then each client's straight to the chunk servers.</summary>
    public const int Lanes = 2 * Clients;

    /// <summary>Files that are written.</summary>
    public const int Files = 2;

    /// <summary>Cells of the largest file: three chunks.</summary>
    public const int FileCells = 3 * ChunkCells;

    /// <summary>Chunks that are written without leases.</summary>
    public const int RawChunks = 2;

    /// <summary>Cells of a chunk: eight blocks.</summary>
    public const int ChunkCells = 8 * Call.CellsPerBlock;

    /// <summary>Directories.</summary>
    public const int Directories = 3;

    /// <summary>Names in each of them.</summary>
    public const int Names = 3;

    /// <summary>Whether the metadata server flushes every command: then it may lose power.</summary>
    public bool FlushesMetadata => Faults.Any(static fault => fault.Kind == FaultKind.MetadataPowerLoss);
}
