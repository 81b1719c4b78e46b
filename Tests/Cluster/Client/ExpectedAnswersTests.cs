using Google.Protobuf;
using Harness.Cluster.Chunks.Client;
using Harness.Cluster.Client;
using Harness.Cluster.Net;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.Simulation.Scheduling;
using Harness.Tests.Cluster.Chunks;
using Harness.Tests.Cluster.Metadata;
using Harness.Tests.Cluster.Net;
using Mono.Unix.Native;

namespace Harness.Tests.Cluster.Client;

/// <summary>For which answers a client's loop is told to look instead of sleeping: those that a server has at hand.</summary>
public sealed class ExpectedAnswersTests
{
    // Not the default, so that it shows whose it is.
    private const long Expect = 123_456;
    private const int Block = 4096;
    private const int Large = 64 << 10;

    private static readonly Dictionary<string, MetadataRequest> s_fromMemory = new()
    {
        ["LookUp"] = new() { LookUp = new() { Parent = NodeId.Root.Value, Name = ByteString.CopyFromUtf8("absent") } },
        ["GetAttributes"] = new() { GetAttributes = NodeId.Root.Value },
        ["ListNames"] = new() { ListNames = new() { Directory = NodeId.Root.Value, Count = 10 } },
        ["Acquire"] = new() { Acquire = new() { Inode = NodeId.Root.Value, Mode = LeaseMode.Read } },
        ["Statfs"] = new() { Statfs = new() },
        ["TestLock"] = new() { TestLock = LockOfRoot() },
    };

    private static readonly Dictionary<string, MetadataRequest> s_whenItIsDone = new()
    {
        ["WaitLock"] = new() { WaitLock = new() { Lock = LockOfRoot(), Number = 1 } },
        ["Sync"] = new() { Sync = new() },
        ["Renew"] = new() { Renew = new() },
    };

    public static TheoryData<string> FromMemory => [.. s_fromMemory.Keys];

    public static TheoryData<string> WhenItIsDone => [.. s_whenItIsDone.Keys];

    [Theory]
    [MemberData(nameof(FromMemory))]
    public void WhatTheMetadataServerHasInMemoryIsExpected(string request) =>
        Assert.Equal([Expect], ExpectedOf(session => session.Call(s_fromMemory[request].Clone())));

    [Theory]
    [MemberData(nameof(WhenItIsDone))]
    public void WhatTheMetadataServerWaitsForIsNotExpected(string request) =>
        Assert.Empty(ExpectedOf(session => session.Call(s_whenItIsDone[request].Clone())));

    [Fact]
    public void AChangeIsExpectedAndSoIsALockThatIsNotWaitedFor()
    {
        var make = new Make { Parent = NodeId.Root.Value, Name = ByteString.CopyFromUtf8("new"), Mode = 0x41ED };
        Assert.Equal([Expect], ExpectedOf(session => session.Mutate(new Command { Make = make })));
        Assert.Equal([Expect], ExpectedOf(session => session.Mutate(new Command { SetLock = LockOfRoot() })));
    }

    [Theory]
    [InlineData(Block, true)]
    [InlineData(Large, false)]
    public void OnlySmallReadsAndWritesOfChunksAreExpected(int bytes, bool areExpected)
    {
        long[] expected = areExpected ? [Expect] : [];
        var world = new SimChunkWorld(1);
        SimProcess process = world.World.StartProcess("expecting");
        SimLoop own = process.StartLoop("expecting");
        var loop = new ExpectingLoop(own);
        var client = new ChunkClient(
            loop, loop.Of(world.Network.Attach(process, "expecting")), world, Hello.Of(NodeRole.Client, 200, 1), new PayloadPool(1 << 20),
            new ChunkClientOptions { ExpectNanoseconds = Expect });
        ChunkHandle chunk = null!;
        world.Run(async () =>
        {
            await world.StartAll();
            chunk = await world.Create(7, 0, 1, 2);
        });
        byte[] data = ChainTests.Bytes(1, bytes);
        // A first write is answered by the head, while the way to the tail is being made.
        Assert.Equal(Errnos.Ok, OnLoop(() => client.Write(chunk, 0, data)));
        loop.Expected.Clear();
        Assert.Equal(Errnos.Ok, OnLoop(() => client.Write(chunk, 0, data)));
        Assert.Equal(expected, loop.Expected);
        loop.Expected.Clear();
        byte[] read = new byte[bytes];
        Assert.Equal(Errnos.Ok, OnLoop(() => client.Read(chunk, 0, read)));
        Assert.Equal(expected, loop.Expected);
        Assert.Equal(data, read);

        Errno OnLoop(Func<ValueTask<Errno>> body)
        {
            Task<Errno>? task = null;
            own.Post(_ => task = body().AsTask(), null);
            world.World.RunUntil(() => task is { IsCompleted: true }, "the end of a call", world.World.NowNanoseconds + (60 * SimChunkWorld.Second));
            return task!.Result;
        }
    }

    /// <summary>What a session's loop is told to expect by one request, on a session that is open.</summary>
    private static List<long> ExpectedOf(Func<MetadataSession, Task<MetadataReply>> request)
    {
        var world = new ClusterWorld();
        SimProcess process = world.Scheduler.StartProcess("expecting");
        SimLoop own = process.StartLoop("expecting");
        var loop = new ExpectingLoop(own);
        var session = new MetadataSession(
            loop, loop.Of(world.Network.Attach(process, "expecting")), ClusterWorld.ClientOptions with { ExpectNanoseconds = Expect }, new Nobody(),
            new PayloadPool(1 << 20));
        Assert.Equal(Errnos.Ok, world.OnLoop(own, async () => await session.Open()));
        loop.Expected.Clear();
        MetadataReply reply = world.OnLoop(own, () => request(session));
        Assert.NotEqual((uint)Errno.EIO, reply.Errno);
        return loop.Expected;
    }

    private static SetLock LockOfRoot() => new()
    {
        Inode = NodeId.Root.Value,
        Owner = 1,
        Range = new LockRange { Start = 0, End = 10, Type = (uint)LockType.F_WRLCK },
    };

    /// <summary>Whoever has a session and caches nothing.</summary>
    private sealed class Nobody : ISessionOwner
    {
        public IEnumerable<Holding> Holdings => [];

        public void SessionLost()
        {
        }

        public ValueTask<RecallReply> Recall(Recall recall) => new(new RecallReply());

        public void SuffixLost()
        {
        }
    }
}
