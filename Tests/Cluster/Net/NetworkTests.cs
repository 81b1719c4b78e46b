using System.Net.Sockets;
using Harness.Cluster.Chunks;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Harness.Runtime;
using Harness.Simulation.Chance;
using Harness.Simulation.Scheduling;
using Mono.Unix.Native;

namespace Harness.Tests.Cluster.Net;

/// <summary>The network seam and what is above it; where it can be, the same body on both sides.</summary>
public sealed class NetworkTests
{
    private const long Second = 1_000_000_000;

    [Fact]
    public async Task CallsAreAnsweredOverSockets()
    {
        using var loop = new EventLoop("test");
        var done = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        Loops.OnLoop(loop, async () => done.SetResult(await Converse(loop, new SocketNetwork(), new SocketNetwork(), new NodeAddress("127.0.0.1", 0))));
        Assert.Equal("ok", await done.Task.WaitAsync(TimeSpan.FromSeconds(30)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void CallsAreAnsweredInSimulation(ulong seed)
    {
        var world = new SimScheduler(new SimSchedulerOptions { Seed = seed, Ties = TieBreak.Seed });
        var network = new SimNetwork(world);
        SimProcess process = world.StartProcess("node");
        SimLoop loop = process.StartLoop("node");
        string? result = null;
        loop.Post(async _ => result = await Converse(loop, network.Attach(process, "a"), network.Attach(process, "b"), new NodeAddress("a", 0)), null);
        world.RunUntil(() => result is not null, "the conversation", 60 * Second);
        Assert.Equal("ok", result);
    }

    [Fact]
    public void ACallThatNobodyAnswersEndsAtItsDeadline()
    {
        var world = new SimScheduler(new SimSchedulerOptions { Seed = 1 });
        var network = new SimNetwork(world);
        SimProcess process = world.StartProcess("node");
        SimLoop loop = process.StartLoop("node");
        RpcReply? reply = null;
        loop.Post(
            async _ =>
            {
                (RpcPeer peer, _) = await Connect(loop, network.Attach(process, "a"), network.Attach(process, "b"), new NodeAddress("a", 0));
                network.Cut("a", "b");
                reply = await peer.Call(300, new byte[4], default, default, Second);
            },
            null);
        world.RunUntil(() => reply is not null, "the end of the call", 10 * Second);
        Assert.Equal(Errno.ETIMEDOUT, reply!.Value.Status);
        Assert.InRange(world.NowNanoseconds, Second, Second + (Second / 10));
    }

    [Fact]
    public void DamagedHeadsAreRefused()
    {
        var random = new SimRandom(1);
        var frame = new byte[FrameHeader.HeaderBytes + 64];
        for (int i = 0; i < 20_000; i++)
        {
            var body = new byte[random.Next(65)];
            random.NextBytes(body);
            int length = FrameCodec.Write(new FrameHeader { Kind = (ushort)random.Next(65_536), Id = random.NextBits() }, body, default, frame);
            Assert.Null(FrameCodec.TryRead(frame.AsSpan(0, length), out _, out int taken));
            Assert.Equal(length, taken);
            frame[random.Next(length)] ^= (byte)(1 << random.Next(8));
            string? wrong = FrameCodec.TryRead(frame.AsSpan(0, length), out _, out taken);
            Assert.True(wrong is not null || taken == 0, $"step {i}: a damaged head was believed");
        }
    }

    [Fact]
    public async Task GarbageClosesItsConnectionAndNothingElse()
    {
        using var loop = new EventLoop("test");
        var echo = new Echo();
        var pool = new PayloadPool(1 << 20);
        var network = new SocketNetwork();
        IListener listener = network.Listen(loop, new NodeAddress("127.0.0.1", 0), connection => _ = new RpcPeer(loop, connection, Hello.Of(NodeRole.Chunks, 1, 1), echo, pool)).Value;
        var random = new SimRandom(7);
        for (int i = 0; i < 50; i++)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync("127.0.0.1", listener.Address.Port);
            var garbage = new byte[64 + random.Next(4096)];
            random.NextBytes(garbage);
            await socket.SendAsync(garbage);
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            // The server's greeting, and then the end.
            var received = new byte[4096];
            int count = 1;
            while (count > 0)
            {
                try
                {
                    count = await socket.ReceiveAsync(received, limit.Token);
                }
                catch (SocketException reset)
                {
                    Assert.Equal(SocketError.ConnectionReset, reset.SocketErrorCode);
                    count = 0;
                }
            }
        }

        var done = new TaskCompletionSource<RpcReply>(TaskCreationOptions.RunContinuationsAsynchronously);
        Loops.OnLoop(loop, async () =>
        {
            var link = new PeerLink(loop, network, listener.Address, Hello.Of(NodeRole.Client, 1, 1), NoRequests.Instance, pool);
            done.SetResult(await (await link.Get())!.Call(300, new byte[4], default, default, 10 * Second));
        });
        Assert.Equal(Errnos.Ok, (await done.Task.WaitAsync(TimeSpan.FromSeconds(30))).Status);
        listener.Dispose();
    }

    private static async Task<string> Converse(ILoop loop, INetwork server, INetwork client, NodeAddress address)
    {
        (RpcPeer peer, Echo echo) = await Connect(loop, server, client, address);
        var random = new SimRandom(1);
        var calls = new List<(byte[] Sent, byte[] Into, Task<RpcReply> Reply)>();
        for (int i = 0; i < 200; i++)
        {
            var sent = new byte[random.Next(3) == 0 ? random.Next(200_000) : random.Next(5000)];
            random.NextBytes(sent);
            var into = new byte[sent.Length];
            calls.Add((sent, into, peer.Call(300, new byte[8], new Payload(sent, null, Crc32C.Compute(sent)), into, 20 * Second).AsTask()));
        }

        foreach ((byte[] sent, byte[] into, Task<RpcReply> call) in calls)
        {
            RpcReply reply = await call;
            if (!reply.IsOk || reply.BodyBytes != 8 || reply.PayloadBytes != sent.Length || !sent.AsSpan().SequenceEqual(into))
            {
                return $"{reply.Status}, {reply.BodyBytes} + {reply.PayloadBytes} bytes for {sent.Length}";
            }
        }

        Task<RpcReply> late = peer.Call(301, new byte[8], default, default, 20 * Second).AsTask();
        peer.Close("the test is over");
        RpcReply lost = await late;
        return lost.Status != Errno.ENOTCONN ? $"a call on a closed connection: {lost.Status}" : echo.Served >= 200 ? "ok" : $"{echo.Served} served";
    }

    private static async Task<(RpcPeer Peer, Echo Echo)> Connect(ILoop loop, INetwork server, INetwork client, NodeAddress address)
    {
        var echo = new Echo();
        var pool = new PayloadPool(64 << 20);
        IListener listener = server.Listen(loop, address, connection => _ = new RpcPeer(loop, connection, Hello.Of(NodeRole.Chunks, 1, 1), echo, pool)).Value;
        Result<IConnection> connection = await client.Connect(loop, listener.Address);
        Assert.Equal(Errnos.Ok, connection.Error);
        return (new RpcPeer(loop, connection.Value, Hello.Of(NodeRole.Client, 2, 1), NoRequests.Instance, pool), echo);
    }

    private sealed class Echo : IRpcHandler
    {
        public int Served { get; private set; }

        public void OnRequest(RpcRequest request)
        {
            Served++;
            if (request.Header.Kind == 301)
            {
                return;
            }

            request.Payload?.AddReference();
            request.Reply(Errnos.Ok, request.Body, new Payload(request.PayloadBytes, request.Payload));
        }

        public void OnDisconnected(RpcPeer peer, string reason)
        {
        }
    }
}
