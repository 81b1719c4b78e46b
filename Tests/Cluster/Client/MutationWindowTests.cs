using Harness.Cluster;
using Harness.Cluster.Client;
using Harness.Cluster.Metadata.Server;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.Tests.Cluster.Metadata;
using Harness.Tests.Experiments.Backends;
using Mono.Unix.Native;

namespace Harness.Tests.Cluster.Client;

/// <summary>A change that takes long, and many others that overtake it.</summary>
public sealed class MutationWindowTests
{
    private const ulong Root = FileSystemClient.Root;
    private const int RememberedMax = 8;

    /// <summary>
    /// Files were removed while a chunk server flushed, and unlink(2) failed with EAGAIN: the allocation that waited for the server was older than
    /// 4,096 removals, whose outcomes are remembered until it has its answer.
    /// </summary>
    [Theory]
    [InlineData(2048)]
    [InlineData(RememberedMax / 2)]
    public void NobodyIsToldOfAChangeThatOthersHaveOvertaken(int window)
    {
        var world = new ClusterWorld(options: new MetadataServerOptions { Limits = new() { ChunkBytes = 4096, RememberedMax = RememberedMax } });
        ClusterClientOptions options = ClusterWorld.ClientOptions with { MutationsMax = window };
        WorldClient one = world.AddClient(options);
        WorldClient holder = world.AddClient();
        ulong file = holder.Fs.Create(Root, "held").Ok().Entry.Nodeid;
        holder.Fs.Write(file, 0, "text").Ok();
        Assert.Equal(file, one.Fs.Lookup(Root, "held").Ok().Nodeid);

        ulong own = one.Fs.Mkdir(Root, "own").Ok().Nodeid;

        // Its lease is recalled in vain until its session has ended.
        world.Network.Cut(holder.Host, "mds");
        Errno? truncated = null;
        one.Loop.Post(_ => Truncate().Watch(), null);
        world.RunFor(ClusterWorld.Millisecond);
        Assert.Null(truncated);
        for (int i = 0; i < 4 * RememberedMax; i++)
        {
            one.Fs.Mkdir(own, $"directory {i}").Ok();
        }

        Assert.Equal(Errnos.Ok, truncated);

        async Task Truncate() =>
            truncated = (Errno)(await one.Client.Session.Mutate(new Command { SetAttributes = new SetAttributes { Inode = file, Size = 0 } })).Errno;
    }
}
