using Harness.Experiments.Fuzz;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.FuseProtocol;

public sealed class FuseNotifierTests
{
    private const InitFlags Everything = (InitFlags)0x7FF_7FFF_FFFF;

    private readonly RecordingSink _sink = new();

    [Fact]
    public void PollSaysWhichHandleIsReady()
    {
        Assert.Equal(Errnos.Ok, Notifier().Poll(44));
        AssertSent(NotifyCode.Poll, "2c00000000000000");
    }

    [Fact]
    public void InvalInodeNamesARange()
    {
        Assert.Equal(Errnos.Ok, Notifier().InvalInode(new NodeId(17), 4096, 8192));
        AssertSent(NotifyCode.InvalInode, "1100000000000000 0010000000000000 0020000000000000");
    }

    [Fact]
    public void InvalAttributesNamesARangeThatIsNone()
    {
        Assert.Equal(Errnos.Ok, Notifier().InvalAttributes(new NodeId(17)));
        AssertSent(NotifyCode.InvalInode, "1100000000000000 ffffffffffffffff 0000000000000000");
    }

    [Fact]
    public void InvalEntryNamesAName()
    {
        Assert.Equal(Errnos.Ok, Notifier().InvalEntry(NodeId.Root, "foo"u8));
        AssertSent(NotifyCode.InvalEntry, "0100000000000000 03000000 00000000", "666f6f00");
        Assert.Equal(Errnos.Ok, Notifier().InvalEntry(NodeId.Root, "foo"u8, InvalEntryFlags.ExpireOnly));
        AssertSent(NotifyCode.InvalEntry, "0100000000000000 03000000 01000000", "666f6f00");
    }

    [Fact]
    public void DeleteNamesANameAndItsChild()
    {
        Assert.Equal(Errnos.Ok, Notifier().Delete(NodeId.Root, new NodeId(17), "foo"u8));
        AssertSent(NotifyCode.Delete, "0100000000000000 1100000000000000 03000000 00000000", "666f6f00");
    }

    [Fact]
    public void StoreCarriesItsData()
    {
        Assert.Equal(Errnos.Ok, Notifier().Store(new NodeId(17), 4096, "hello"u8));
        AssertSent(NotifyCode.Store, "1100000000000000 0010000000000000 05000000 00000000", "68656c6c6f");
    }

    [Fact]
    public void RetrieveCarriesTheNumberThatComesBack()
    {
        Assert.Equal(Errnos.Ok, Notifier().Retrieve(99, new NodeId(17), 4096, 65536));
        AssertSent(NotifyCode.Retrieve, "c600000000000040 1100000000000000 0010000000000000 00000100 00000000");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(99)]
    [InlineData(FuseNotifier.RetrieveNumberMax)]
    public void TheNumberOfARetrieveComesBackWithTheData(ulong number)
    {
        using var world = new SessionWorld(notifications: _sink);
        Assert.Equal(Errnos.Ok, world.Files.Notifier!.Retrieve(number, new NodeId(17), 0, 5));
        ulong unique = BitConverter.ToUInt64(Convert.FromHexString(_sink.Sent[^1].Body));
        Assert.Equal((0UL, 0UL), (unique & 1, unique & Protocol.UniqueResend));
        world.Channel.Deliver(FuseMessage.Build(Opcode.NotifyReply, unique, new NotifyRetrieveIn { Size = 5 }, "hello"u8, nodeId: 17));
        Assert.Equal([$"Retrieved number={number} node=17 offset=0 data=\"hello\""], world.Files.Calls);
    }

    [Fact]
    public void ResendAndIncEpochSayNothing()
    {
        Assert.Equal(Errnos.Ok, Notifier().Resend());
        AssertSent(NotifyCode.Resend, string.Empty);
        Assert.Equal(Errnos.Ok, Notifier().IncEpoch());
        AssertSent(NotifyCode.IncEpoch, string.Empty);
    }

    [Fact]
    public void PruneCarriesItsNodes()
    {
        Assert.Equal(Errnos.Ok, Notifier().Prune([new NodeId(17), new NodeId(18)]));
        AssertSent(NotifyCode.Prune, "02000000 00000000 0000000000000000", "1100000000000000 1200000000000000");
    }

    [Theory]
    [InlineData(31)]
    [InlineData(39)]
    [InlineData(43)]
    [InlineData(44)]
    [InlineData(45)]
    public void WhatAKernelDoesNotHaveIsAnsweredEnosysWithoutAskingIt(uint minor)
    {
        InitFlags offered = InitFlagNames.All.Where(row => row.Minor <= minor).Aggregate(InitFlags.None, (flags, row) => flags | row.Flag);
        FuseNotifier notifier = Notifier(minor, offered);
        Assert.Equal(minor >= 40 ? Errnos.Ok : Errno.ENOSYS, notifier.Resend());
        Assert.Equal(minor >= 44 ? Errnos.Ok : Errno.ENOSYS, notifier.IncEpoch());
        Assert.Equal(minor >= 45 ? Errnos.Ok : Errno.ENOSYS, notifier.Prune([new NodeId(17)]));
        Assert.Equal(minor >= 38 ? Errnos.Ok : Errno.ENOSYS, notifier.InvalEntry(NodeId.Root, "foo"u8, InvalEntryFlags.ExpireOnly));
        int sent = (minor >= 40 ? 1 : 0) + (minor >= 44 ? 1 : 0) + (minor >= 45 ? 1 : 0) + (minor >= 38 ? 1 : 0);
        Assert.Equal(sent, _sink.Sent.Count);
        Assert.Equal(Errnos.Ok, notifier.InvalEntry(NodeId.Root, "foo"u8));
    }

    [Fact]
    public void ArgumentsThatTheKernelWouldRefuseAreNotSent()
    {
        FuseNotifier notifier = Notifier();
        Assert.Equal(Errno.EINVAL, notifier.InvalInode(new NodeId(17), -1, 0));
        Assert.Equal(Errno.EINVAL, notifier.InvalInode(new NodeId(17), 0, -1));
        Assert.Equal(Errno.EINVAL, notifier.InvalEntry(NodeId.Root, ""u8));
        Assert.Equal(Errno.EINVAL, notifier.InvalEntry(NodeId.Root, "a/b"u8));
        Assert.Equal(Errno.EINVAL, notifier.Delete(NodeId.Root, new NodeId(17), "a\0"u8));
        Assert.Equal(Errno.ENAMETOOLONG, notifier.InvalEntry(NodeId.Root, new byte[4096]));
        Assert.Equal(Errno.EINVAL, notifier.Store(new NodeId(17), long.MaxValue, "x"u8));
        Assert.Equal(Errno.EINVAL, notifier.Retrieve(1, new NodeId(17), 0, (1 << 20) + 1));
        Assert.Equal(Errno.EINVAL, notifier.Retrieve(1, new NodeId(17), 1UL << 63, 1));
        Assert.Equal(Errno.EINVAL, notifier.Retrieve(FuseNotifier.RetrieveNumberMax + 1, new NodeId(17), 0, 1));
        Assert.Empty(_sink.Sent);
    }

    [Fact]
    public void TheLongestNameIsSent()
    {
        Assert.Equal(Errnos.Ok, Notifier().InvalEntry(NodeId.Root, Enumerable.Repeat((byte)'x', 4095).ToArray()));
        Assert.Equal(4096, _sink.Sent[^1].Data.Length / 2);
    }

    [Fact]
    public void TheKernelsAnswerIsPassedOn()
    {
        _sink.Answer = Errno.ENOENT;
        Assert.Equal(Errno.ENOENT, Notifier().InvalAttributes(new NodeId(17)));
    }

    [Fact]
    public void AFileSystemGetsItsNotifierBeforeItStarts()
    {
        using var world = new SessionWorld(notifications: _sink, start: false);
        Assert.Null(world.Files.Notifier);
        world.Files.During = () => Assert.NotNull(world.Files.Notifier);
        world.Deliver(GoldenMessages.Init);
        Assert.Empty(world.Observer.Faults);
        Assert.Equal(Errnos.Ok, world.Files.Notifier!.Store(new NodeId(17), 0, "hello"u8));
        Assert.Equal("notify Store 0 24 5", world.Observer.Lines[^1]);
    }

    [Fact]
    public void WithoutAnyoneToCarryThemNotificationsAreAnsweredEnosys()
    {
        using var world = new SessionWorld();
        Assert.Equal(Errno.ENOSYS, world.Files.Notifier!.IncEpoch());
        Assert.Equal("notify IncEpoch ENOSYS 0 0", world.Observer.Lines[^1]);
    }

    private FuseNotifier Notifier(uint minor = 45, InitFlags offered = Everything) => new(
        new NegotiatedInit
        {
            Minor = minor,
            Flags = InitFlags.None,
            Offered = offered,
            Refused = InitFlags.None,
            MaxWrite = 1 << 20,
            MaxReadahead = 0,
            MaxBackground = 1,
            CongestionThreshold = 1,
        },
        _sink);

    private void AssertSent(NotifyCode code, string body, string data = "") =>
        Assert.Equal((code, body.Replace(" ", string.Empty), data.Replace(" ", string.Empty)), _sink.Sent[^1]);

    private sealed class RecordingSink : INotificationSink
    {
        public List<(NotifyCode Code, string Body, string Data)> Sent { get; } = [];

        public Errno Answer { get; set; }

        public Errno Send(NotifyCode code, ReadOnlySpan<byte> body, ReadOnlySpan<byte> data)
        {
            Sent.Add((code, Convert.ToHexStringLower(body), Convert.ToHexStringLower(data)));
            return Answer;
        }
    }
}
