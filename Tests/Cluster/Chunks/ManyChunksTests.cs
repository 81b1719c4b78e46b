using System.Runtime.InteropServices;
using Harness.Cluster.Chunks;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Tests.Cluster.Chunks;

/// <summary>What the metadata server asks for many chunks at once.</summary>
public sealed class ManyChunksTests
{
    private static readonly ulong[] s_ids = [11, 12, 13];

    [Fact]
    public void ChunksThatWereMadeTogetherServeAndAreRemovedTogether()
    {
        var world = new SimChunkWorld(1, servers: 1);
        world.Run(async () =>
        {
            await world.StartAll();
            Assert.Equal(Errnos.Ok, await Tell(world, ChunkKind.CreateAll, s_ids, ChainOf(world)));

            // Asked again, since the answer was lost.
            Assert.Equal(Errnos.Ok, await Tell(world, ChunkKind.CreateAll, s_ids, ChainOf(world)));
            foreach (ulong id in s_ids)
            {
                Assert.Equal(Errnos.Ok, await Query(world, id));
            }

            Assert.Equal(Errnos.Ok, await Tell(world, ChunkKind.DeleteAll, s_ids, []));
            Assert.Equal(Errno.ENOENT, await Query(world, s_ids[0]));
            Assert.Equal(Errnos.Ok, await Tell(world, ChunkKind.DeleteAll, s_ids, []));
        });
    }

    [Theory]
    [InlineData(ChunkKind.CreateAll)]
    [InlineData(ChunkKind.DeleteAll)]
    public void AListThatIsNotAsLongAsItSaysIsRefused(ushort kind)
    {
        var world = new SimChunkWorld(1, servers: 1);
        world.Run(async () =>
        {
            await world.StartAll();
            byte[] ids = MemoryMarshal.AsBytes<ulong>(s_ids).ToArray();
            foreach (uint count in (uint[])[4, 65, uint.MaxValue])
            {
                Assert.Equal(Errno.EINVAL, (await world.Tell(0, kind, new ChunkRequest { Version = 1, Length = count }, ids)).Status);
            }

            Assert.Equal(Errno.ENOENT, await Query(world, s_ids[0]));
        });
    }

    private static byte[] ChainOf(SimChunkWorld world) => new Chain(1, [new ChainMember(1, world.Servers[0].Address)]).ToPayload();

    private static async Task<Errno> Tell(SimChunkWorld world, ushort kind, ulong[] ids, byte[] chain) =>
        (await world.Tell(0, kind, new ChunkRequest { Version = 1, Length = (uint)ids.Length }, [.. MemoryMarshal.AsBytes<ulong>(ids), .. chain])).Status;

    private static async Task<Errno> Query(SimChunkWorld world, ulong id) =>
        (await world.Tell(0, ChunkKind.Query, new ChunkRequest { Chunk = id, Version = 1 })).Status;
}
