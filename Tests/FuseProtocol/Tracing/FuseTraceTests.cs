using Harness.Experiments.Fuzz;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Tracing;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.FuseProtocol.Tracing;

public sealed class FuseTraceTests
{
    public static TheoryData<string> Golden => [.. GoldenMessages.All.Select(message => message.Name)];

    [Theory]
    [MemberData(nameof(Golden))]
    public void EveryMessageHasItsLine(string name)
    {
        foreach (RequestShape shape in Enum.GetValues<RequestShape>())
        {
            Assert.Equal(TraceLines.Of(name), Trace(GoldenMessages.All.Single(message => message.Name == name), shape));
        }
    }

    [Theory]
    [InlineData("plain", "\"plain\"")]
    [InlineData("Grüße 文 🙂", "\"Grüße 文 🙂\"")]
    [InlineData("a\"b\\c", "\"a\\\"b\\\\c\"")]
    [InlineData("line\nfeed\x7f", "\"line\\x0afeed\\x7f\"")]
    [InlineData("\u001b[31m", "\"\\x1b[31m\"")]
    [InlineData("\u202Etxt\u2028", "\"\\u{202e}txt\\u{2028}\"")]
    public void NamesAreQuotedSoThatALineStaysALine(string name, string expected) =>
        Assert.Equal(expected, MessageField.Quote(System.Text.Encoding.UTF8.GetBytes(name)));

    [Fact]
    public void BytesThatAreNoTextAreShownAsTheyAre() => Assert.Equal("\"a\\xff\\xc3\"", MessageField.Quote([(byte)'a', 0xFF, 0xC3]));

    [Fact]
    public void LongTextsAreCutAndSaySo()
    {
        string quoted = MessageField.Quote(new byte[4095].Select(_ => (byte)'x').ToArray());
        Assert.Equal(1024 + 2 + "+3071".Length, quoted.Length);
        Assert.EndsWith("x\"+3071", quoted);
    }

    [Fact]
    public void AResentRequestKeepsItsNumberAndIsMarked()
    {
        byte[] message = FuseMessage.Build(Opcode.Statfs, 66 | Protocol.UniqueResend);
        Assert.StartsWith("rx unique=66 resend=1 opcode=STATFS ", Trace(new GoldenMessage("resent", message, null), RequestShape.Device));
    }

    [Fact]
    public void AMessageCanBeReadWithoutItsText()
    {
        var seen = new List<MessageDescription>();
        var files = new RecordingFileSystem();
        using var channel = new FakeChannel(new FuseSession(files, new SessionOptions(), new Recorder(seen)), RequestShape.Device);
        channel.Deliver(GoldenMessages.Init.Request);
        seen.Clear();
        channel.Deliver(GoldenMessages.Write.Request);
        channel.Deliver(GoldenMessages.CopyFileRange64.Request);
        channel.Deliver(GoldenMessages.Lookup.Request);

        Assert.Equal([true, false, true, false, true, false], seen.Select(message => message.IsReceived));
        Assert.Equal(
            ("WRITE", 78UL, 17UL, 8192UL, 5UL, 0x8002UL),
            (seen[0].Kind, seen[0].Unique, seen[0].NodeId, seen[0].Offset, seen[0].Size, seen[0].Flags));
        Assert.Equal((16UL, 33UL, 6UL, null), (seen[0]["opcode"], seen[0]["fh"], seen[0]["write_flags"], seen[0]["mode"]));
        Assert.Equal((0UL, 5UL), (seen[1]["error"], seen[1].Size));
        Assert.Equal((4096UL, 5UL << 30), (seen[2].Offset, seen[2].Size));
        Assert.Equal(("name", "\"foo\"", null), (seen[4].Fields[0].Name, seen[4].Fields[0].Text, seen[4].Offset));
        Assert.Equal((17UL, 8192UL, 0x81A4UL), (seen[5].NodeId, seen[5].Size, seen[5]["mode"]));
    }

    [Fact]
    public void NotificationsHaveTheirLines()
    {
        var writer = new StringWriter();
        using var world = new SessionWorld();
        FuseNotifier notifier = new(world.Files.Started!, new Echo(), new FuseTrace(writer));
        notifier.Poll(44);
        notifier.InvalAttributes(new NodeId(17));
        notifier.InvalInode(new NodeId(17), 4096, 8192);
        notifier.InvalEntry(NodeId.Root, "foo"u8, InvalEntryFlags.ExpireOnly);
        notifier.Delete(NodeId.Root, new NodeId(17), "foo"u8);
        notifier.Store(new NodeId(17), 4096, "hello"u8);
        notifier.Retrieve(99, new NodeId(17), 4096, 65536);
        notifier.Resend();
        notifier.IncEpoch();
        notifier.Prune([new NodeId(17), new NodeId(18)]);
        Assert.Equal(
            """
            tx notify=POLL error=ENOENT len=24 kh=44
            tx notify=INVAL_INODE error=ENOENT len=40 nodeid=17 offset=-1 size=0
            tx notify=INVAL_INODE error=ENOENT len=40 nodeid=17 offset=4096 size=8192
            tx notify=INVAL_ENTRY error=ENOENT len=36 nodeid=1 name="foo" flags=EXPIRE_ONLY
            tx notify=DELETE error=ENOENT len=44 nodeid=1 child=17 name="foo"
            tx notify=STORE error=ENOENT len=45 nodeid=17 offset=4096 size=5
            tx notify=RETRIEVE error=ENOENT len=48 nodeid=17 offset=4096 size=65536 number=99
            tx notify=RESEND error=ENOENT len=16
            tx notify=INC_EPOCH error=ENOENT len=16
            tx notify=PRUNE error=ENOENT len=48 count=2

            """,
            writer.ToString());
    }

    [Fact]
    public void RefusalsAndFaultsHaveTheirLines()
    {
        var writer = new StringWriter();
        var files = new RecordingFileSystem();
        using var channel = new FakeChannel(new FuseSession(files, new SessionOptions(), new FuseTrace(writer)), RequestShape.Device);
        channel.Deliver(GoldenMessages.Init.Request);
        writer.GetStringBuilder().Clear();
        files.During = () => throw new IOException("broken");
        channel.Deliver(FuseMessage.Build((Opcode)99, 8));
        channel.Deliver(FuseMessage.Build(Opcode.Statfs, 10));
        string[] lines = writer.ToString().Split('\n');
        Assert.Equal("refused unique=8 opcode=99 nodeid=1 pid=1234 len=40: opcode 99 is unknown", lines[0]);
        Assert.Equal("tx unique=8 opcode=99 error=ENOSYS len=16", lines[1]);
        Assert.Equal("rx unique=10 opcode=STATFS nodeid=1 pid=1234 uid=1000 gid=1001 len=40", lines[2]);
        Assert.Equal("tx unique=10 opcode=STATFS error=EIO len=16", lines[3]);
        Assert.StartsWith("fault unique=10 opcode=STATFS nodeid=1 pid=1234 len=40: System.IO.IOException: broken", lines[4]);
    }

    [Fact]
    public void LinesOfManyThreadsAreWhole()
    {
        const int Count = 4;
        const int Rounds = 200;
        var writer = new StringWriter();
        using var channel = new FakeChannel(new FuseSession(new InstantFileSystem(), new SessionOptions(), new FuseTrace(writer)), RequestShape.Device);
        channel.Deliver(GoldenMessages.Init.Request);
        FakeRequest[] slots = [.. Enumerable.Range(0, Count).Select(_ => channel.Add())];
        Thread[] threads = [.. slots.Select(slot => new Thread(() =>
        {
            for (int round = 0; round < Rounds; round++)
            {
                channel.TryDeliver(GoldenMessages.Read.Request, slot);
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        string[] lines = writer.ToString().TrimEnd('\n').Split('\n')[2..];
        Assert.Equal(2 * Count * Rounds, lines.Length);
        Assert.Equal(TraceLines.Of("Read").TrimEnd('\n').Split('\n').Order(), lines.Distinct().Order());
    }

    [Fact]
    public void ATraceThatCannotBeWrittenDoesNotStopTheFileSystem()
    {
        var trace = new FuseTrace(new FullDisk());
        using var channel = new FakeChannel(new FuseSession(new InstantFileSystem(), new SessionOptions(), trace), RequestShape.Device);
        channel.Deliver(GoldenMessages.Init.Request);
        Assert.Equal(Errnos.Ok, channel.Deliver(GoldenMessages.Read.Request).Error);
        Assert.Equal(4, trace.LinesLost);
    }

    private static string Trace(GoldenMessage golden, RequestShape shape)
    {
        var writer = new StringWriter();
        var files = new RecordingFileSystem { Capabilities = golden == GoldenMessages.SetxattrExtended ? InitFlags.SetxattrExt : 0 };
        using var channel = new FakeChannel(new FuseSession(files, new SessionOptions(), new FuseTrace(writer)), shape);
        if (golden.Opcode != Opcode.Init)
        {
            channel.Deliver(GoldenMessages.Init.Request);
            channel.Agreed = files.Started!.Flags;
            writer.GetStringBuilder().Clear();
        }

        channel.Deliver(golden.Request);
        return writer.ToString();
    }

    private sealed class Recorder(List<MessageDescription> seen) : IFuseObserver
    {
        public void Received(FuseRequest request) => seen.Add(MessageDescription.OfRequest(request));

        public void Replied(FuseRequest request, Errno error, ReadOnlySpan<byte> payload) =>
            seen.Add(MessageDescription.OfReply(in request.Header, error, payload));

        public void Refused(in InHeader header, string reason) => Assert.Fail(reason);

        public void Faulted(in InHeader header, Exception exception) => Assert.Fail(exception.Message);
    }

    private sealed class Echo : INotificationSink
    {
        public Errno Send(NotifyCode code, ReadOnlySpan<byte> body, ReadOnlySpan<byte> data) => Errno.ENOENT;
    }

    private sealed class FullDisk : StringWriter
    {
        public override void WriteLine(string? value) => throw new IOException("no space left");
    }
}
