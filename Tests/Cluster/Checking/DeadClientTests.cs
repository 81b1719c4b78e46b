using Harness.Cluster.Checking;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Tests.Cluster.Checking;

/// <summary>What a client that dies takes with it.</summary>
public sealed class DeadClientTests
{
    private readonly OneFileWorld _world = new();

    [Fact]
    public void ADeadClientTakesNobodysSessionWithItWhenTheMetadataServerRestarts()
    {
        _world.Cluster.Clients[2].Die();
        _world.Cluster.KillMetadata(losesPower: false);
        _world.Cluster.StartMetadata();

        // The new term begins once the dead one's time is over. The others' sessions go on until then.
        ulong before = _world.SessionOf(0);
        Func<Errno?> written = _world.BeginWrite(1);
        _world.RunUntil(() => written() is not null, "the write", 20);
        Assert.Equal(Errnos.Ok, written());
        Assert.Equal(before, _world.SessionOf(0));
        Assert.Equal(1, _world.Read());
    }

    [Fact]
    public void WhatADeadClientAskedForIsNotGivenToItAfterItsSession()
    {
        // The holder of the file does not hear that somebody else wants it, and lives on for the metadata server; who wants it dies.
        _world.Write(1);
        CheckedClient holder = _world.Cluster.Clients[0];
        _world.Cluster.Network.CutOneWay(OneFileWorld.MetadataHost, holder.Host);
        _world.BeginWrite(2, client: 1);
        _world.RunFor(0.1);
        _world.Cluster.Clients[1].Die();
        _world.RunFor(12);
        Assert.Equal(2, _world.Cluster.State.Sessions.Count);
        holder.Die();
        _world.RunFor(12);
        Func<Errno?> written = _world.BeginWrite(3, client: 2);
        _world.RunUntil(() => written() is not null, "the write", 5);
        Assert.Equal(Errnos.Ok, written());
    }

    [Fact]
    public void WhatADeadClientHadToItselfOthersHaveWhenItsSessionEnds()
    {
        _world.Write(1);
        _world.Cluster.Clients[0].Die();
        Func<Errno?> written = _world.BeginWrite(2, client: 1);
        _world.RunFor(5);
        Assert.Null(written());
        _world.RunUntil(() => written() is not null, "the write", 10);
        Assert.Equal(Errnos.Ok, written());
    }
}
