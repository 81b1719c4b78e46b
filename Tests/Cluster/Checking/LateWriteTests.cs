using Harness.Cluster.Checking;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Tests.Cluster.Checking;

/// <summary>Writes of clients that are no more, which the network delivers when others have the file.</summary>
public sealed class LateWriteTests
{
    private readonly OneFileWorld _world = new();

    /// <param name="leasesEnd">Whether the metadata server reaches no chunk server when the session ends, so that their leases end too.</param>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WhatADeadClientHasWrittenIsNotWrittenOverWhatOthersWroteSince(bool leasesEnd)
    {
        _world.Write(1);
        CheckedServer head = _world.Servers[_world.Record.Servers[0] - 1];
        CheckedClient dead = _world.Cluster.Clients[0];
        _world.Cluster.Network.Cut(dead.Host, head.Host);
        _world.BeginWrite(2);
        _world.RunFor(0.5);
        dead.Die();
        if (leasesEnd)
        {
            // All at once, so that none falls out of the chain: they are told the same one when they are back.
            _world.RunFor(6);
            _world.Cluster.Cut(OneFileWorld.MetadataHost, _world.Servers.Select(static server => server.Host));
            _world.RunFor(6);
            _world.Cluster.Network.Heal();
            _world.Cluster.Network.Cut(dead.Host, head.Host);
        }

        Func<Errno?> written = _world.BeginWrite(3, client: 1);
        _world.RunUntil(() => written() is not null, "the write", 20);
        Assert.Equal(Errnos.Ok, written());
        _world.Cluster.Network.Heal();
        _world.RunFor(1);
        Assert.Equal(3, _world.Read(client: 1));
        Assert.Equal(3, _world.Read(client: 2));
    }

    [Fact]
    public void WhatAClientHadToItselfNobodyElseGetsWhileAReplicaMayStillTakeInWhatItWrote()
    {
        _world.Write(1);
        CheckedServer head = _world.Servers[_world.Record.Servers[0] - 1];
        CheckedServer next = _world.Servers[_world.Record.Servers[1] - 1];

        // The head has the write, and the others do not.
        _world.Cluster.Network.Cut(head.Host, next.Host);
        _world.BeginWrite(2);
        _world.RunFor(0.5);
        _world.Cluster.Clients[0].Die();
        Func<Errno?> written = _world.BeginWrite(3, client: 1);
        _world.RunFor(15);
        Assert.True(_world.Cluster.State.Sessions.Count == 3, "the session has ended");
        _world.Cluster.Network.Heal();
        _world.RunUntil(() => written() is not null, "the write", 20);
        Assert.Equal(Errnos.Ok, written());
        Assert.Equal(3, _world.Read(client: 1));
        Assert.Empty(RestingCluster.Check(_world.Cluster));
    }
}
