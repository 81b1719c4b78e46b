using Harness.Cluster.Checking;
using Harness.Cluster.Chunks;
using Harness.Cluster.Client;
using Harness.Cluster.Metadata;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.Cluster.Checking;

/// <summary>A cluster of three chunk servers in a simulated world, and one file of one chunk in it.</summary>
internal sealed class OneFileWorld
{
    public const long Second = 1_000_000_000;

    public const string MetadataHost = "mds";

    private const int FileBytes = 8192;

    private static readonly RequestContext s_root = new(0, 0);

    /// <summary>A cluster that has started, and an empty file.</summary>
    public OneFileWorld(ulong seed = 1)
    {
        Cluster = new CheckedCluster(new Schedule(seed, 3, [], []), PlantedFaults.None, static _ => { });
        Cluster.World.RunUntil(() => Cluster.Metadata is not null && Cluster.IsHealthy, "the start", 20 * Second);
        foreach (CheckedClient client in Cluster.Clients)
        {
            Assert.Equal(Errnos.Ok, Cluster.Run(client.Loop, async () => await client.Client.Open(), "a session", 20 * Second));
        }

        FileSystem = Cluster.Clients[0].FileSystem;
        Result<CreateOut> made = Call(async () => await FileSystem.Create(s_root, NodeId.Root, "file"u8.ToArray(), new CreateIn { Mode = 0x81A4 }));
        File = new NodeId(made.Value.Entry.Nodeid);
    }

    public CheckedCluster Cluster { get; }

    public ClusterFileSystem FileSystem { get; }

    public NodeId File { get; }

    public CheckedServer[] Servers => Cluster.Servers;

    /// <summary>The only chunk.</summary>
    public ulong Chunk => Cluster.State.ChunkIds.Single();

    /// <summary>What the metadata say of it.</summary>
    public ChunkRecord Record
    {
        get
        {
            Cluster.State.TryGetChunk(Chunk, out ChunkRecord record);
            return record;
        }
    }

    public void RunFor(double seconds) => Cluster.World.RunUntil(Cluster.World.NowNanoseconds + (long)(seconds * Second));

    public void RunUntil(Func<bool> reached, string what, double seconds = 60) =>
        Cluster.World.RunUntil(reached, what, Cluster.World.NowNanoseconds + (long)(seconds * Second));

    public T Call<T>(Func<Task<T>> body) => Cluster.Run(Cluster.Clients[0].Loop, body, "a call", 90 * Second);

    public void Write(byte value) => Assert.Equal(Errnos.Ok, Call(() => WriteAndSync(value)));

    /// <summary>Begins a write and an fsync; the function tells how they ended, or null.</summary>
    public Func<Errno?> BeginWrite(byte value, int client = 0)
    {
        Errno? written = null;
        Cluster.Clients[client].Loop.Post(async _ => written = await WriteAndSync(value, client), null);
        return () => written;
    }

    /// <summary>The number of a client's session.</summary>
    public ulong SessionOf(int client) => Cluster.Clients[client].Client.Session.Id;

    public int Read(int client = 0)
    {
        byte[] data = new byte[FileBytes];
        CheckedClient reader = Cluster.Clients[client];
        var arg = new ReadIn { Size = FileBytes };
        Result<int> read = Cluster.Run(reader.Loop, async () => await reader.FileSystem.Read(s_root, File, arg, data), "a read", 90 * Second);
        Assert.Equal(FileBytes, read.Value);
        return data.Distinct().Single();
    }

    public void TruncateToNothing()
    {
        var truncate = new SetattrIn { Valid = SetattrValid.Size, Size = 0 };
        Assert.Equal(Errnos.Ok, Call(async () => (await FileSystem.Setattr(s_root, File, truncate)).Error));
    }

    private async Task<Errno> WriteAndSync(byte value, int client = 0)
    {
        ClusterFileSystem fs = Cluster.Clients[client].FileSystem;
        byte[] data = new byte[FileBytes];
        data.AsSpan().Fill(value);
        Result<int> written = await fs.Write(s_root, File, default, data);
        return written.IsOk ? await fs.Fsync(s_root, File, default) : written.Error;
    }
}
