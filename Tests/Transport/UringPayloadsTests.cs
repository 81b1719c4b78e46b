using Harness.Transport.Uring;

namespace Harness.Tests.Transport;

/// <summary>The payload buffers of a ring's entries, in one mapping or in many.</summary>
public sealed unsafe class UringPayloadsTests
{
    public static TheoryData<int, int, bool> Shapes => new()
    {
        { 8, 1 << 20, true },
        { 8, 1 << 20, false },
        { 3, 8192, true },
        { 5, 700 << 10, true },
        { 1, 4 << 20, true },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void EachBufferIsItsOwnWholeAndOnAPageBoundary(int count, int bytesEach, bool mayBeHuge)
    {
        var payloads = new UringPayloads(count, bytesEach, node: null, mayBeHuge);
        for (int i = 0; i < count; i++)
        {
            Assert.Equal(0u, (nuint)payloads.PointerTo(i) % 4096);
            Assert.Equal(bytesEach, payloads.MemoryOf(i).Length);
            payloads.MemoryOf(i).Span.Fill((byte)(i + 1));
        }

        for (int i = 0; i < count; i++)
        {
            var bytes = new ReadOnlySpan<byte>(payloads.PointerTo(i), bytesEach);
            Assert.Equal(-1, bytes.IndexOfAnyExcept((byte)(i + 1)));
        }

        for (int i = 0; i < count; i++)
        {
            payloads.Release(i);
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void ABufferStaysUntilItIsLetGoOfWhateverHappensToTheOthers(int count, int bytesEach, bool mayBeHuge)
    {
        var payloads = new UringPayloads(count, bytesEach, node: null, mayBeHuge);
        byte* last = payloads.PointerTo(count - 1);
        for (int i = 0; i < count - 1; i++)
        {
            payloads.Release(i);
        }

        payloads.MemoryOf(count - 1).Span.Fill(7);
        Assert.Equal(7, last[bytesEach - 1]);
        Assert.True(payloads.PointerTo(count - 1) == last);
        payloads.Release(count - 1);
        Assert.True(payloads.PointerTo(count - 1) != last, "the memory was not given back");
    }
}
