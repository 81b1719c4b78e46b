using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Harness.Cluster.Chunks;

/// <summary>CRC32C, the Castagnoli polynomial (RFC 3720, appendix B.4), by the processor's instruction where it has one.</summary>
/// <remarks>
/// The instruction takes three cycles and can begin one every cycle, so a block is summed in three lanes that are joined at the end
/// (Gopal et al., "Fast CRC computation for iSCSI polynomial using CRC32 instruction", Intel 2011). A checksum is linear over GF(2): that of two
/// pieces is the first's, shifted by the second's length, added to the second's, which is how a payload's checksum follows from its blocks'.
/// </remarks>
internal static class Crc32C
{
    /// <summary>The block that <see cref="ShiftBlock"/> shifts by.</summary>
    public const int BlockBytes = 4096;

    private const int LaneBytes = 1360;

    private static readonly uint[] s_shiftLane = MakeShift(LaneBytes);
    private static readonly uint[] s_shiftBlock = MakeShift(BlockBytes);

    /// <summary>The checksum of some bytes.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes) => ~Update(uint.MaxValue, bytes);

    /// <summary>The checksum of what <paramref name="first"/> sums, followed by a block of 4 KiB that <paramref name="block"/> sums.</summary>
    public static uint Join(uint first, uint block) => ShiftBlock(first) ^ block;

    private static uint ShiftBlock(uint crc) => Shift(s_shiftBlock, crc);

    // Compiled in full at once: without it the first seconds of a process spend more on checksums than on all else.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static uint Update(uint crc, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= 3 * LaneBytes)
        {
            ReadOnlySpan<ulong> one = MemoryMarshal.Cast<byte, ulong>(bytes[..LaneBytes]);
            ReadOnlySpan<ulong> two = MemoryMarshal.Cast<byte, ulong>(bytes.Slice(LaneBytes, LaneBytes));
            ReadOnlySpan<ulong> three = MemoryMarshal.Cast<byte, ulong>(bytes.Slice(2 * LaneBytes, LaneBytes));
            uint second = 0;
            uint third = 0;
            for (int i = 0; i < one.Length && i < two.Length && i < three.Length; i++)
            {
                crc = BitOperations.Crc32C(crc, one[i]);
                second = BitOperations.Crc32C(second, two[i]);
                third = BitOperations.Crc32C(third, three[i]);
            }

            crc = Shift(s_shiftLane, Shift(s_shiftLane, crc) ^ second) ^ third;
            bytes = bytes[(3 * LaneBytes)..];
        }

        foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(bytes))
        {
            crc = BitOperations.Crc32C(crc, word);
        }

        foreach (byte rest in bytes[(bytes.Length & ~7)..])
        {
            crc = BitOperations.Crc32C(crc, rest);
        }

        return crc;
    }

    private static uint Shift(uint[] table, uint crc) =>
        table[crc & 0xFF] ^ table[256 + ((crc >> 8) & 0xFF)] ^ table[512 + ((crc >> 16) & 0xFF)] ^ table[768 + (crc >> 24)];

    /// <summary>What so many zero bytes make of each byte of a checksum, at each of its four places.</summary>
    private static uint[] MakeShift(int bytes)
    {
        var table = new uint[4 * 256];
        for (int bit = 0; bit < 32; bit++)
        {
            uint crc = 1u << bit;
            for (int i = 0; i < bytes / sizeof(ulong); i++)
            {
                crc = BitOperations.Crc32C(crc, 0UL);
            }

            int place = bit / 8 * 256;
            int low = 1 << (bit % 8);
            for (int value = low; value < 256; value = (value + 1) | low)
            {
                table[place + value] ^= crc;
            }
        }

        return table;
    }
}
