using Harness.Experiments.Fuzz;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Tracing;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.FuseProtocol.Tracing;

public sealed class FaultLogTests : IDisposable
{
    private readonly StringWriter _writer = new();
    private readonly ManualTime _time = new();

    [Fact]
    public void OnlyRefusalsAndFaultsAreWritten()
    {
        var log = new FaultLog(_writer, _time);
        var files = new RecordingFileSystem();
        using var channel = new FakeChannel(new FuseSession(files, new SessionOptions(), log), RequestShape.Device);
        channel.Deliver(GoldenMessages.Init.Request);
        channel.Deliver(GoldenMessages.Lookup.Request);
        channel.Deliver(GoldenMessages.LookupMissing.Request);
        Assert.Equal(string.Empty, _writer.ToString());

        channel.Deliver(FuseMessage.Build(Opcode.Mkdir, 8));
        files.During = () => throw new IOException("broken");
        channel.Deliver(FuseMessage.Build(Opcode.Statfs, 10));
        Assert.StartsWith("refused unique=8 opcode=MKDIR nodeid=1 pid=1234 len=40: the message is shorter", Lines()[0]);
        Assert.StartsWith("fault unique=10 opcode=STATFS nodeid=1 pid=1234 len=40: System.IO.IOException: broken", Lines()[1]);
        Assert.Equal((1, 1, 0), (log.Refusals, log.Faults, log.LinesLost));
    }

    [Fact]
    public void LinesOfASecondAreBoundedAndTheRestIsCounted()
    {
        var log = new FaultLog(_writer, _time);
        Refuse(log, FaultLog.LinesPerSecondMax + 5);
        Assert.Equal(FaultLog.LinesPerSecondMax, Lines().Length);

        _time.Advance(TimeSpan.FromSeconds(1));
        Refuse(log, 1);
        Assert.Equal(["(5 lines left out)", "refused unique=0 opcode=LOOKUP nodeid=0 pid=0 len=0: because"], Lines()[^2..]);
        Assert.Equal(FaultLog.LinesPerSecondMax + 6, log.Refusals);
    }

    [Fact]
    public void LinesInAllAreBounded()
    {
        var log = new FaultLog(_writer, _time);
        for (int second = 0; second < (FaultLog.LinesMax / FaultLog.LinesPerSecondMax) + 10; second++)
        {
            Refuse(log, FaultLog.LinesPerSecondMax);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(FaultLog.LinesMax + 1, Lines().Length);
        Assert.Equal($"(this was line {FaultLog.LinesMax}, the last)", Lines()[^1]);
        Assert.Equal(FaultLog.LinesMax + (10 * FaultLog.LinesPerSecondMax), log.Refusals);
    }

    [Fact]
    public void AClosedWriterIsNoFault()
    {
        var writer = new StreamWriter(new MemoryStream());
        writer.Dispose();
        var log = new FaultLog(writer, _time);
        Refuse(log, 2);
        Assert.Equal((2, 2), (log.Refusals, log.LinesLost));
    }

    [Fact]
    public void ObserversAreToldInTurn()
    {
        var first = new RecordingObserver();
        var second = new RecordingObserver();
        IFuseObserver both = ObserverSet.Of(first, null, second)!;
        using var channel = new FakeChannel(new FuseSession(new RecordingFileSystem(), new SessionOptions(), both), RequestShape.Device);
        channel.Deliver(GoldenMessages.Init.Request);
        channel.Deliver(FuseMessage.Build(Opcode.Mkdir, 8));
        both.Notified(NotifyCode.Poll, Errno.ENOENT, default, default);
        both.Faulted(default, new IOException("broken"));
        foreach (RecordingObserver observer in new[] { first, second })
        {
            Assert.Equal(["rx Init", "tx Init 0 64", "tx Mkdir EPROTO 0", "notify Poll ENOENT 0 0"], observer.Lines);
            Assert.Equal((1, 1), (observer.Refusals.Count, observer.Faults.Count));
        }
    }

    [Fact]
    public void ASetOfOneIsThatOneAndASetOfNoneIsNone()
    {
        var one = new RecordingObserver();
        Assert.Same(one, ObserverSet.Of(null, one));
        Assert.Null(ObserverSet.Of(null, null));
        Assert.Null(ObserverSet.Of());
    }

    public void Dispose() => _writer.Dispose();

    private static void Refuse(FaultLog log, int times)
    {
        for (int i = 0; i < times; i++)
        {
            log.Refused(new InHeader { Opcode = Opcode.Lookup }, "because");
        }
    }

    private string[] Lines() => [.. _writer.ToString().Split('\n').Where(line => line.Length > 0 && !line.StartsWith(' '))];

    private sealed class ManualTime : TimeProvider
    {
        private long _timestamp = 1_000_000;

        public override long TimestampFrequency => 1000;

        public override long GetTimestamp() => _timestamp;

        public void Advance(TimeSpan time) => _timestamp += (long)time.TotalMilliseconds;
    }
}
