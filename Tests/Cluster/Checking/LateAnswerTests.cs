using Harness.Cluster.Checking;
using Harness.FuseProtocol;

namespace Harness.Tests.Cluster.Checking;

/// <summary>What chunk servers answer to the metadata server when all has changed meanwhile.</summary>
public sealed class LateAnswerTests
{
    /// <param name="seed">Of worlds in which the power cut takes the new replica.</param>
    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public void WhatAServerSaidInAnEarlierLifeIsNotTakenForThisOne(ulong seed)
    {
        var world = new OneFileWorld(seed);
        CheckedServer late = world.Servers[1];
        world.Cluster.Network.CutOneWay(late.Host, OneFileWorld.MetadataHost);
        Func<Mono.Unix.Native.Errno?> written = world.BeginWrite(1);
        world.RunUntil(() => late.Server!.Store.Chunks.Any(), "a replica");

        // That it has made one is still on its way when it comes back without it.
        world.RunFor(0.01);
        late.LosePower();
        world.Cluster.Network.Heal();
        late.Start();
        world.RunUntil(() => late.Server is not null, "the server");
        Assert.Empty(late.Server!.Store.Chunks);
        world.RunUntil(() => written() is not null && world.Cluster.IsHealthy, "the write", 20);
        Assert.Equal(Errnos.Ok, written());
        Assert.Equal(1, world.Read());
        Assert.Empty(RestingCluster.Check(world.Cluster));
    }

    [Fact]
    public void AReplicaMadeForAChunkThatIsRemovedMeanwhileIsRemovedToo()
    {
        var world = new OneFileWorld();
        CheckedServer late = world.Servers[2];
        late.Kill();
        world.Write(1);
        late.Start();
        world.RunUntil(() => late.Server is { HasLease: true }, "the server");

        // It makes the replica that the chunk still lacks, and its answer comes once the chunk is gone.
        world.Cluster.Network.CutOneWay(late.Host, OneFileWorld.MetadataHost);
        world.RunUntil(() => late.Server!.Store.Chunks.Any(), "a replica");
        world.TruncateToNothing();
        Assert.Equal(0, world.Cluster.State.ChunkCount);
        world.Cluster.Network.Heal();
        world.RunUntil(() => !late.Server!.Store.Chunks.Any(), "its end", 20);
        Assert.Empty(RestingCluster.Check(world.Cluster));
    }
}
