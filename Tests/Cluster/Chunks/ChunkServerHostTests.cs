using System.Globalization;
using Harness.Cluster.Chunks;
using Harness.Cluster.Chunks.Client;
using Harness.Cluster.Chunks.Server;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Harness.Runtime;
using Mono.Unix.Native;

namespace Harness.Tests.Cluster.Chunks;

/// <summary>Chunk servers with real sockets, real files and real loops.</summary>
public sealed class ChunkServerHostTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("harness-cs").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task WhatWasAcknowledgedIsThereAfterAServerEndedWithoutWarning()
    {
        byte[] data = ChainTests.Bytes(1, 300_000);
        using (ChunkServerHost first = await Start(1, "a"))
        {
            Assert.Equal(Errnos.Ok, await Use(first, create: true, async (client, chunk) => await client.Write(chunk, 5000, data)));
        }

        using ChunkServerHost second = await Start(1, "a");
        var read = new byte[data.Length];
        Assert.Equal(Errnos.Ok, await Use(second, create: false, async (client, chunk) => await client.Read(chunk, 5000, read)));
        Assert.Equal(data, read);
        Assert.Equal(Errnos.Ok, await second.Stop());
    }

    [Fact]
    public async Task ADirectoryOfAnotherServerIsRefused()
    {
        using (await Start(1, "a"))
        {
            Result<ChunkServerHost> other = await ChunkServerHost.Start(Path.Combine(_directory, "a"), null, Options(2));
            Assert.Equal(Errno.EUCLEAN, other.Error);
        }
    }

    [Fact]
    public async Task AServerWhoseClockWentBackIsInALaterLifeAllTheSame()
    {
        using (await Start(1, "a"))
        {
        }

        string path = Path.Combine(_directory, "a", "server");
        string[] words = (await File.ReadAllTextAsync(path)).Split(' ');
        ulong later = ulong.Parse(words[2], CultureInfo.InvariantCulture) + (ulong)TimeSpan.FromDays(1000).Ticks;
        await File.WriteAllTextAsync(path, $"{words[0]} {words[1]} {later}\n");
        using ChunkServerHost next = await Start(1, "a");
        Assert.Equal(later + 1, await next.Run(static server => Task.FromResult(server.Report().Incarnation)));
    }

    [Fact]
    public async Task AnAddressInUseIsRefused()
    {
        using ChunkServerHost first = await Start(1, "a");
        Result<ChunkServerHost> second = await ChunkServerHost.Start(Path.Combine(_directory, "b"), null, Options(2) with { Listen = first.Address });
        Assert.Equal(Errno.EADDRINUSE, second.Error);
    }

    private static ChunkServerOptions Options(ulong id) =>
        new() { ServerId = id, Listen = new NodeAddress("127.0.0.1", 0), Store = new() { SegmentBytes = 4 << 20, ChunkBytesMax = 1 << 20, ReserveBytes = 0 } };

    private async Task<ChunkServerHost> Start(ulong id, string name)
    {
        Result<ChunkServerHost> host = await ChunkServerHost.Start(Path.Combine(_directory, name), null, Options(id));
        Assert.Equal(Errnos.Ok, host.Error);
        return host.Value;
    }

    private static async Task<Errno> Use(ChunkServerHost host, bool create, Func<ChunkClient, ChunkHandle, Task<Errno>> body)
    {
        using var loop = new EventLoop("client");
        var done = new TaskCompletionSource<Errno>(TaskCreationOptions.RunContinuationsAsynchronously);
        Loops.OnLoop(loop, async () =>
        {
            var pool = new PayloadPool(8 << 20);
            var network = new SocketNetwork();
            var chain = new Chain(create ? 1u : 2u, [new ChainMember(1, host.Address)]);
            var link = new PeerLink(loop, network, host.Address, Hello.Of(NodeRole.Metadata, 1, 1), NoRequests.Instance, pool);
            RpcPeer peer = (await link.Get())!;
            var message = new ChunkRequest { Chunk = 5, Version = chain.Version };
            RpcReply made = create ? await peer.Call(ChunkKind.Create, message, default, default, 10_000_000_000) : default;
            RpcReply set = await peer.Call(ChunkKind.SetChain, message, new Payload(chain.ToPayload()), default, 10_000_000_000);
            var handle = new ChunkHandle(new ChunkId(5), chain);
            var client = new ChunkClient(loop, network, new Fixed(), Hello.Of(NodeRole.Client, 3, 1), pool);
            done.SetResult(!made.IsOk ? made.Status : !set.IsOk ? set.Status : await body(client, handle));
        });
        return await done.Task.WaitAsync(TimeSpan.FromSeconds(60));
    }

    private sealed class Fixed : IChainSource
    {
        public ValueTask<bool> Refresh(ChunkHandle chunk) => new(true);
    }
}
