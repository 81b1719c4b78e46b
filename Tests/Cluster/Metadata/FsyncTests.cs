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

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WhatWasWrittenBeforeTheKernelForgotTheFileIsSyncedToo(bool writesBehind)
    {
        WorldClient client = _world.AddClient(ClusterWorld.ClientOptions with { WriteBehind = writesBehind });
        ulong file = client.Fs.Create(Root, "file").Ok().Entry.Nodeid;
        client.Fs.Write(file, 0, "text").Ok();
        _world.RunFor(ClusterWorld.Second);
        client.Fs.ForgetAll();
        Assert.DoesNotContain(client.Client.Holdings, held => held.Inode == file);
        Assert.Equal((0, 1), (_world.Chunks.Syncs, client.Client.Forgotten));
        client.Fs.Lookup(Root, "file").Ok();
        Assert.Equal((Errnos.Ok, Errnos.Ok), (client.Fsync(file), client.Fsync(file)));
        Assert.Equal((1, 0), (_world.Chunks.Syncs, client.Client.Forgotten));
    }

    [Fact]
    public void SyncfsSyncsWhatTheKernelHasForgotten()
    {
        WorldClient client = _world.AddClient();
        Forgotten(client, "file");
        Assert.Equal(Errnos.Ok, client.Syncfs());
        Assert.Equal((1, 0), (_world.Chunks.Syncs, client.Client.Forgotten));
    }

    [Fact]
    public void WhatNobodyCanOpenAgainIsNotRemembered()
    {
        WorldClient client = _world.AddClient();
        ulong file = client.Fs.Create(Root, "file").Ok().Entry.Nodeid;
        client.Fs.Write(file, 0, "text").Ok();
        _world.RunFor(ClusterWorld.Second);
        client.Fs.Unlink(Root, "file").Ok();
        client.Fs.ForgetAll();
        Assert.Equal(0, client.Client.Forgotten);
    }

    [Fact]
    public void OfTooManyForgottenFilesSomeAreSyncedBehindThem()
    {
        WorldClient client = _world.AddClient(ClusterWorld.ClientOptions with { ForgottenMax = 3 });
        for (int i = 0; i < 10; i++)
        {
            Forgotten(client, $"file{i}");
        }

        _world.RunFor(ClusterWorld.Second);
        Assert.Equal((7, 3), (_world.Chunks.Syncs, client.Client.Forgotten));
    }

    [Fact]
    public void AnFsyncWaitsForTheSyncOfTheForgottenFile()
    {
        WorldClient client = _world.AddClient(ClusterWorld.ClientOptions with { ForgottenMax = 0 });
        var held = new TaskCompletionSource();
        _world.Chunks.SyncsHeld = held;
        ulong file = Forgotten(client, "file");
        client.Fs.Lookup(Root, "file").Ok();
        bool tooEarly = _world.OnLoop(client.Loop, async () =>
        {
            Task<Errno> fsync = client.Client.Fsync(new NodeId(file)).AsTask();
            await Waits.Delay(client.Loop, ClusterWorld.Second);
            bool early = fsync.IsCompleted;
            held.SetResult();
            Assert.Equal(Errnos.Ok, await fsync);
            return early;
        });
        Assert.False(tooEarly);
        Assert.Equal((1, 0), (_world.Chunks.Syncs, client.Client.Forgotten));
    }

    /// <summary>A file that was written, and that the kernel has forgotten.</summary>
    private ulong Forgotten(WorldClient client, string name)
    {
        ulong file = client.Fs.Create(Root, name).Ok().Entry.Nodeid;
        client.Fs.Write(file, 0, "text").Ok();
        _world.RunFor(ClusterWorld.Second);
        client.Fs.Forget(file, client.Fs.LookupsOf(file));
        _world.RunFor(ClusterWorld.Millisecond);
        return file;
    }
}
