using Harness.Experiments.Fuzz;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Tests.Mounts;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Keeping;

/// <summary>Nodes survive their daemon: those that are kept open, and those beyond the limit of descriptors, which have a handle only.</summary>
public sealed class KeptNodeTests
{
    [RealMountTheory]
    [InlineData(null)]
    [InlineData(1)]
    public void ANodeIsTheSameFileAfterwardsWhateverItsNameIs(int? openNodesMax)
    {
        using var world = new KeptWorld(openNodesMax);
        File.WriteAllText(world.Host("old"), "content");
        ulong node = world.Lookup("old");
        File.Move(world.Host("old"), world.Host("new"));
        File.WriteAllText(world.Host("old"), "another file");
        world.HandOver();
        Assert.Equal(7U, world.Ask(unique => FuseMessage.Build(Opcode.Getattr, unique, default(GetattrIn), default, node)).As<AttrOut>().Attr.Size);
        Assert.Equal(node, world.Lookup("new"));
        Assert.NotEqual(node, world.Lookup("old"));
        world.Drain();
        Assert.Equal(openNodesMax ?? 3, world.Shelf.Count);
    }

    [RealMountTheory]
    [InlineData(null)]
    [InlineData(1)]
    public void LookupsOfBothDaemonsAreForgottenTogether(int? openNodesMax)
    {
        using var world = new KeptWorld(openNodesMax);
        File.WriteAllText(world.Host("file"), "content");
        ulong node = world.Lookup("file");
        world.Lookup("file");
        world.HandOver();
        world.Lookup("file");
        world.Files.Forget(new NodeId(node), 2);
        Assert.Equal(2, world.Files.NodeCount);
        world.Files.Forget(new NodeId(node), 1);
        Assert.Equal(1, world.Files.NodeCount);
        Assert.Equal(1, world.SlotsFilled);
        Assert.Equal(Errno.ESTALE, world.Ask(unique => FuseMessage.Build(Opcode.Getattr, unique, default(GetattrIn), default, node)).Error);
    }

    [RealMountFact]
    public void NodeIdsAreNeverGivenOutTwice()
    {
        using var world = new KeptWorld();
        File.WriteAllText(world.Host("a"), "content");
        File.WriteAllText(world.Host("b"), "content");
        ulong first = world.Lookup("a");
        world.Files.Forget(new NodeId(first), 1);
        world.HandOver();
        Assert.True(world.Lookup("b") > first);
    }
}
