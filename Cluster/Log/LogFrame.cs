using System.Runtime.InteropServices;
using Harness.Cluster.Chunks;

namespace Harness.Cluster.Log;

/// <summary>What stands before each record of the log and of a snapshot: 24 bytes, little-endian.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LogFrame
{
    /// <summary>Size of this header.</summary>
    public const int HeaderBytes = 24;

    /// <summary>The longest record that is believed in.</summary>
    public const int RecordBytesMax = 64 << 20;

    private const uint MagicValue = 0x474F4C48;

    /// <summary>"HLOG" in memory order.</summary>
    public uint Magic;

    /// <summary>CRC32C of the record's bytes, and of <see cref="Index"/> and <see cref="Length"/> by being mixed with them.</summary>
    public uint Crc;

    /// <summary>Which record of the log, or of the snapshot, this is.</summary>
    public ulong Index;

    /// <summary>Bytes of the record.</summary>
    public uint Length;

    /// <summary>0.</summary>
    public uint Reserved;

    /// <summary>The header of a record.</summary>
    public static LogFrame Of(ulong index, ReadOnlySpan<byte> record) => new()
    {
        Magic = MagicValue,
        Index = index,
        Length = (uint)record.Length,
        Crc = CrcOf(index, record),
    };

    /// <summary>Reads the record at the beginning of some bytes.</summary>
    /// <param name="bytes">What is left of the file.</param>
    /// <param name="index">The index that it must have.</param>
    /// <param name="record">The record.</param>
    /// <returns>False if there is no whole record with that index.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, ulong index, out ReadOnlySpan<byte> record)
    {
        record = default;
        if (!MemoryMarshal.TryRead(bytes, out LogFrame frame) || frame.Magic != MagicValue || frame.Index != index ||
            frame.Length > RecordBytesMax || frame.Length > bytes.Length - HeaderBytes)
        {
            return false;
        }

        record = bytes.Slice(HeaderBytes, (int)frame.Length);
        return CrcOf(index, record) == frame.Crc;
    }

    private static uint CrcOf(ulong index, ReadOnlySpan<byte> record) =>
        Crc32C.Compute(record) ^ (uint)index ^ (uint)(index >> 32) ^ ((uint)record.Length * 0x9E37_79B1);
}
