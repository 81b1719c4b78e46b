using Harness.Cluster.Checking;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Tests.Cluster.Checking;

/// <summary>Who may stand for a chunk when others are gone.</summary>
public sealed class WholeReplicaTests
{
    private readonly OneFileWorld _world = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AReplicaThatWasCatchingUpIsNeverTakenForWhole(bool restartsMeanwhile)
    {
        _world.Write(1);
        CheckedServer late = _world.Servers[_world.Record.Servers[0] - 1];
        CheckedServer[] others = [.. _world.Servers.Where(other => other != late)];
        late.Kill();
        _world.Write(2);

        // It comes back, and cannot copy.
        foreach (CheckedServer other in _world.Servers)
        {
            _world.Cluster.Network.Cut(late.Host, other.Host);
        }

        late.Start();
        _world.RunFor(2);
        Assert.Equal(late.Id, _world.Record.Target);
        foreach (CheckedServer other in others)
        {
            other.Kill();
        }

        if (restartsMeanwhile)
        {
            late.Kill();
            late.Start();
        }

        _world.RunFor(10);
        Assert.All(others, other => Assert.Contains(other.Id, _world.Record.Servers));
        _world.Cluster.Network.Heal();
        foreach (CheckedServer other in others)
        {
            other.Start();
        }

        _world.RunUntil(() => _world.Cluster.IsHealthy, "all replicas");
        Assert.Equal(2, _world.Read());
        Assert.Empty(RestingCluster.Check(_world.Cluster));
    }

    [Fact]
    public void WhenAllLeasesEndWithWritesUnderWayTheChunkComesBack()
    {
        _world.Write(1);
        _world.Cluster.KillMetadata(losesPower: false);
        _world.Cluster.Network.Cut(_world.Servers[0].Host, _world.Servers[1].Host);
        _world.Cluster.Network.Cut(_world.Servers[1].Host, _world.Servers[2].Host);
        _world.Cluster.Network.Cut(_world.Servers[0].Host, _world.Servers[2].Host);
        Func<Errno?> written = _world.BeginWrite(2);
        _world.RunFor(6);
        Assert.Null(written());
        _world.Cluster.Network.Heal();
        _world.Cluster.StartMetadata();
        _world.RunUntil(() => written() is not null && _world.Cluster.IsHealthy, "the write");
        Assert.Equal(Errnos.Ok, written());
        Assert.Equal(2, _world.Read());
    }

    [Fact]
    public void AServerThatNeverSaidThatItHasMadeAReplicaIsNotTakenForWhole()
    {
        CheckedServer away = _world.Servers[0];
        _world.Cluster.Cut(away.Host, _world.Cluster.HostsBut(away.Host));
        Func<Errno?> written = _world.BeginWrite(1);
        _world.RunUntil(() => _world.Servers.Skip(1).All(static server => server.Server!.Store.Chunks.Any()), "two replicas");

        // It has found that it is cut off, and refuses to make one, when the others come back from a restart.
        _world.RunFor(1.9);
        _world.Cluster.Network.Heal();
        foreach (CheckedServer other in _world.Servers.Skip(1))
        {
            other.Kill();
            other.Start();
            _world.RunFor(0.02);
        }

        _world.RunUntil(() => written() is not null && _world.Cluster.IsHealthy, "the write", 20);
        Assert.Equal(Errnos.Ok, written());
        Assert.Equal(1, _world.Read());
    }

    [Fact]
    public void AnAllocationOfAChunkThatIsThereMakesNobodyServeWhatHeMayHaveLost()
    {
        _world.Write(1);
        CheckedServer late = _world.Servers[2];
        _world.Cluster.KillMetadata(losesPower: false);
        late.LosePower();
        _world.Cluster.StartMetadata();
        _world.RunFor(1);
        late.Start();
        _world.RunUntil(() => late.Server is { HasLease: true }, "the server");
        ulong chunk = _world.Chunk;
        Assert.Equal(1u, _world.Record.Version);
        Task told = _world.Cluster.Metadata!.Master.Created([_world.Cluster.State.LocationOf(chunk)]);
        _world.RunUntil(() => told.IsCompleted && late.Server!.ServedVersion(chunk) != 0, "its chain");
        Assert.NotEqual(1ul, late.Server!.ServedVersion(chunk));
    }

    [Fact]
    public void NobodyServesAnOldVersionWhileOthersServeANewerOneWithoutHim()
    {
        _world.Write(1);
        _world.Servers[2].Kill();

        // The others are two in the log, and do not know it yet, when the metadata server goes and comes back within their leases.
        _world.RunUntil(() => _world.Record.Version > 1, "the change");
        ulong chunk = _world.Chunk;
        uint[] members = _world.Record.Servers;
        _world.Cluster.KillMetadata(losesPower: false);
        Assert.All(members, id => Assert.Equal(1ul, Served(id)));
        _world.Cluster.StartMetadata();
        _world.RunUntil(
            () =>
            {
                if (_world.Cluster.Metadata is not null && _world.Cluster.State.TryGetChunk(chunk, out var record))
                {
                    uint[] outside = [.. members.Where(id => !record.Servers.Contains(id) && Served(id) != 0)];
                    Assert.False(
                        outside.Length > 0 && record.Servers.Any(id => Served(id) == record.Version),
                        $"server {string.Join(", ", outside)} serves an old version beside version {record.Version}");
                }

                return _world.Cluster.Metadata is not null && members.All(id => Served(id) > 2);
            },
            "both");

        ulong Served(uint id) => _world.Servers[id - 1].Server is { HasLease: true } server ? server.ServedVersion(chunk) : 0;
    }
}
