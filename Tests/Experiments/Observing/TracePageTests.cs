using System.Buffers.Binary;
using Harness.Experiments.Observing.Kernel;
using Harness.Tests.Experiments.Backends;

namespace Harness.Tests.Experiments.Observing;

/// <summary>The kernel's ring buffer, in pages put together as kernel/trace/ring_buffer.c does.</summary>
public sealed class TracePageTests
{
    /// <summary>As Linux 6.18 prints it.</summary>
    private const string SendFormat = """
        name: fuse_request_send
        ID: 1293
        format:
        	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
        	field:unsigned char common_flags;	offset:2;	size:1;	signed:0;
        	field:unsigned char common_preempt_count;	offset:3;	size:1;	signed:0;
        	field:int common_pid;	offset:4;	size:4;	signed:1;

        	field:dev_t connection;	offset:8;	size:4;	signed:0;
        	field:uint64_t unique;	offset:16;	size:8;	signed:0;
        	field:enum fuse_opcode opcode;	offset:24;	size:4;	signed:0;
        	field:uint32_t len;	offset:28;	size:4;	signed:0;

        print fmt: "connection %u req %llu opcode %u (%s) len %u ", REC->connection, REC->unique
        """;

    private const string SwitchFormat = """
        name: sched_switch
        ID: 372
        format:
        	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
        	field:int common_pid;	offset:4;	size:4;	signed:1;

        	field:char prev_comm[16];	offset:8;	size:16;	signed:0;
        	field:pid_t prev_pid;	offset:24;	size:4;	signed:1;
        	field:char next_comm[16];	offset:40;	size:16;	signed:0;
        	field:pid_t next_pid;	offset:56;	size:4;	signed:1;
        """;

    private const int PageBytes = 4096;
    private static readonly EventFormat s_send = EventFormat.Parse(KernelEventKind.RequestSend, SendFormat);
    private static readonly EventFormat s_switch = EventFormat.Parse(KernelEventKind.SwitchIn, SwitchFormat);
    private static readonly Dictionary<int, EventFormat> s_formats = new() { [s_send.Id] = s_send, [s_switch.Id] = s_switch };

    [Fact]
    public void TimesAreThoseOfThePageAndTheDeltasToTheNanosecond()
    {
        byte[] page = Page(1_000_000, Event(7, Send(77, 42)), Event(13, Switch(5, 88)));
        Assert.Equal(
            [new(1_000_007, KernelEventKind.RequestSend, 77, 42), new(1_000_020, KernelEventKind.SwitchIn, 88, 0)], Decode(page));
    }

    [Fact]
    public void AnExtensionOfTimeCountsTowardsTheNextEvent()
    {
        byte[] extend = [.. Word((5u << 5) | 30), .. Word(2)];
        Assert.Equal([new(100 + (2L << 27) + 5 + 1, KernelEventKind.RequestSend, 1, 2)], Decode(Page(100, extend, Event(1, Send(1, 2)))));
    }

    [Fact]
    public void AnAbsoluteTimeStampReplacesTheTime()
    {
        byte[] stamp = [.. Word((9u << 5) | 31), .. Word(3)];
        Assert.Equal([new((3L << 27) + 9 + 1, KernelEventKind.RequestSend, 1, 2)], Decode(Page(100, stamp, Event(1, Send(1, 2)))));
    }

    [Fact]
    public void ALongEventHasItsLengthInAWordOfItsOwn()
    {
        byte[] data = [.. Send(1, 2), .. new byte[100]];
        byte[] longer = [.. Word(4u << 5), .. Word((uint)data.Length + 4), .. data];
        Assert.Equal(2, Decode(Page(0, longer, Event(1, Send(3, 4)))).Count);
    }

    [Fact]
    public void DiscardedEventsAndUnknownTracepointsAreLeftOutButTheirTimeCounts()
    {
        byte[] discarded = [.. Word((50u << 5) | 29), .. Word(12), .. new byte[8]];
        byte[] unknown = Event(50, [.. BitConverter.GetBytes((ushort)9), .. new byte[6]]);
        Assert.Equal([new(101, KernelEventKind.RequestSend, 1, 2)], Decode(Page(0, discarded, unknown, Event(1, Send(1, 2)))));
    }

    [Fact]
    public void PaddingEndsThePage()
    {
        Assert.Empty(Decode(Page(0, Word(29), Event(1, Send(1, 2)))));
    }

    [Fact]
    public void LostEventsAreNoPartOfTheLength()
    {
        byte[] page = Page(0, Event(1, Send(1, 2)));
        // What lies behind the length is of an earlier use of the page.
        Event(1, Send(3, 4)).CopyTo(page, 16 + 4 + 32);
        page[11] |= 0x80;
        Assert.Single(Decode(page));
    }

    [Fact]
    public void BytesThatNoKernelWritesNeitherThrowNorHang() => RandomRun.WithSeed(seed =>
    {
        var random = new Random((int)seed);
        for (int i = 0; i < 2_000; i++)
        {
            var page = new byte[random.Next(PageBytes)];
            random.NextBytes(page);
            Assert.True(Decode(page).Count <= page.Length);
        }
    });

    [Fact]
    public void AFormatWithoutAFieldIsRefusedByName()
    {
        string other = SendFormat.Replace("uint64_t unique", "uint64_t number", StringComparison.Ordinal);
        Assert.Contains("unique", Assert.Throws<FormatException>(() => EventFormat.Parse(KernelEventKind.RequestSend, other)).Message, StringComparison.Ordinal);
        Assert.Throws<FormatException>(() => EventFormat.Parse(KernelEventKind.SwitchIn, SendFormat));
    }

    private static List<KernelEvent> Decode(byte[] page)
    {
        var events = new List<KernelEvent>();
        TracePage.Decode(page, s_formats, events);
        return events;
    }

    private static byte[] Page(long time, params byte[][] events)
    {
        byte[] body = [.. events.SelectMany(bytes => bytes)];
        byte[] page = [.. BitConverter.GetBytes(time), .. BitConverter.GetBytes((long)body.Length), .. body];
        Array.Resize(ref page, PageBytes);
        return page;
    }

    private static byte[] Event(uint delta, byte[] data) => [.. Word((delta << 5) | ((uint)data.Length / 4)), .. data];

    private static byte[] Send(int thread, ulong unique)
    {
        var data = new byte[32];
        BinaryPrimitives.WriteUInt16LittleEndian(data, 1293);
        BinaryPrimitives.WriteInt32LittleEndian(data.AsSpan(4), thread);
        BinaryPrimitives.WriteUInt64LittleEndian(data.AsSpan(16), unique);
        return data;
    }

    private static byte[] Switch(int from, int to)
    {
        var data = new byte[64];
        BinaryPrimitives.WriteUInt16LittleEndian(data, 372);
        BinaryPrimitives.WriteInt32LittleEndian(data.AsSpan(4), from);
        BinaryPrimitives.WriteInt32LittleEndian(data.AsSpan(56), to);
        return data;
    }

    private static byte[] Word(uint value) => BitConverter.GetBytes(value);
}
