using Harness.Cluster.Checking;
using Harness.Cluster.Chunks;
using Harness.Cluster.Client;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.Cluster.Checking;

/// <summary>Who may stand for a chunk when others are gone.</summary>
public sealed class WholeReplicaTests
{
    private const long Second = 1_000_000_000;

    private static readonly RequestContext s_root = new(0, 0);

    private readonly CheckedCluster _cluster = new(new Schedule(1, 3, [], []), PlantedFaults.None, static _ => { });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AReplicaThatWasCatchingUpIsNeverTakenForWhole(bool restartsMeanwhile)
    {
        ClusterFileSystem fs = Start();
        ulong file = Call(async () => (await fs.Create(s_root, NodeId.Root, "file"u8.ToArray(), new CreateIn { Mode = 0x81A4 })).Value.Entry.Nodeid);
        Write(fs, file, 1);
        CheckedServer late = _cluster.Servers[_cluster.State.LocationOf(_cluster.State.ChunkIds.Single()).Servers[0] - 1];
        late.Kill();
        Write(fs, file, 2);

        // It comes back, and cannot copy.
        foreach (CheckedServer other in _cluster.Servers)
        {
            _cluster.Network.Cut(late.Host, other.Host);
        }

        late.Start();
        RunFor(2);
        Assert.Equal(late.Id, Record().Target);
        foreach (CheckedServer other in _cluster.Servers.Where(other => other != late))
        {
            other.Kill();
        }

        if (restartsMeanwhile)
        {
            late.Kill();
            late.Start();
        }

        RunFor(10);
        Assert.All(_cluster.Servers.Where(other => other != late), other => Assert.Contains(other.Id, Record().Servers));
        _cluster.Network.Heal();
        foreach (CheckedServer other in _cluster.Servers.Where(other => other != late))
        {
            other.Start();
        }

        _cluster.World.RunUntil(() => _cluster.IsHealthy, "all replicas", _cluster.World.NowNanoseconds + (60 * Second));
        Assert.Equal(2, Read(fs, file));
        Assert.Empty(RestingCluster.Check(_cluster));
    }

    [Fact]
    public void WhenAllLeasesEndWithWritesUnderWayTheChunkComesBack()
    {
        ClusterFileSystem fs = Start();
        ulong file = Call(async () => (await fs.Create(s_root, NodeId.Root, "file"u8.ToArray(), new CreateIn { Mode = 0x81A4 })).Value.Entry.Nodeid);
        Write(fs, file, 1);
        _cluster.KillMetadata(losesPower: false);
        _cluster.Network.Cut(_cluster.Servers[0].Host, _cluster.Servers[1].Host);
        _cluster.Network.Cut(_cluster.Servers[1].Host, _cluster.Servers[2].Host);
        _cluster.Network.Cut(_cluster.Servers[0].Host, _cluster.Servers[2].Host);
        Errno? written = null;
        _cluster.Clients[0].Loop.Post(async _ => written = await WriteAndSync(fs, file, 2), null);
        RunFor(6);
        Assert.Null(written);
        _cluster.Network.Heal();
        _cluster.StartMetadata();
        _cluster.World.RunUntil(() => written is not null && _cluster.IsHealthy, "the write", _cluster.World.NowNanoseconds + (40 * Second));
        Assert.Equal(Errnos.Ok, written);
        Assert.Equal(2, Read(fs, file));
    }

    private ClusterFileSystem Start()
    {
        _cluster.World.RunUntil(() => _cluster.Metadata is not null && _cluster.IsHealthy, "the start", 20 * Second);
        Assert.Equal(Errnos.Ok, Call(async () => await _cluster.Clients[0].Client.Open()));
        return _cluster.Clients[0].FileSystem;
    }

    private global::Harness.Cluster.Metadata.ChunkRecord Record()
    {
        _cluster.State.TryGetChunk(_cluster.State.ChunkIds.Single(), out var record);
        return record;
    }

    private void RunFor(int seconds) => _cluster.World.RunUntil(_cluster.World.NowNanoseconds + (seconds * Second));

    private void Write(ClusterFileSystem fs, ulong file, byte value) => Assert.Equal(Errnos.Ok, Call(() => WriteAndSync(fs, file, value)));

    private static async Task<Errno> WriteAndSync(ClusterFileSystem fs, ulong file, byte value)
    {
        byte[] data = new byte[8192];
        data.AsSpan().Fill(value);
        Result<int> written = await fs.Write(s_root, new NodeId(file), default, data);
        return written.IsOk ? await fs.Fsync(s_root, new NodeId(file), default) : written.Error;
    }

    private int Read(ClusterFileSystem fs, ulong file)
    {
        byte[] data = new byte[8192];
        Assert.Equal(8192, Call(async () => await fs.Read(s_root, new NodeId(file), new ReadIn { Size = 8192 }, data)).Value);
        return data.Distinct().Single();
    }

    private T Call<T>(Func<Task<T>> body) => _cluster.Run(_cluster.Clients[0].Loop, body, "a call", 90 * Second);
}
