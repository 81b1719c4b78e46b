using Harness.Cluster.Client;
using Harness.FuseProtocol;
using Harness.Tests.Experiments.Backends;
using Mono.Unix.Native;

namespace Harness.Tests.Cluster.Metadata;

/// <summary>What fsync(2) asks of the servers.</summary>
public sealed class FsyncTests
{
    private const ulong Root = FileSystemClient.Root;

    private readonly ClusterWorld _world = new();

    [Fact]
    public void LittleIsSyncedWithItsBeingWritten()
    {
        WorldClient client = _world.AddClient();
        ulong file = client.Fs.Create(Root, "file").Ok().Entry.Nodeid;
        client.Fs.Write(file, 0, "text").Ok();
        Assert.Equal(Errnos.Ok, client.Fsync(file));
        client.Fs.Write(file, 1, "ex").Ok();
        Assert.Equal(Errnos.Ok, client.Fsync(file));
        Assert.Equal((2, 2, 0), (_world.Chunks.Writes, _world.Chunks.DurableWrites, _world.Chunks.Syncs));
    }

    [Fact]
    public void WhatWasWrittenThroughBeforeIsSynced()
    {
        WorldClient client = _world.AddClient(ClusterWorld.ClientOptions with { WriteBehind = false });
        ulong file = client.Fs.Create(Root, "file").Ok().Entry.Nodeid;
        client.Fs.Write(file, 0, "text").Ok();
        Assert.Equal(Errnos.Ok, client.Fsync(file));
        Assert.Equal(Errnos.Ok, client.Fsync(file));
        Assert.Equal((0, 1), (_world.Chunks.DurableWrites, _world.Chunks.Syncs));
    }

    [Fact]
    public void TimesThatWereFsyncedOutliveAPowerCutOfTheMetadataServer()
    {
        WorldClient client = _world.AddClient();
        WorldClient other = _world.AddClient();
        ulong file = client.Fs.Create(Root, "file").Ok().Entry.Nodeid;
        client.Fs.Write(file, 0, "text").Ok();
        Assert.Equal(Errnos.Ok, client.Fsync(file));
        _world.RunFor(ClusterWorld.Second);
        client.Fs.Write(file, 0, "TEXT").Ok();
        var written = client.Fs.Lookup(Root, "file").Ok().Attr;
        Assert.Equal(Errnos.Ok, client.Fsync(file));
        _world.RestartServer(powerCut: true);
        var found = other.Fs.Lookup(Root, "file").Ok().Attr;
        Assert.Equal((written.Mtime, written.Mtimensec), (found.Mtime, found.Mtimensec));
    }

    [Fact]
    public void AnFsyncWaitsForTheSyncThatAnotherHasBegun()
    {
        WorldClient client = _world.AddClient(ClusterWorld.ClientOptions with { WriteBehind = false });
        ulong file = client.Fs.Create(Root, "file").Ok().Entry.Nodeid;
        client.Fs.Write(file, 0, "text").Ok();
        var held = new TaskCompletionSource();
        _world.Chunks.SyncsHeld = held;
        bool tooEarly = _world.OnLoop(client.Loop, async () =>
        {
            Task<Errno> one = client.Client.Fsync(new NodeId(file)).AsTask();
            Task<Errno> other = client.Client.Fsync(new NodeId(file)).AsTask();
            await Waits.Delay(client.Loop, ClusterWorld.Second);
            bool early = one.IsCompleted || other.IsCompleted;
            held.SetResult();
            Assert.Equal((Errnos.Ok, Errnos.Ok), (await one, await other));
            return early;
        });
        Assert.False(tooEarly);
    }
}
