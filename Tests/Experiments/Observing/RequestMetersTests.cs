using Harness.Experiments.Fuzz;
using Harness.Experiments.Observing;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Tests.FuseProtocol;

namespace Harness.Tests.Experiments.Observing;

/// <summary>What a session's slots count and record.</summary>
public sealed class RequestMetersTests : IDisposable
{
    private const int ReadBytes = 4096;
    private static readonly byte[] s_read = FuseMessage.Build(Opcode.Read, 4, new ReadIn { Size = ReadBytes });

    private readonly RequestMeters _meters = new();
    private readonly FakeChannel _channel;

    public RequestMetersTests()
    {
        _channel = new FakeChannel(new FuseSession(new InstantFileSystem(), new SessionOptions(), meters: _meters.AddSlot), RequestShape.Device);
        _channel.Deliver(FuseMessage.Init(Protocol.Minor, SessionOptions.Default));
    }

    public void Dispose() => _channel.Dispose();

    [Fact]
    public void EveryRequestIsCountedWithItsBytes()
    {
        const int requests = 100;
        Deliver(s_read, requests);
        OpcodeCounts read = CountsOf(Opcode.Read);
        Assert.Equal(requests, read.Requests);
        Assert.Equal(0, read.Errors);
        Assert.Equal(requests * s_read.Length, read.BytesIn);
        Assert.Equal(requests * (OutHeader.Size + ReadBytes), read.BytesOut);
    }

    [Fact]
    public void ErrorsAreCountedApart()
    {
        Deliver(FuseMessage.Build(Opcode.Statfs, 4), 3);
        OpcodeCounts statfs = CountsOf(Opcode.Statfs);
        Assert.Equal((3, 3), (statfs.Requests, statfs.Errors));
    }

    [Fact]
    public void WhatTakesNoReplyIsCountedAndSendsNoBytes()
    {
        Deliver(FuseMessage.Build(Opcode.Forget, 4, new ForgetIn { Nlookup = 1 }), 2);
        OpcodeCounts forget = CountsOf(Opcode.Forget);
        Assert.Equal((2, 0), (forget.Requests, forget.BytesOut));
    }

    [Fact]
    public void OfEachOpcodeTheFirstRequestAndOneInThirtyOneIsTimed()
    {
        byte[] getattr = FuseMessage.Build(Opcode.Getattr, 4, default(GetattrIn));
        for (int i = 0; i < 2 * SlotCounters.TimedOneIn; i++)
        {
            Deliver(s_read, 1);
            Deliver(getattr, 1);
        }

        Deliver(s_read, 1);
        Assert.Equal(3, CountsOf(Opcode.Read).Latencies.Sum());
        Assert.Equal(2, CountsOf(Opcode.Getattr).Latencies.Sum());
    }

    [Fact]
    public void CountsOfAllSlotsAddUp()
    {
        const int slots = 5;
        for (int i = 1; i <= slots; i++)
        {
            using var channel = new FakeChannel(
                new FuseSession(new InstantFileSystem(), new SessionOptions(), meters: _meters.AddSlot), RequestShape.Ring);
            channel.Deliver(FuseMessage.Init(Protocol.Minor, SessionOptions.Default));
            for (int request = 0; request < i; request++)
            {
                channel.Deliver(s_read);
            }
        }

        Assert.Equal(slots * (slots + 1) / 2, CountsOf(Opcode.Read).Requests);
    }

    [Fact]
    public void NothingIsRecordedUnlessAskedFor()
    {
        Deliver(s_read, 100);
        Assert.Null(_meters.Recording);
        _meters.StartRecording();
        Assert.Empty(_meters.StopRecording());
    }

    [Fact]
    public void ARecordingHasEveryRequestWithItsStagesInOrder()
    {
        _meters.StartRecording();
        for (ulong unique = 10; unique < 20; unique++)
        {
            _channel.Deliver(FuseMessage.Build(Opcode.Read, unique, new ReadIn { Size = ReadBytes }));
        }

        StageRecord[] records = _meters.StopRecording();
        Assert.Equal(Enumerable.Range(10, 10).Select(unique => (ulong)unique), records.Select(record => record.Unique));
        Assert.All(records, record =>
        {
            Assert.Equal(Opcode.Read, record.Opcode);
            Assert.Equal(record.ReceivedBy, record.AnsweredBy);
            Assert.True(record.Received <= record.Dispatched && record.Dispatched <= record.Answered && record.Answered <= record.Sent);
        });
        Deliver(s_read, 1);
        Assert.Empty(_meters.StopRecording().Skip(records.Length));
    }

    [Fact]
    public void AFullRecordingTakesNoMore()
    {
        _meters.StartRecording();
        Deliver(s_read, StageRecording.Capacity + 10);
        Assert.Equal(StageRecording.Capacity, _meters.Recording!.Count);
        Assert.Equal(StageRecording.Capacity, _meters.StopRecording().Length);
    }

    [Fact]
    public void ATicketOfAnEarlierRecordingWritesNothingIntoTheNext()
    {
        var recording = new StageRecording();
        recording.Clear();
        long late = recording.Add(new StageRecord { Unique = 2 });
        recording.Clear();
        long own = recording.Add(new StageRecord { Unique = 4 });
        recording.Sent(late, 1);
        Assert.Equal(0, recording.Take()[0].Sent);
        recording.Sent(own, 2);
        Assert.Equal(2, recording.Take()[0].Sent);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void CountingAndRecordingAllocateNothing(bool isRecording)
    {
        const int requests = 10_000;
        FakeRequest slot = _channel.Slots[0];
        void Deliver()
        {
            for (int i = 0; i < requests; i++)
            {
                _channel.TryDeliver(s_read, slot);
            }
        }

        Deliver();
        if (isRecording)
        {
            _meters.StartRecording();
        }

        Deliver();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Deliver();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private void Deliver(byte[] message, int times)
    {
        for (int i = 0; i < times; i++)
        {
            Assert.True(_channel.TryDeliver(message, _channel.Slots[0]));
        }
    }

    private OpcodeCounts CountsOf(Opcode opcode) => _meters.Count().Single(counts => counts.Opcode == opcode);
}
