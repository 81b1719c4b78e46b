using System.Buffers.Binary;

namespace Harness.Experiments.Observing.Kernel;

/// <summary>
/// Decodes a page of the kernel's ring buffer as <c>trace_pipe_raw</c> gives it (kernel/trace/ring_buffer.c; <c>events/header_page</c>,
/// <c>events/header_event</c>). The text of <c>trace</c> would be easier to read, but rounds times to microseconds.
/// </summary>
internal static class TracePage
{
    private const int HeaderBytes = 16;
    private const int WordBytes = 4;
    private const int TypeBits = 5;
    private const int DeltaBits = 27;
    private const int Padding = 29;
    private const int TimeExtend = 30;
    private const int TimeStamp = 31;

    // Above the length, two bits tell of events that were lost (RB_MISSED_EVENTS, RB_MISSED_STORED).
    private const uint LengthMask = (1u << 30) - 1;

    // An absolute time stamp has 59 bits; the rest is that of the page.
    private const long StampMask = (1L << 59) - 1;

    /// <summary>Adds the page's events of known tracepoints to a list, and stops at what no kernel writes.</summary>
    public static void Decode(ReadOnlySpan<byte> page, IReadOnlyDictionary<int, EventFormat> formats, List<KernelEvent> events)
    {
        if (page.Length < HeaderBytes)
        {
            return;
        }

        long time = BinaryPrimitives.ReadInt64LittleEndian(page);
        int length = (int)Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(page[8..]) & LengthMask, (uint)(page.Length - HeaderBytes));
        ReadOnlySpan<byte> rest = page.Slice(HeaderBytes, length);
        while (rest.Length >= WordBytes)
        {
            uint head = BinaryPrimitives.ReadUInt32LittleEndian(rest);
            int type = (int)(head & ((1 << TypeBits) - 1));
            long delta = head >> TypeBits;
            rest = rest[WordBytes..];
            uint next = rest.Length >= WordBytes ? BinaryPrimitives.ReadUInt32LittleEndian(rest) : 0;
            switch (type)
            {
                case Padding:
                    // A discarded event; without a delta, the end of the page.
                    time += delta;
                    rest = delta == 0 || next > rest.Length ? default : rest[(int)next..];
                    break;
                case TimeExtend:
                    time += ((long)next << DeltaBits) + delta;
                    rest = Skip(rest, WordBytes);
                    break;
                case TimeStamp:
                    time = (time & ~StampMask) | ((((long)next << DeltaBits) + delta) & StampMask);
                    rest = Skip(rest, WordBytes);
                    break;
                default:
                    time += delta;
                    rest = Take(rest, type, next, time, formats, events);
                    break;
            }
        }
    }

    private static ReadOnlySpan<byte> Take(
        ReadOnlySpan<byte> rest, int type, uint next, long time, IReadOnlyDictionary<int, EventFormat> formats, List<KernelEvent> events)
    {
        // A short event's length stands in its head, in words; a long one's in a word of its own, which it includes.
        int length = type > 0 ? type * WordBytes : (int)Math.Min(next, int.MaxValue);
        if (length > rest.Length || length < WordBytes)
        {
            return default;
        }

        ReadOnlySpan<byte> data = type > 0 ? rest[..length] : rest[WordBytes..length];
        if (data.Length >= sizeof(ushort) && formats.TryGetValue(BinaryPrimitives.ReadUInt16LittleEndian(data), out EventFormat? format) &&
            format.TryRead(time, data, out KernelEvent read))
        {
            events.Add(read);
        }

        return Skip(rest, (length + WordBytes - 1) & ~(WordBytes - 1));
    }

    private static ReadOnlySpan<byte> Skip(ReadOnlySpan<byte> rest, int bytes) => bytes <= rest.Length ? rest[bytes..] : default;
}
