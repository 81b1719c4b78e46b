using Harness.Cluster.Net;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Tests.Cluster.Metadata;
using Harness.Tests.Experiments.Backends;

namespace Harness.Tests.Cluster.Client;

/// <summary>What a client sent over a connection that has broken since, and that arrives behind what it sent over the next one.</summary>
public sealed class OldConnectionTests
{
    private const ulong Root = FileSystemClient.Root;
    private const long Millisecond = ClusterWorld.Millisecond;

    private readonly ClusterWorld _world = new();
    private readonly WorldClient _one;
    private readonly WorldClient _other;
    private readonly ulong _file;

    public OldConnectionTests()
    {
        (_one, _other) = (_world.AddClient(), _world.AddClient());
        _file = _one.Fs.Create(Root, "file").Ok().Entry.Nodeid;
        _one.Fs.Write(_file, 0, "text").Ok();
        Assert.Equal(Errnos.Ok, _one.Fsync(_file));
    }

    [Fact]
    public void ALeaseGivenBackThereIsNotTakenAwayOnceItWasGrantedAgain()
    {
        // What a file was used for that the kernel does not know its lease is given back, soon. That it is, is held up in the network.
        ulong session = _other.Client.Session.Id;
        SimNetworkOptions network = _world.Network.Options;
        Assert.Equal(4, _other.Read(_file, 8));
        network.LossChance = 1;
        _world.RunFor(11 * Millisecond);
        network.LossChance = 0;

        BreakConnection(_other);
        Assert.Equal(4ul, _other.Fs.Lookup(Root, "file").Ok().Attr.Size);
        Assert.Equal(LeaseMode.Read, _other.Client.Holdings.Single(held => held.Inode == _file).Mode);
        _world.RunFor(network.RetransmitNanoseconds);

        _one.Fs.Write(_file, 4, "more").Ok();
        Assert.Equal(8ul, _other.Fs.Getattr(_file).Ok().Size);
        Assert.Equal(session, _other.Client.Session.Id);
    }

    /// <summary>Breaks a client's connection, of which the metadata server hears only behind what is still on its way there.</summary>
    private void BreakConnection(WorldClient client)
    {
        Task<Result<Kstatfs>>? asked = null;
        _world.Network.Options.ResetChance = 1;
        client.Loop.Post(_ => asked = client.Client.Statfs().AsTask(), null);
        _world.RunFor(Millisecond);
        _world.Network.Options.ResetChance = 0;
        Assert.False(asked!.IsCompleted);
    }
}
