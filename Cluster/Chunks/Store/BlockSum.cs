using System.Numerics;
using System.Runtime.InteropServices;

namespace Harness.Cluster.Chunks.Store;

/// <summary>What is known of a block of 4 KiB, kept apart from it: 16 bytes, little-endian. All zero for a block that was never written.</summary>
/// <remarks>
/// It checks itself, so that a damaged entry is not taken for a hole or for another block's; and since it lies in another file than the
/// block, a write that the disk has lost does not verify.
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
internal struct BlockSum
{
    /// <summary>Size of a block.</summary>
    public const int BlockBytes = 4096;

    /// <summary>Size of an entry.</summary>
    public const int EntryBytes = 16;

    private const uint DataSalt = 0x44415441;
    private const uint HoleSalt = 0x484F4C45;

    /// <summary>CRC32C of the block; 0 of a hole.</summary>
    public uint Crc;

    /// <summary>Made of all else, the chunk and the place.</summary>
    public uint Check;

    /// <summary>When it was written.</summary>
    public ulong Stamp;

    /// <summary>Whether the block was never written.</summary>
    public readonly bool IsNever => Stamp == 0 && Crc == 0 && Check == 0;

    /// <summary>The entry of a block with data.</summary>
    public static BlockSum OfData(ChunkId chunk, int block, BlockStamp stamp, uint crc) =>
        new() { Crc = crc, Stamp = stamp.Value, Check = MakeCheck(DataSalt, chunk, block, stamp.Value, crc) };

    /// <summary>The entry of a block that was punched out.</summary>
    public static BlockSum OfHole(ChunkId chunk, int block, BlockStamp stamp) =>
        new() { Stamp = stamp.Value, Check = MakeCheck(HoleSalt, chunk, block, stamp.Value, 0) };

    /// <summary>Whether it stands for data, if it is sound.</summary>
    public readonly bool IsData(ChunkId chunk, int block) => !IsNever && Check == MakeCheck(DataSalt, chunk, block, Stamp, Crc);

    /// <summary>Whether it stands for zeros: never written, or punched out.</summary>
    public readonly bool IsZero(ChunkId chunk, int block) => IsNever || (Crc == 0 && Check == MakeCheck(HoleSalt, chunk, block, Stamp, 0));

    private static uint MakeCheck(uint salt, ChunkId chunk, int block, ulong stamp, uint crc)
    {
        uint check = BitOperations.Crc32C(salt, chunk.Value);
        check = BitOperations.Crc32C(check, ((ulong)(uint)block << 32) | crc);
        // Never 0, which only a block that was never written has.
        return BitOperations.Crc32C(check, stamp) | 1;
    }
}
