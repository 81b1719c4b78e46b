using Harness.Cluster.Wire;
using Harness.Tests.Cluster.Metadata;
using Harness.Tests.Experiments.Backends;
using Mono.Unix.Native;

namespace Harness.Tests.Cluster.Client;

/// <summary>What a client does at the moment from which others may have what it held.</summary>
public sealed class SessionEndTests
{
    private const ulong Root = FileSystemClient.Root;
    private const long Second = ClusterWorld.Second;

    /// <summary>Whatever the moment at which the flush comes due: before the end of the session it writes, after it never.</summary>
    [Theory]
    [InlineData(9_000)]
    [InlineData(9_600)]
    [InlineData(9_900)]
    [InlineData(10_500)]
    [InlineData(11_900)]
    [InlineData(12_400)]
    public void NothingThatWaitsIsWrittenOnceTheSessionIsOver(int flushedAfterMillis)
    {
        var world = new ClusterWorld();
        WorldClient one = world.AddClient(ClusterWorld.ClientOptions with { DirtyNanosecondsMax = flushedAfterMillis * ClusterWorld.Millisecond });
        ulong file = one.Fs.Create(Root, "file").Ok().Entry.Nodeid;
        one.Fs.Write(file, 0, "text").Ok();
        world.Network.Cut(one.Host, "mds");
        while (one.Client.Session.ValidNanoseconds > 0)
        {
            world.RunFor(10 * ClusterWorld.Millisecond);
        }

        int writes = world.Chunks.Writes;
        world.RunFor(20 * Second);
        Assert.Equal(writes, world.Chunks.Writes);
        Assert.Equal(0, one.Client.DirtyBytes);
    }

    [Fact]
    public void ASessionEndsWhenItsTimeIsOverAndNotAtTheNextRenewal()
    {
        var world = new ClusterWorld();
        WorldClient one = world.AddClient();
        ulong file = one.Fs.Create(Root, "file").Ok().Entry.Nodeid;
        one.Fs.Write(file, 0, "text").Ok();
        world.Network.Cut(one.Host, "mds");
        while (one.Client.Session.ValidNanoseconds > 0)
        {
            Assert.NotEqual(0ul, one.Client.Session.Id);
            world.RunFor(one.Client.Session.ValidNanoseconds);
        }

        world.RunFor(1);
        Assert.Equal(0ul, one.Client.Session.Id);
        Assert.All(one.Client.Holdings, static held => Assert.Equal(LeaseMode.None, held.Mode));
    }

    [Fact]
    public void WhoseSessionHasEndedBeginsAnotherAndIsToldOfWhatWasLost()
    {
        var world = new ClusterWorld();
        WorldClient one = world.AddClient(ClusterWorld.ClientOptions with { DirtyNanosecondsMax = 60 * Second });
        ulong file = one.Fs.Create(Root, "file").Ok().Entry.Nodeid;
        one.Fs.Write(file, 0, "text").Ok();
        ulong session = one.Client.Session.Id;
        world.Network.Cut(one.Host, "mds");
        world.RunFor(15 * Second);
        world.Network.Heal();
        Assert.Equal(Errno.EIO, one.Fsync(file));
        Assert.Equal(0ul, one.Fs.Getattr(file).Ok().Size);
        one.Fs.Write(file, 0, "again").Ok();
        Assert.NotEqual(session, one.Client.Session.Id);
        WorldClient other = world.AddClient();
        Assert.Equal("again", other.Fs.ReadText(other.Fs.Lookup(Root, "file").Ok().Nodeid));
    }
}
