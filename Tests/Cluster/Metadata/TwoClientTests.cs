using Harness.Cluster.Client;
using Harness.FuseProtocol;
using Harness.Tests.Experiments.Backends;
using Mono.Unix.Native;

namespace Harness.Tests.Cluster.Metadata;

/// <summary>What two clients of one cluster see of each other.</summary>
public sealed class TwoClientTests
{
    private const ulong Root = FileSystemClient.Root;

    private readonly ClusterWorld _world = new();
    private readonly WorldClient _one;
    private readonly WorldClient _other;

    public TwoClientTests()
    {
        _one = _world.AddClient();
        _other = _world.AddClient();
    }

    [Fact]
    public void AWriteThatWaitsIsSeenByTheOtherClientAtOnce()
    {
        ulong file = _one.Fs.Create(Root, "file").Ok().Entry.Nodeid;
        _one.Fs.Write(file, 0, "first").Ok();
        Assert.Equal(0, _world.Chunks.Writes);
        Assert.Equal(5ul, _other.Fs.Lookup(Root, "file").Ok().Attr.Size);
        Assert.Equal("first", _other.Fs.ReadText(file));
        _other.Fs.Write(file, 5, " second").Ok();
        Assert.Equal("first second", _one.Fs.ReadText(file));
        Assert.Equal(12ul, _one.Fs.Getattr(file).Ok().Size);
    }

    [Fact]
    public void AFileWhoseDataWaitHasBlocks()
    {
        // A file without any is one hole to tar --sparse, and its data are not looked for.
        ulong file = _one.Fs.Create(Root, "file").Ok().Entry.Nodeid;
        _one.Fs.Write(file, 0, "first").Ok();
        Assert.Equal(0, _world.Chunks.Writes);
        Assert.Equal(8ul, _one.Fs.Getattr(file).Ok().Blocks);
        Assert.Equal(Errnos.Ok, _one.Fsync(file));
        Assert.Equal(8ul, _one.Fs.Getattr(file).Ok().Blocks);
        Assert.Equal(8ul, _other.Fs.Getattr(file).Ok().Blocks);
    }

    [Fact]
    public void NamesThatOneChangesTheOtherSeesAtOnce()
    {
        ulong directory = _one.Fs.Mkdir(Root, "directory").Ok().Nodeid;
        ulong file = _one.Fs.Create(directory, "a").Ok().Entry.Nodeid;
        Assert.Equal(file, _other.Fs.Lookup(directory, "a").Ok().Nodeid);
        Assert.Equal(0ul, _other.Fs.Lookup(directory, "b").Ok().Nodeid);
        _one.Fs.Rename(directory, "a", directory, "b").Ok();
        Assert.Equal(file, _other.Fs.Lookup(directory, "b").Ok().Nodeid);
        Assert.Equal(["b"], _other.Fs.List(directory));
        _other.Fs.Unlink(directory, "b").Ok();
        Assert.Empty(_one.Fs.List(directory, plus: true));
    }

    [Fact]
    public void AnAbsentNameInADirectoryMadeHereCostsNoRequest()
    {
        ulong directory = _one.Fs.Mkdir(Root, "directory").Ok().Nodeid;
        _one.Fs.Create(directory, "here").Ok();
        long requests = _world.Server.Requests;
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal(0ul, _one.Fs.Lookup(directory, $"absent {i}").Ok().Nodeid);
        }

        Assert.Equal(requests, _world.Server.Requests);
        Assert.NotEqual(0ul, _one.Fs.Lookup(directory, "here").Ok().Nodeid);
        _one.Fs.Rename(directory, "here", directory, "there").Ok();
        requests = _world.Server.Requests;
        Assert.Equal(0ul, _one.Fs.Lookup(directory, "here").Ok().Nodeid);
        Assert.Equal(requests, _world.Server.Requests);
        Assert.NotEqual(0ul, _one.Fs.Lookup(directory, "there").Ok().Nodeid);
    }

    [Fact]
    public void ANameThatAnotherMakesInADirectoryMadeHereIsSeenAtOnce()
    {
        ulong directory = _one.Fs.Mkdir(Root, "directory").Ok().Nodeid;
        Assert.Equal(0ul, _one.Fs.Lookup(directory, "made").Ok().Nodeid);
        _other.Fs.Lookup(Root, "directory").Ok();
        ulong made = _other.Fs.Create(directory, "made").Ok().Entry.Nodeid;
        Assert.Equal(made, _one.Fs.Lookup(directory, "made").Ok().Nodeid);
        _other.Fs.Link(made, directory, "linked").Ok();
        Assert.Equal(made, _one.Fs.Lookup(directory, "linked").Ok().Nodeid);
        _other.Fs.Rename(directory, "made", directory, "moved").Ok();
        Assert.Equal(made, _one.Fs.Lookup(directory, "moved").Ok().Nodeid);
        Assert.Equal(0ul, _one.Fs.Lookup(directory, "made").Ok().Nodeid);
    }

    [Fact]
    public void ADirectoryWhoseMakersSessionHasEndedIsAskedForItsNamesAgain()
    {
        ulong directory = _one.Fs.Mkdir(Root, "directory").Ok().Nodeid;
        _world.Network.Cut(_one.Host, "mds");
        _world.RunFor(20 * ClusterWorld.Second);
        ulong made = _other.Fs.Create(directory, "made").Ok().Entry.Nodeid;
        _world.Network.Heal();
        Assert.Equal(made, _one.Fs.Lookup(directory, "made").Ok().Nodeid);
    }

    [Fact]
    public void AFileThatIsMadeAndWrittenCostsOneRequestUntilItsDataGoOut()
    {
        ulong directory = _one.Fs.Mkdir(Root, "directory").Ok().Nodeid;
        long requests = _world.Server.Requests;
        Assert.Equal(0ul, _one.Fs.Lookup(directory, "file").Ok().Nodeid);
        ulong file = _one.Fs.Create(directory, "file").Ok().Entry.Nodeid;
        Assert.Equal(Errno.ENODATA, _one.Fs.Getxattr(file, "security.capability").Error);
        _one.Fs.Write(file, 0, "text").Ok();
        Assert.NotEqual(0ul, _one.Fs.Getattr(directory).Ok().Mtime);
        Assert.Equal(4ul, _one.Fs.Getattr(file).Ok().Size);
        Assert.Equal(requests + 1, _world.Server.Requests);
        _one.Fs.Rename(directory, "file", directory, "moved").Ok();
        _one.Fs.Getattr(directory).Ok();
        _one.Fs.Unlink(directory, "moved").Ok();
        _one.Fs.Getattr(directory).Ok();
        Assert.InRange(_world.Server.Requests, requests + 5, requests + 6);
    }

    [Fact]
    public void WhatAnotherSetsOfAttributesIsSeenAtOnceWhereThereWereNone()
    {
        ulong file = _one.Fs.Create(Root, "file").Ok().Entry.Nodeid;
        Assert.Equal(Errno.ENODATA, _one.Fs.Getxattr(file, "user.colour").Error);
        _other.Fs.Lookup(Root, "file").Ok();
        _other.Fs.Setxattr(file, "user.colour", "red"u8.ToArray()).Ok();
        Assert.True(_one.Fs.Getxattr(file, "user.colour").IsOk);
        ulong directory = _one.Fs.Mkdir(Root, "directory").Ok().Nodeid;
        _other.Fs.Mkdir(directory, "below").Ok();
        Assert.Equal(3u, _one.Fs.Getattr(directory).Ok().Nlink);
    }

    [Fact]
    public void ManyFilesThatWereWrittenGoOutInAFewRequests()
    {
        ulong[] files = [.. Enumerable.Range(0, 100).Select(i => _one.Fs.Create(Root, $"file {i}").Ok().Entry.Nodeid)];
        foreach (ulong file in files)
        {
            _one.Fs.Write(file, 0, $"text of {file}").Ok();
        }

        long mutations = _world.Server.Mutations;
        _world.RunFor(ClusterWorld.Second);
        Assert.InRange(_world.Server.Mutations - mutations, 2, 10);
        Assert.Equal(0, _one.Client.DirtyBytes);
        Assert.All(files, file => Assert.Equal($"text of {file}", _other.Fs.ReadText(file)));
    }

    [Fact]
    public void BothAppendToOneFileAndNothingIsLost()
    {
        ulong file = _one.Fs.Create(Root, "log").Ok().Entry.Nodeid;
        for (int i = 0; i < 10; i++)
        {
            _one.Fs.Write(file, 0, "one "u8.ToArray(), OpenFlags.O_WRONLY | OpenFlags.O_APPEND).Ok();
            _other.Fs.Write(file, 0, "other "u8.ToArray(), OpenFlags.O_WRONLY | OpenFlags.O_APPEND).Ok();
        }

        Assert.Equal(string.Concat(Enumerable.Repeat("one other ", 10)), _one.Fs.ReadText(file));
    }

    [Fact]
    public void WhatOneRemovesTheOtherMayGoOnReadingUntilItCloses()
    {
        ulong file = _one.Fs.Create(Root, "file").Ok().Entry.Nodeid;
        _one.Fs.Write(file, 0, "text").Ok();
        _other.Fs.Lookup(Root, "file").Ok();
        ulong fh = _other.Fs.Open(file).Ok().Fh;
        _one.Fs.Unlink(Root, "file").Ok();
        _one.Fs.ForgetAll();
        _world.RunFor(ClusterWorld.Second);
        Assert.Equal("text", _other.Fs.ReadText(file));
        int inodes = _world.Server.State.InodeCount;
        _other.Fs.Release(file, fh);
        _other.Fs.ForgetAll();
        _world.RunFor(ClusterWorld.Second);
        Assert.Equal(inodes - 1, _world.Server.State.InodeCount);
        Assert.Equal(1, _world.Chunks.DroppedChunks);
    }

    [Fact]
    public void LocksHoldAcrossClientsAndEndWithTheirHolder()
    {
        ulong file = _one.Fs.Create(Root, "file").Ok().Entry.Nodeid;
        _other.Fs.Lookup(Root, "file").Ok();
        _one.Fs.LockNow(file, 7, LockType.F_WRLCK, 0, 9).Ok();
        Assert.Equal(Errno.EAGAIN, _other.Fs.LockNow(file, 7, LockType.F_WRLCK, 5, 5));
        _one.Process.Crash();
        _world.RunFor(30 * ClusterWorld.Second);
        _other.Fs.LockNow(file, 7, LockType.F_WRLCK, 5, 5).Ok();
    }

    [Fact]
    public void WhoIsCutOffLosesItsLeaseAndDoesNotWriteOverWhatCameAfter()
    {
        ulong file = _one.Fs.Create(Root, "file").Ok().Entry.Nodeid;
        _one.Fs.Write(file, 0, "old").Ok();
        Assert.Equal(Errnos.Ok, _one.Fsync(file));
        _one.Fs.Write(file, 0, "new").Ok();
        _world.Network.Cut(_one.Host, "mds");

        // The chunk servers are still in its reach: what it wrote under its lease may have come there, or not.
        Assert.Contains(_other.Fs.ReadText(_other.Fs.Lookup(Root, "file").Ok().Nodeid), new[] { "old", "new" });
        _other.Fs.Write(file, 0, "mine").Ok();
        _world.Network.Heal();
        _world.RunFor(30 * ClusterWorld.Second);
        Assert.Equal("mine", _one.Fs.ReadText(file));
        Assert.Equal("mine", _other.Fs.ReadText(file));
    }

    [Fact]
    public void ClientsGoOnAfterTheServerWasKilled()
    {
        ulong file = _one.Fs.Create(Root, "file").Ok().Entry.Nodeid;
        _one.Fs.Write(file, 0, "text").Ok();
        ulong kept = _one.Fs.Create(Root, "kept").Ok().Entry.Nodeid;
        _other.Fs.LockNow(kept, 1, LockType.F_WRLCK, 0, 0).Ok();
        _world.RestartServer();
        Assert.Equal("text", _other.Fs.ReadText(_other.Fs.Lookup(Root, "file").Ok().Nodeid));
        Assert.Equal(Errno.EAGAIN, _one.Fs.LockNow(kept, 1, LockType.F_WRLCK, 0, 0));
        _one.Fs.Unlink(Root, "file").Ok();
        Assert.Equal(["kept"], _other.Fs.List(Root));
        Assert.NotEqual(file, _other.Fs.Create(Root, "new").Ok().Entry.Nodeid);
    }

    [Fact]
    public void APowerCutTakesNothingThatWasFsynced()
    {
        ulong file = _one.Fs.Create(Root, "file").Ok().Entry.Nodeid;
        _one.Fs.Write(file, 0, "text").Ok();
        Assert.Equal(Errnos.Ok, _one.Fsync(file));
        _world.RestartServer(powerCut: true);
        Assert.Equal("text", _other.Fs.ReadText(_other.Fs.Lookup(Root, "file").Ok().Nodeid));
    }

    [Fact]
    public void AMutationWhoseAnswerIsLostRunsOnce()
    {
        RandomRun.WithSeed(seed =>
        {
            var world = new ClusterWorld(seed);
            world.Network.Options.ResetChance = 0.02;
            WorldClient client = world.AddClient();
            for (int i = 0; i < 150; i++)
            {
                client.Fs.Mkdir(Root, $"d{i}").Ok();
                client.Fs.Rename(Root, $"d{i}", Root, $"e{i}").Ok();
                if (i % 2 == 0)
                {
                    client.Fs.Rmdir(Root, $"e{i}").Ok();
                }
            }

            Assert.Equal(Enumerable.Range(0, 150).Where(i => i % 2 == 1).Select(i => $"e{i}"), client.Fs.List(Root));
        });
    }

    [Fact]
    public void TheSameSeedGivesTheSameRun()
    {
        static ulong Run()
        {
            var world = new ClusterWorld(7);
            WorldClient one = world.AddClient();
            WorldClient other = world.AddClient(new ClusterClientOptions { MetadataServers = ClusterWorld.ClientOptions.MetadataServers, WriteBehind = false });
            for (int i = 0; i < 20; i++)
            {
                ulong file = one.Fs.Create(Root, $"f{i}").Ok().Entry.Nodeid;
                one.Fs.Write(file, 0, "text").Ok();
                other.Fs.Write(other.Fs.Lookup(Root, $"f{i}").Ok().Nodeid, 4, "more").Ok();
            }

            return world.Scheduler.TraceHash;
        }

        Assert.Equal(Run(), Run());
    }

    [Fact]
    public void AHundredGibibytesOfNothingCostNothing()
    {
        var world = new ClusterWorld(options: new());
        WorldClient client = world.AddClient();
        ulong file = client.Fs.Create(Root, "sparse").Ok().Entry.Nodeid;
        Assert.Equal(100ul << 30, client.Fs.Truncate(file, 100ul << 30).Ok().Size);
        client.Fs.Write(file, 99ul << 30, "end").Ok();
        Assert.Equal(Errnos.Ok, client.Fsync(file));
        Assert.Equal(new byte[8], client.Fs.Read(file, 50ul << 30, 8).Ok());
        Assert.Equal(1, world.Server.State.ChunkCount);
        client.Fs.Unlink(Root, "sparse").Ok();
        client.Fs.ForgetAll();
        world.RunFor(ClusterWorld.Second);
        Assert.Equal(0, world.Server.State.ChunkCount);
    }
}
